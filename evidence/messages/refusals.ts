/**
 * Finds refusals in messages of programs that were refused: QEMU, DPDK, SPDK, libtpu, rust-vmm, libvfn,
 * libvirt, shells, and programs that quote them.
 *
 * @module
 */
import { changeAt } from './driver-writes.ts';
import { errnoIn } from './errnos.ts';
import { BDF, deviceNamed, kindOfNode, SPELLED, UUID } from './names.ts';
import { isOtherCall } from './other-calls.ts';
import type { Report } from '../sighting.ts';
import { wordings, type SearchedWording } from './wordings.ts';
import type { ReportedOperation } from './wordings/wording.ts';

/** The number of characters after the words in which their errno may stand. */
const REACH = 200;
/** The number of characters before the words in which their device or group may stand. */
const CONTEXT = 160;

interface WordingMatch {
  readonly wording: SearchedWording;
  readonly at: number;
  readonly end: number;
  readonly groups: Readonly<Record<string, string | undefined>>;
}

const NONE: readonly WordingMatch[] = [];

/** A refusal, and the index of its words. */
export interface RefusalReport {
  readonly report: Report;
  readonly at: number;
  /** The operations of which it may repeat a refusal that was reported before. */
  readonly repeats: readonly ReportedOperation[];
  /** The file of /sys that was written to, if the line names it. */
  readonly attribute: string | null;
}

/** Whether a line has the words of a refusal, even if the errno is missing. */
export function speaksOfRefusals(text: string): boolean {
  return wordings.some((wording) => wording.errno !== 'near' && matches(wording, text).length > 0);
}

/**
 * The refusals of a line, each once. `isChangeAsked`: a command asked for a change of a driver just
 * before.
 */
export function refusalsIn(text: string, isChangeAsked = false): readonly RefusalReport[] {
  const found = wordings.flatMap((wording) => matches(wording, text, isChangeAsked));
  found.sort((a, b) => a.at - b.at || b.end - a.end);
  const refusals = new Map<string, RefusalReport>();
  /** The end of the words that were read: what stands within them says nothing of its own. */
  let read = 0;
  found.forEach((match, index) => {
    if (match.end <= read) return;
    const next = found.slice(index + 1).find((other) => isAnother(other, match));
    const until = Math.min(next?.at ?? text.length, match.end + REACH);
    const report = reportOf(match, text, until);
    if (report === null) return;
    read = match.end;
    const { repeats = [] } = match.wording;
    const { attribute = null } = match.groups;
    const key = keyOf(report);
    if (!refusals.has(key)) refusals.set(key, { report, at: match.at, repeats, attribute });
  });
  return withoutVaguer([...refusals.values()]);
}

/** Whether words begin another statement. An errno that may be missing can stand in words of its own. */
function isAnother({ at, wording }: WordingMatch, before: WordingMatch): boolean {
  if (at < before.end) return false;
  return before.wording.errno !== 'optional' || wording.operation !== before.wording.operation;
}

/** A text that is equal for equal refusals. */
function keyOf({ operation, group, device, errno }: Report): string {
  return `${operation} ${group} ${device} ${errno}`;
}

/** Drops refusals that the line states a second time, with a device or group. */
function withoutVaguer(refusals: readonly RefusalReport[]): readonly RefusalReport[] {
  return refusals.filter(
    ({ report }) =>
      !refusals.some(
        ({ report: other }) =>
          other !== report &&
          other.operation === report.operation &&
          other.errno === report.errno &&
          precision(other) > precision(report) &&
          (report.group === null || report.group === other.group) &&
          (report.device === null || report.device === other.device),
      ),
  );
}

function precision({ group, device }: Report): number {
  return Number(group !== null) + Number(device !== null);
}

function matches(
  wording: SearchedWording,
  text: string,
  isChangeAsked = false,
): readonly WordingMatch[] {
  if (wording.needs === 'vfio' && !/vfio/i.test(text)) return NONE;
  if (wording.needs === 'change' && !isChangeAsked) return NONE;
  // Most lines have few of the words, and to look for all matches takes longer.
  if (text.search(wording.pattern) < 0) return NONE;
  return Array.from(text.matchAll(wording.pattern), (match) => ({
    wording,
    at: match.index,
    end: match.index + match[0].length,
    groups: match.groups ?? {},
  }));
}

function reportOf(found: WordingMatch, text: string, until: number): Report | null {
  const { wording, groups } = found;
  const isOfNode = wording.errno === 'near' && groups['node'] !== undefined;
  if (isOfNode && isOtherCall(text, found.at)) return null;
  const { concluded, errno: place } = wording;
  const mayBeMissing = concluded !== undefined || place === 'optional' || place === 'hidden';
  const errno = errnoOfMatch(found, text, until);
  if (errno === null && !mayBeMissing) return null;
  const target = targetOf(found, text);
  if (target === null) return null;
  const cause = concluded ?? (errno === null ? null : causeOf(target.operation, errno));
  const named = groups['driver'] ?? wording.driver ?? target.driver;
  // Managers of virtual machines call the driver so.
  const driver = named?.toLowerCase() === 'vfio' ? 'vfio-pci' : named;
  const blocker = blockerIn(groups);
  return {
    did: 'report',
    operation: target.operation,
    group: target.group,
    device: target.device,
    errno,
    cause,
    ...(driver !== undefined && { driver }),
    ...(blocker !== null && { blocker }),
  };
}

/** What is in the way, if the words name it. */
function blockerIn({ ofGroup, ofDevice }: WordingMatch['groups']) {
  if (ofGroup !== undefined) return { kind: 'group', id: ofGroup } as const;
  return ofDevice === undefined ? null : ({ kind: 'device', id: ofDevice.toLowerCase() } as const);
}

/** What stands between words and an errno that follows them at once. */
const atOnce = /^['"’»]?\)?\s?[:：]\s?$/;

function errnoOfMatch(
  { wording, end, groups }: WordingMatch,
  text: string,
  until: number,
): string | null {
  if (wording.concluded !== undefined || wording.errno === 'hidden') return null;
  if (wording.errno === 'said') {
    const { number, name, said } = groups;
    return errnoIn(name ?? said ?? `errno ${number}`)?.errno ?? null;
  }
  const rest = text.slice(end, until);
  // An errno in the next clause or sentence belongs to something else.
  const clause = rest.search(/; |\n|\. [A-Z]/);
  const shown = errnoIn(clause < 0 ? rest : rest.slice(0, clause));
  if (shown === null) return null;
  return wording.errno === 'near' && !atOnce.test(rest.slice(0, shown.at)) ? null : shown.errno;
}

function targetOf(
  { wording, at, groups }: WordingMatch,
  text: string,
): Pick<Report, 'operation' | 'group' | 'device' | 'driver'> | null {
  const before = text.slice(Math.max(0, at - CONTEXT), at);
  const clause = before.slice(Math.max(0, before.lastIndexOf('; ')));
  const { node, attribute } = groups;
  const written = attribute === undefined ? {} : changeAt(attribute);
  const named =
    groups['device'] ??
    written.device ??
    lastIn(clause, deviceName) ??
    argumentIn(clause) ??
    behind.exec(text.slice(at, at + REACH))?.[1];
  const device = named?.toLowerCase();
  if (node !== undefined) {
    const kind = kindOfNode(node);
    if (kind === null) return null;
    const operation = opening[kind.kind];
    return { operation, group: kind.group, device: device ?? kind.device };
  }
  if (wording.operation === null) return null;
  const ofGroup = groups['group'] ?? lastIn(clause, groupName);
  const index = /\(\s*Os \{.{0,120}?\}, "((?:noiommu-)?\d{1,7})"\)/.exec(
    text.slice(at, at + REACH),
  );
  return {
    operation: wording.operation,
    group: ofGroup ?? index?.[1] ?? null,
    device: device ?? null,
    ...(written.driver !== undefined && { driver: written.driver }),
  };
}

const opening = {
  group: 'open_group',
  container: 'open_container',
  iommufd: 'open_iommufd',
  device: 'open_cdev',
} as const;

/** A UUID is that of a device only where the words say so: instances and requests have UUIDs, too. */
const deviceName = new RegExp(
  String.raw`((?<![\w:/=])${BDF}|(?<=\b(?:vfio|error:|mdev|device) '?)${UUID})(?![\w.]|:\w)`,
  'g',
);
/** The device of the call, behind its words: `… /dev/vfio/9 for device 0000:81:00.0`. */
const behind = new RegExp(
  String.raw`^[^;\n]*?\b(?:for|of) (?:the )?(?:PCI )?(?:device )?['"(]?(${BDF})(?![\w.]|:\w)`,
);
/** The device in an argument of QEMU. */
const argument = new RegExp(String.raw`\b(?:host|sysfsdev)["']?[=:] ?["']?(${SPELLED})`, 'g');
const groupName = /\bgroup (\d{1,7})\b/g;

function lastIn(text: string, pattern: RegExp): string | undefined {
  return [...text.matchAll(pattern)].at(-1)?.[1];
}

function argumentIn(text: string): string | undefined {
  const spelled = lastIn(text, argument);
  return spelled === undefined ? undefined : deviceNamed(spelled);
}

/** The cause that an errno has regardless of owners; null if that is open. */
function causeOf(operation: ReportedOperation, errno: string): string | null {
  if (operation.startsWith('open_') && errno === 'ENOENT') return 'no-such-node';
  // The address of what is to be mapped; the argument of any other call may be bad as well.
  const isOfMemory = errno === 'EFAULT' && (operation === 'map_dma' || operation === 'ioas_map');
  const isOther = ['EACCES', 'ENOMEM', 'EMFILE', 'ENFILE', 'EIO'].includes(errno);
  return isOfMemory || isOther ? 'not-ownership' : null;
}
