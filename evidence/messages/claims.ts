/**
 * Reads claims from messages of programs that keep a book of who has which device: managers of VMs, and
 * locks of SPDK and libtpu. A message that refuses a device makes up to two claims: that of who has the
 * device, and the refused one.
 *
 * @module
 */
import type { NamedClaimant } from '../sighting.ts';
import type { MessageDeed } from './kernel.ts';
import { deviceNamed, kindOfNode, NODE, SPELLED } from './names.ts';
import { nameAt } from './quoted-name.ts';

/** A claim in a message. */
export type Claimed = Extract<MessageDeed, { did: 'claim' }>;

/** A message that refuses a device. */
interface ClaimWording {
  /** Its groups: `device`; `holder`, `pid`, the name or process that has the device; `requester`. */
  readonly pattern: RegExp;
  /** The program whose book it is. Left out: the program that the message or its writer names. */
  readonly manager?: string;
  /** Why the device was refused, if the words do not name who has it. */
  readonly reason?: string;
  /** The name of who has the device follows the words. */
  readonly isNameNext?: true;
}

const words = (pattern: string) => new RegExp(pattern, 'gi');

const NAMED = `['"]?(?<device>${SPELLED})['"]?`;
const USED =
  '(?:in use|being used|used|assigned|attached|allocated|reserved(?: for use)?|claimed|passed through)';
const GUEST = '(?:domain|VMID|VM|CT|guest|instance|virtual machine|container|pod|qube)';
/** Who a message names may be a process. */
const BY_PID = String.raw`(?:process |with )*pid[ =:]*'?(?<pid>\d{1,10})`;

const wordings: readonly ClaimWording[] = [
  // SPDK: env_dpdk/pci.c
  {
    manager: 'spdk',
    pattern: words(
      String.raw`cannot create lock on device \S{0,128}?(?<device>${SPELLED}), ` +
        String.raw`probably process (?<pid>\d{1,10}) has claimed it`,
    ),
  },
  // libtpu, as JAX, TensorFlow and PyTorch print it. It does not name the device.
  {
    manager: 'libtpu',
    pattern: words(
      String.raw`\b(?:TPU|libtpu\.so|accelerator)s? (?:is |are )?already in use by ${BY_PID}`,
    ),
  },
  // libvirt: util/virhostdev.c, util/virmdev.c; until 1.2 without the driver.
  {
    manager: 'libvirt',
    isNameNext: true,
    pattern: words(
      String.raw`\b(?:PCI|NVMe|mediated) device ${NAMED} is (?:already )?in use by ` +
        String.raw`(?:driver [\w -]{1,64}?, ?)?domain `,
    ),
  },
  {
    manager: 'libvirt',
    reason: 'in use',
    pattern: words(
      String.raw`\b(?:PCI|NVMe|mediated) device ${NAMED} is (?:already )?in use(?! by)|` +
        String.raw`\bnot (?:detaching|re-?attaching|resetting) active device ` +
        NAMED.replace('device', 'device2'),
    ),
  },
  {
    manager: 'libvirt',
    reason: 'not assignable',
    pattern: words(`\\bPCI device ${NAMED} is not assignable`),
  },
  {
    manager: 'libvirt',
    reason: 'not detached from the host',
    pattern: words(`\\bPCI device ${NAMED} must be manually detached`),
  },
  // Proxmox: PVE/QemuServer/PCI.pm
  {
    manager: 'proxmox',
    pattern: words(
      String.raw`\bdevice ${NAMED} (?:is )?(?:already|currently) (?:in use|reserved for use) by ` +
        String.raw`(?:(?:VMID|VM|CT) '?(?<holder>\d{1,9})\b|${BY_PID})`,
    ),
  },
  // Nova: exception.py
  {
    manager: 'nova',
    pattern: words(
      String.raw`\bPCI device (?:\d{1,9}:)?${NAMED} is owned by (?<holder>[\w-]{1,64}) ` +
        String.raw`instead of (?<requester>[\w-]{1,64})`,
    ),
  },
  {
    manager: 'nova',
    reason: 'not available',
    pattern: words(
      String.raw`\bPCI device (?:\d{1,9}:)?${NAMED} is [\w-]{1,32} instead of \[?'?available`,
    ),
  },
  {
    manager: 'nova',
    reason: 'not prepared',
    pattern: words(
      String.raw`\bfailed to prepare PCI device ${NAMED} for instance (?<requester>[\w-]{1,64})`,
    ),
  },
  // LXD, Incus, xl and others that say it alike.
  {
    isNameNext: true,
    pattern: words(
      String.raw`\b${NAMED}\)? (?:(?:is|has) )?(?:already|currently|still|in use) ?(?:been )?` +
        String.raw`(?:${USED} )?(?:by|to|for|in|with) (?:another )?${GUEST}:? (?!${GUEST}\b)`,
    ),
  },
];

/** The managers that messages name, by what tells them. */
const managers: readonly (readonly [RegExp, string])[] = [
  [/\bincusd?\b/i, 'incus'],
  [/\blx[cd]\b/i, 'lxd'],
  [/\blibxl|\bxl\b|\bxen/i, 'xen'],
  [/\bqm\b|\bpve|\bproxmox\b|\bVMID\b/i, 'proxmox'],
  [/\bnova\b/i, 'nova'],
  [/\bharvester|\bkubevirt\b|\bvirt-(?:handler|launcher|controller)\b/i, 'kubevirt'],
  [/\bmiddlewared\b|\btruenas\b/i, 'truenas'],
  [/\bqubes|\bqvm-/i, 'qubes'],
  [/\blibvirt|\bvirsh\b|\bvirt-(?:manager|install)\b/i, 'libvirt'],
];

/**
 * The claims in a message. `requester`: who asked for the device, if lines before name it. `around`: what
 * may name the manager besides: the program that printed the message, the command that asked.
 */
export function claimsIn(
  text: string,
  requester: NamedClaimant | null = null,
  around = '',
): readonly Claimed[] {
  const taken: (readonly [number, number])[] = [];
  return wordings.flatMap((wording) =>
    Array.from(text.matchAll(wording.pattern)).flatMap((match) => {
      const { index, 0: matched } = match;
      const end = index + matched.length;
      if (taken.some(([from, to]) => index < to && end > from)) return [];
      const manager = wording.manager ?? managerIn(`${around} ${text}`);
      if (manager === null) return [];
      const claims = claimsOf(wording, match, { text, manager, requester });
      if (claims.length > 0) taken.push([index, end]);
      return claims;
    }),
  );
}

interface SaidBy {
  readonly text: string;
  readonly manager: string;
  readonly requester: NamedClaimant | null;
}

function claimsOf(
  { reason, isNameNext }: ClaimWording,
  { index, 0: matched, groups = {} }: RegExpExecArray,
  { text, manager, requester }: SaidBy,
): readonly Claimed[] {
  const process = groups['pid'] === undefined ? null : `pid ${groups['pid']}`;
  const next = isNameNext === true ? nameAt(text, index + matched.length) : null;
  const holder = process ?? groups['holder'] ?? next;
  if (holder === null && reason === undefined) return [];
  const spelled = groups['device'] ?? groups['device2'];
  const device = spelled === undefined ? null : deviceNamed(spelled);
  const group = device === null ? groupIn(text) : null;
  const base = { did: 'claim', device, manager, pid: null, comm: null } as const;
  const of = { ...base, ...(group !== null && { group }) };
  const granted = holder === null ? [] : [{ ...of, ...stated, claimant: claimant(holder) }];
  const refused: Claimed = {
    ...of,
    outcome: 'refused',
    claimant: groups['requester'] === undefined ? requester : claimant(groups['requester']),
    reason: holder === null ? (reason ?? null) : `in use by ${holder}`,
  };
  return [...granted, refused];
}

const stated = { outcome: 'granted', isStated: true, reason: null } as const;

const uuid = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/i;

function claimant(name: string): NamedClaimant {
  return { name, uuid: uuid.test(name) ? name.toLowerCase() : null };
}

function managerIn(text: string): string | null {
  return managers.find(([pattern]) => pattern.test(text))?.[1] ?? null;
}

const node = new RegExp(NODE, 'g');

/** The only group whose node a text names. */
function groupIn(text: string): string | null {
  const named = Array.from(text.matchAll(node), ([path]) => kindOfNode(path)?.group ?? null);
  const [only, ...others] = new Set(named.filter((group) => group !== null));
  return only === undefined || others.length > 0 ? null : only;
}
