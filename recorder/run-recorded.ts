/**
 * Runs a command, records what it does with VFIO files, and reports what it did not release.
 *
 * @module
 */
import type { Activity, Coverage, Ledger } from '../ledger.ts';
import type { Ending, RunOptions } from './command.ts';
import { runBesideTracer } from './run-beside-tracer.ts';
import { runUnderStrace, type Strace } from './run-under-strace.ts';
import type { RunningProcess } from './running-processes.ts';
import type { HostTracer } from './tracer.ts';

/** What a command did: of `owned`, the groups that it owns by a file it opened. */
export interface RunReport extends Pick<
  Activity,
  'opened' | 'bound' | 'refused' | 'held' | 'owned'
> {
  readonly exit: Ending;
  /** Its processes that were still running when it had ended. */
  readonly left: readonly RunningProcess[];
  /** Of the whole host, while the command ran. */
  readonly coverage: Coverage;
  /** Lines of the trace, and how many of them could not be read. */
  readonly read: number;
  readonly rejectedCount: number;
}

/**
 * Appends how the host stands and what a command does. The command has this process's standard
 * input, output and error, and is sent the signals that this process gets. Beside a tracer of the host
 * what others do is recorded as well, and not reported.
 *
 * Rejects with `unavailable` if the tracer or the command cannot be started, or if the tracer shows
 * nothing of the command.
 */
export async function runRecorded(
  ledger: Ledger,
  command: readonly string[],
  { tracer, ...options }: RunOptions & { readonly tracer: Strace | HostTracer },
): Promise<RunReport> {
  const traced =
    tracer.format === 'strace'
      ? await runUnderStrace(ledger, tracer, command, options)
      : await runBesideTracer(ledger, tracer, command, options);
  const { exit, after, report, left, pids } = traced;
  const { read, rejectedCount } = report;
  const from = after < 0 ? 'start' : after;
  const activity = ledger.between(from, 'end', { by: pids });
  const { opened, bound, refused, held, owned, leaks } = activity;
  // The command owns a group by a file that it opened; an owner may also be another's, or unknown.
  const files = new Set(leaks.map(({ file }) => file));
  const own = owned.filter(({ owner }) => owner.file !== null && files.has(owner.file));
  const coverage = ledger.coverage({ from });
  const did = { opened, bound, refused, held, owned: own };
  return { exit, left, read, rejectedCount, ...did, coverage };
}
