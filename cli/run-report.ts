/**
 * What a command did with VFIO files, and what it did not release.
 *
 * @module
 */
import type { Activity, Ledger } from '../ledger.ts';
import type { Ending, LeftBehind } from './command.ts';

export interface RunReport extends Pick<
  Activity,
  'opened' | 'bound' | 'refused' | 'held' | 'owned'
> {
  readonly command: readonly string[];
  readonly exit: Ending;
  /** Where it was recorded; null where it is kept nowhere. */
  readonly log: string | null;
  /** Processes that it started and that were there when it had ended. */
  readonly left: readonly LeftBehind[];
  /** Lines of the trace, and how many of them nobody could read. */
  readonly read: number;
  readonly rejectedCount: number;
}

type ProcessRun = Pick<RunReport, 'command' | 'exit' | 'log' | 'left' | 'read' | 'rejectedCount'>;

/** Reports what was appended after a position; only what processes `by` did, where they are given. */
export function reportOn(
  ledger: Ledger,
  after: number,
  seen: ProcessRun,
  by?: readonly number[],
): RunReport {
  const from = after < 0 ? 'start' : after;
  const activity = ledger.between(from, 'end', { by });
  const { opened, bound, refused, held, owned, leaks } = activity;
  // The command owns a group by a file that it opened; an owner may also be another's, or unknown.
  const files = new Set(leaks.map(({ file }) => file));
  const own = owned.filter(({ owner }) => owner.file !== null && files.has(owner.file));
  return { ...seen, opened, bound, refused, held, owned: own };
}
