/**
 * The report of `run` about a command.
 *
 * @module
 */
import { titled, type Line } from './columns.ts';
import { coverageWords } from './coverage.ts';
import { releasedWords, spanWords, type List, type ShownActivity } from './leaks.ts';
import { counted } from './moments.ts';
import { processWords } from './owners.ts';

interface Run extends ShownActivity {
  readonly command: readonly string[];
  readonly exit: { readonly code: number | null; readonly signal: string | null };
  /** The log in which it was recorded; null if none was named. */
  readonly log: string | null;
  /** Its processes that were still running after it had ended. */
  readonly left: readonly { readonly pid: number; readonly comm: string }[];
  /** Lines of the trace that could not be read. */
  readonly rejectedCount: number;
}

/** Lines: how a command ended, what it did, and what it left behind. */
export function runWords(run: Run, list: List = titled): Line[] {
  const { command, exit, log, left, rejectedCount } = run;
  const how =
    exit.signal === null ? `ended with exit code ${exit.code}` : `was killed by ${exit.signal}`;
  return [
    `vfio-ledger: ${command.map(argument).join(' ')} ${how}`,
    ...spanWords(run, list),
    ...list(
      'Left behind and still running:',
      left.map(({ pid, comm }) => [processWords(pid, comm)]),
    ),
    ...releasedWords(run),
    coverageWords(run.coverage),
    ...(rejectedCount === 0 ? [] : [`${unreadWords(rejectedCount)}.`]),
    ...(log === null ? [] : [`Recorded in ${log}.`]),
  ];
}

/** Says that lines of a trace could not be read, without a full stop. */
export function unreadWords(rejectedCount: number): string {
  return `${counted(rejectedCount, 'line')} of the trace could not be read`;
}

function argument(text: string): string {
  return /^[^\s"']+$/u.test(text) ? text : JSON.stringify(text);
}
