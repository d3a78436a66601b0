/**
 * What was written to a log, and what became of its files, in words.
 *
 * @module
 */
import { counted } from './moments.ts';
import { printable } from './printable.ts';

interface Imported {
  readonly read: number;
  readonly appended: number;
  /** Events that were in the log already. */
  readonly skipped: number;
  /** Lines of a trace that say nothing. */
  readonly unknown: number;
  readonly rejectedCount: number;
}

/** How much evidence was read, and what of it is in the log now. */
export function importedWords(
  { read, appended, skipped, unknown, rejectedCount }: Imported,
  log: string,
): string {
  const odd = unknown === 0 ? '' : `; ${counted(unknown, 'line')} not understood`;
  const bad = rejectedCount === 0 ? '' : `; ${counted(rejectedCount, 'line')} rejected`;
  const were = skipped === 1 ? 'was' : 'were';
  const what = `read ${counted(read, 'line')}: ${counted(appended, 'event')} appended`;
  return `${what} to ${printable(log)}, ${skipped} ${were} there already${odd}${bad}`;
}

/** A line of evidence that could not be read. */
export function rejectedWords(rejected: {
  readonly file: string;
  readonly line: number;
  readonly reason: string;
}): string {
  return printable(`${rejected.file}:${rejected.line}: ${rejected.reason}`);
}

interface RecordedCounts {
  readonly appended: number;
  readonly read: number;
  readonly rejectedCount: number;
  /** How often the tracer was started. */
  readonly starts: number;
}

/** How much of a running host was recorded. */
export function recordedWords(
  { appended, read, rejectedCount, starts }: RecordedCounts,
  log: string,
): string {
  const bad = rejectedCount === 0 ? '' : `, ${rejectedCount} of them rejected`;
  const again = starts > 1 ? `; the tracer was started ${starts} times` : '';
  const what = `${counted(appended, 'event')} recorded in ${printable(log)}`;
  return `${what}, from ${counted(read, 'line')}${bad}${again}`;
}

/** How many events a reading of the host was worth. */
export function changedWords(changed: number, appended: number, log: string): string {
  const what = changed === 0 ? 'nothing has changed' : counted(changed, 'change');
  return `${what}, ${counted(appended, 'event')} appended to ${printable(log)}`;
}

export const NONE_IN_USE = 'no group is in use';

/** Something that a reading of the host could not see. */
export function unseenWords(unseen: string): string {
  return printable(`not seen: ${unseen}`);
}

/** That a file of a log was sealed; the next one goes by its name alone. */
export function sealedWords(sealed: string, next: string): string {
  return `sealed ${printable(sealed)}; the log goes on in ${next}`;
}

/** The head, `POSITION:HASH`, with which a host's stream ends in a sealed file. */
export function endedWords(host: string, head: string): string {
  return `${printable(host)} ended at ${head}`;
}

interface RetainedFiles {
  /** Files that were removed, or moved. */
  readonly gone: readonly { readonly file: string; readonly to: string | null }[];
  /** Files that stay, because a host has been running since. */
  readonly needed: readonly string[];
}

/** A line for each file that left, or had to stay. */
export function retainedWords({ gone, needed }: RetainedFiles): string[] {
  if (gone.length + needed.length === 0) return ['nothing to remove'];
  return [
    ...gone.map(({ file, to }) =>
      printable(to === null ? `removed ${file}` : `moved ${file} to ${to}`),
    ),
    ...needed.map((file) => printable(`kept ${file}: a host has been running since`)),
  ];
}
