/**
 * Who asked for a device that a manager refuses: messages and commands that name the domain, VM or instance
 * that was to start.
 *
 * @module
 */
import type { NamedClaimant } from '../sighting.ts';
import { UUID } from './names.ts';
import { nameAt } from './quoted-name.ts';

const GUEST = '(?:domain|VM|virtual machine|guest|instance)';

/** The name follows the words. */
const before: readonly RegExp[] = [
  // virsh, virt-manager, lxc, incus, xl
  new RegExp(
    String.raw`\b(?:failed|unable|error|cannot|could not)(?: to)? ` +
      String.raw`(?:start|creat|boot|resum|restor)(?:e|ing)? (?:the )?${GUEST} ` +
      String.raw`(?!(?:with|from|on|in|as|after|for|because|due|is|failed)\b)(?=[^\s:])`,
    'i',
  ),
  /\bFailed to attach device (?:from \S{1,256} )?to(?: domain)? (?=[^\s:])/i,
];

const ids: readonly RegExp[] = [
  // Proxmox: the id of a task, the task's own line, vzdump
  /\bUPID:[\w.-]{1,64}(?::[\dA-F]{4,16}){3}:qm\w{1,16}:(?<id>\d{1,9}):/,
  /\b(?:start(?:ing)?|resum(?:e|ing)|backup of) VM '?(?<id>\d{1,9})\b/i,
];

const nova = new RegExp(String.raw`\[instance: (?<uuid>${UUID})\]`, 'i');

/** Commands that start a guest. A shell's word has no blank unless it is quoted. */
const command = new RegExp(
  String.raw`[#$] (?:sudo )?(?:virsh(?: -\S{1,64}| \w{1,16}:\/\/\S{0,128}){0,6} (?:start|resume|restore|` +
    String.raw`attach-device)(?: --domain)?|qm start|(?:lxc|incus) start|xl (?:create|pci-attach))` +
    String.raw` +(?:'(?<single>[^']{1,256})'|"(?<double>[^"]{1,256})"|(?<word>[^\s'"-][^\s'"]{0,255}))`,
);

/** The guest that a line says was to get its devices; null if it names none. */
export function requesterIn(text: string): NamedClaimant | null {
  const uuid = nova.exec(text)?.groups?.['uuid']?.toLowerCase();
  if (uuid !== undefined) return { name: uuid, uuid };
  for (const pattern of before) {
    const found = pattern.exec(text);
    const name = found === null ? null : nameAt(text, found.index + found[0].length);
    if (name !== null) return { name, uuid: null };
  }
  for (const pattern of ids) {
    const id = pattern.exec(text)?.groups?.['id'];
    if (id !== undefined) return { name: id, uuid: null };
  }
  const { single, double, word } = command.exec(text)?.groups ?? {};
  const name = single ?? double ?? word?.replace(/\\(.)/g, '$1');
  return name === undefined ? null : { name, uuid: null };
}
