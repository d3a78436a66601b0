/**
 * Sentences about what was appended to a log, and what happened to its files.
 *
 * @module
 */
import { counted } from './moments.ts';

interface Imported {
  readonly read: number;
  readonly appended: number;
  /** Events that were already in the log. */
  readonly skipped: number;
  /** Lines that a reader took for its own and could not read. */
  readonly unknown: number;
}

/** How many lines of evidence were read, and how many events were appended. */
export function importedWords({ read, appended, skipped, unknown }: Imported, log: string): string {
  const odd = unknown === 0 ? '' : `; ${counted(unknown, 'line')} not understood`;
  const were = skipped === 1 ? 'was' : 'were';
  const what = `read ${counted(read, 'line')}: ${counted(appended, 'event')} appended`;
  return `${what} to ${log}, ${skipped} ${were} there already${odd}`;
}

/** Says that the rules of another release judge a kernel. */
export function judgedAsWords({ kernel, profile }: { kernel: string; profile: string }): string {
  const judged = `kernel ${kernel} is judged by the rules of ${profile}`;
  return `${judged}, the nearest that there are; --profile names others`;
}

interface SeenKinds {
  readonly seen: Readonly<Record<string, number>>;
  /** Lines that say nothing of VFIO. */
  readonly passedOver: number;
}

/** The kinds of statements, in the order in which they are named; the rest are shown in a listing. */
const SEEN = { refusal: 'refusal', claim: 'claim', kernel: 'kernel message' } as const;
/** The tools whose listings show holders; those of the others show nodes, or the drivers of devices. */
const OF_HOLDERS = new Set(['lsof', 'fuser', 'ls', 'fdinfo']);

/**
 * What was seen in messages and listings: `1 refusal, 2 holders (lsof); 14 lines passed over`. Null if
 * there was nothing of that.
 */
export function seenWords({ seen, passedOver }: SeenKinds): string | null {
  const listings = Object.keys(seen).filter((kind) => !(kind in SEEN));
  const said = [
    seen['refusal'] === undefined ? [] : [counted(seen['refusal'], SEEN.refusal)],
    listings.map((tool) => `${counted(seen[tool] ?? 0, shownBy(tool))} (${tool})`),
    seen['claim'] === undefined ? [] : [counted(seen['claim'], SEEN.claim)],
    seen['kernel'] === undefined ? [] : [counted(seen['kernel'], SEEN.kernel)],
  ].flat();
  const passed = passedOver === 0 ? [] : [`${counted(passedOver, 'line')} passed over`];
  const words = [said.join(', '), ...passed].filter((part) => part !== '').join('; ');
  return words === '' ? null : words;
}

/** What a row of a tool's listing shows. */
function shownBy(tool: string): string {
  if (OF_HOLDERS.has(tool)) return 'holder';
  if (tool === 'ls -l') return 'node';
  return tool === 'iommu_groups' ? 'device' : 'driver';
}

/** A line of evidence that could not be read, and why: `FILE:LINE: REASON`. */
export function rejectedWords(rejected: {
  readonly file: string;
  readonly line: number;
  readonly reason: string;
}): string {
  return `${rejected.file}:${rejected.line}: ${rejected.reason}`;
}

interface RecordedCounts {
  readonly appended: number;
  readonly read: number;
  readonly rejectedCount: number;
  /** How often the tracer was started. */
  readonly starts: number;
}

/** How many events of a running host were recorded. */
export function recordedWords(
  { appended, read, rejectedCount, starts }: RecordedCounts,
  log: string,
): string {
  const bad = rejectedCount === 0 ? '' : `, ${rejectedCount} of them rejected`;
  const again = starts > 1 ? `; the tracer was started ${starts} times` : '';
  const what = `${counted(appended, 'event')} recorded in ${log}`;
  return `${what}, from ${counted(read, 'line')}${bad}${again}`;
}

/** How many changes a snapshot found, and how many events it appended. */
export function changedWords(changed: number, appended: number, log: string): string {
  const what = changed === 0 ? 'nothing has changed' : counted(changed, 'change');
  return `${what}, ${counted(appended, 'event')} appended to ${log}`;
}

export const NONE_IN_USE = 'no group is in use';

/** Something that a snapshot could not see. */
export function unseenWords(unseen: string): string {
  return `not seen: ${unseen}`;
}

/** Says that a file of a log was sealed; `next` is the name of the next file without its folder. */
export function sealedWords(sealed: string, next: string): string {
  return `sealed ${sealed}; the log continues in ${next}`;
}

/** The head, `POSITION:HASH`, of a host's stream in a sealed file. */
export function endedWords(host: string, head: string): string {
  return `head of ${host}: ${head}`;
}

interface RetainedFiles {
  /** Files that were removed, or moved. */
  readonly gone: readonly { readonly file: string; readonly to: string | null }[];
  /** Files that are kept because they hold events since the last boot of a host. */
  readonly needed: readonly string[];
}

/** A line for each file that was removed, moved or kept. */
export function retainedWords({ gone, needed }: RetainedFiles): string[] {
  if (gone.length + needed.length === 0) return ['nothing to remove'];
  return [
    ...gone.map(({ file, to }) => (to === null ? `removed ${file}` : `moved ${file} to ${to}`)),
    ...needed.map((file) => `kept ${file}: it holds events since the last boot of a host`),
  ];
}
