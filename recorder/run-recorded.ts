/**
 * Runs a command, records what it does with VFIO files, and reports what it did not release.
 *
 * @module
 */
import { originOf, withOrigin } from '../ledger/origins.ts';
import type { Activity, Coverage, Ledger } from '../ledger.ts';
import { chooseCommandTracer } from './choose-tracer.ts';
import type { Ending, RunOptions } from './command.ts';
import { runBesideTracer } from './run-beside-tracer.ts';
import { runUnderStrace, type Strace } from './run-under-strace.ts';
import type { RunningProcess } from './running-processes.ts';
import { snapshotNow } from './snapshot.ts';
import type { HostTracer } from './tracer.ts';

/** What a command did: of `owned`, the groups that it owns by a file it opened. */
export interface RunReport extends Activity {
  readonly exit: Ending;
  /** Its processes that were still running when it had ended. */
  readonly left: readonly RunningProcess[];
  /** Of the whole host, while the command ran. */
  readonly coverage: Coverage;
  /** Lines of the trace, and how many of them could not be read. */
  readonly read: number;
  readonly rejectedCount: number;
}

/** How a command is recorded. */
export interface RecordedRunOptions extends Partial<RunOptions> {
  /** By default strace, or bpftrace if only that is installed. */
  readonly tracer?: Strace | HostTracer;
  /**
   * Whether the host is read again when the command has ended, so that it is known who holds what then.
   * A tracer of the whole host tells that anyway. By default true.
   */
  readonly readsAfter?: boolean;
}

const PATIENCE_MS = 1000;

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
  options: RecordedRunOptions = {},
): Promise<RunReport> {
  const { patienceMs = PATIENCE_MS, root, readsAfter = true, beforeCommand } = options;
  const { tracer = chooseCommandTracer({ name: undefined, line: undefined, env: process.env }) } =
    options;
  const run = { patienceMs, root, beforeCommand };
  const traced =
    tracer.format === 'strace'
      ? await runUnderStrace(ledger, tracer, command, run)
      : await runBesideTracer(ledger, tracer, command, run);
  const { exit, after, report, left, pids } = traced;
  const { read, rejectedCount } = report;
  const from = after < 0 ? 'start' : after;
  const coverage = ledger.coverage({ from });
  const by = pids ?? pidsAfter(ledger, after);
  if (readsAfter && tracer.format === 'strace') await snapshotNow(ledger, root);
  const activity = ledger.between(from, 'end', { by });
  const { owned, leaks } = activity;
  // The command owns a group by a file that it opened; an owner may also be another's, or unknown.
  const files = new Set(leaks.map(({ file }) => file));
  const own = owned.filter(({ owner }) => owner.file !== null && files.has(owner.file));
  const found = { ...activity, owned: own, exit, left, read, rejectedCount, coverage };
  const origin = originOf(activity);
  return origin === undefined ? found : withOrigin(found, origin);
}

/** The processes that a trace of one command shows: all of them are its own. */
function pidsAfter(ledger: Ledger, position: number): readonly number[] {
  const pids = new Set<number>();
  for (const { type, data, position: at } of ledger.log({ from: Math.max(position, 0) })) {
    if (at <= position) continue;
    for (const key of ['pid', 'child', 'to'] as const) {
      // Of other events `to` is a position or a descriptor.
      if (key === 'to' && type !== 'descriptor.passed') continue;
      const pid: unknown = Reflect.get(data, key);
      if (typeof pid === 'number') pids.add(pid);
    }
  }
  return [...pids];
}
