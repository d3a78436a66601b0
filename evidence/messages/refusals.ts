/**
 * Finds refusals in messages of programs that were refused: QEMU, DPDK, SPDK, libtpu, rust-vmm, libvfn,
 * libvirt, and programs that quote them.
 *
 * @module
 */
import { errnoIn } from './errnos.ts';
import { BDF, deviceNamed, kindOfNode, SPELLED, UUID } from './names.ts';
import { isOtherCall } from './other-calls.ts';
import type { Report } from '../sighting.ts';
import { wordings, type ReportedOperation, type Wording } from './wordings.ts';

/** The number of characters after the words in which their errno may stand. */
const REACH = 200;
/** The number of characters before the words in which their device or group may stand. */
const CONTEXT = 160;

interface WordingMatch {
  readonly wording: Wording;
  readonly at: number;
  readonly end: number;
  readonly groups: Readonly<Record<string, string | undefined>>;
}

/** A refusal, and the index of its words. `again`: it may repeat one that was reported before. */
export interface RefusalReport {
  readonly report: Report;
  readonly at: number;
  readonly again: boolean;
}

/** Whether a line has the words of a refusal, even if the errno is missing. */
export function speaksOfRefusals(text: string): boolean {
  return wordings.some((wording) => wording.near !== true && matches(wording, text).length > 0);
}

/** The refusals of a line, each once. */
export function refusalsIn(text: string): readonly RefusalReport[] {
  const found = wordings.flatMap((wording) => matches(wording, text));
  found.sort((a, b) => a.at - b.at || b.end - a.end);
  const refusals = new Map<string, RefusalReport>();
  found.forEach((match, index) => {
    const next = found.slice(index + 1).find(({ at }) => at >= match.end)?.at ?? text.length;
    const report = reportOf(match, text, Math.min(next, match.end + REACH));
    if (report === null) return;
    const again = match.wording.again === true;
    const key = keyOf(report);
    if (!refusals.has(key)) refusals.set(key, { report, at: match.at, again });
  });
  return withoutVaguer([...refusals.values()]);
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

function matches(wording: Wording, text: string): readonly WordingMatch[] {
  if (wording.vague === true && !/vfio/i.test(text)) return [];
  return Array.from(text.matchAll(wording.pattern), (match) => ({
    wording,
    at: match.index,
    end: match.index + match[0].length,
    groups: match.groups ?? {},
  }));
}

function reportOf(found: WordingMatch, text: string, until: number): Report | null {
  const { wording, groups } = found;
  const { concluded } = wording;
  if (wording.near === true && isOtherCall(text, found.at)) return null;
  const errno = concluded === undefined ? (errnoBehind(found, text, until)?.errno ?? null) : null;
  if (errno === null && concluded === undefined) return null;
  const target = targetOf(found, text);
  if (target === null) return null;
  const cause = concluded ?? causeOf(target.operation, errno ?? '');
  const driver = groups['driver'] ?? groups['driver2'] ?? groups['driver3'];
  const blocker = blockerIn(groups);
  return {
    did: 'report',
    ...target,
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

function errnoBehind(
  { wording, end, groups }: WordingMatch,
  text: string,
  until: number,
): { readonly errno: string } | null {
  const { number, name } = groups;
  if (name !== undefined || number !== undefined) return errnoIn(name ?? `errno ${number}`);
  const rest = text.slice(end, until);
  // An errno in the next clause or sentence belongs to something else.
  const clause = rest.search(/; |\n|\. [A-Z]/);
  const shown = errnoIn(clause < 0 ? rest : rest.slice(0, clause));
  if (shown === null) return null;
  return wording.near === true && !/^['"]?\)?: $/.test(rest.slice(0, shown.at)) ? null : shown;
}

function targetOf(
  { wording, at, groups }: WordingMatch,
  text: string,
): Pick<Report, 'operation' | 'group' | 'device'> | null {
  const before = text.slice(Math.max(0, at - CONTEXT), at);
  const clause = before.slice(Math.max(0, before.lastIndexOf('; ')));
  const device = (
    groups['device'] ??
    groups['device2'] ??
    lastIn(clause, deviceName) ??
    argumentIn(clause) ??
    behind.exec(text.slice(at, at + REACH))?.[1]
  )?.toLowerCase();
  const { node } = groups;
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
  const isOfMemory = errno === 'EFAULT' && operation === 'map_dma';
  const isOther = ['EACCES', 'ENOMEM', 'EMFILE', 'ENFILE', 'EIO'].includes(errno);
  return isOfMemory || isOther ? 'not-ownership' : null;
}
