/**
 * Records this host until it is told to stop: a snapshot, then what a tracer shows. A tracer that
 * dies leaves a gap, and is started again with a new snapshot.
 *
 * @module
 */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Ledger } from '../ledger.ts';
import { snapshotBeside } from './snapshot.ts';
import { RunningTracer, TracerError, type HostTracer } from './tracer.ts';

export interface RecordOptions {
  readonly tracer: HostTracer;
  /** Where a copy of the host is read; undefined for this host. */
  readonly root: string | undefined;
  /** Ends the recording: the tracer is stopped, and what it has shown is appended. */
  readonly signal: AbortSignal;
  /** Told how many events have been appended. */
  readonly progress: (events: number) => void;
  /** Told, in a sentence, what will be missing or what failed and was started again. */
  readonly warn: (message: string) => void;
}

export interface RecordReport {
  /** Events. */
  readonly appended: number;
  /** Lines of tracers read. */
  readonly read: number;
  /** Of these, lines that say something unknown. */
  readonly unknown: number;
  /** Of these, lines that could not be read. */
  readonly rejectedCount: number;
  /** How often a tracer attached: once, unless it died. */
  readonly starts: number;
}

/** A tracer that dies earlier counts as a quick death, in milliseconds. */
const QUICK_MS = 10_000;
const MOST_QUICK_DEATHS = 5;
const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 30_000;

/**
 * Resolves when `signal` is aborted and all that was traced has been appended. Rejects with
 * `TracerError` if the tracer cannot attach, or has died five times in a row within ten seconds each.
 */
export async function recordHost(ledger: Ledger, options: RecordOptions): Promise<RecordReport> {
  const { signal, warn } = options;
  const { name, format, showsProbes } = options.tracer;
  if (format === 'bpftrace' && showsProbes) warnOfModules(warn);
  const sum = { appended: 0, read: 0, unknown: 0, rejectedCount: 0, starts: 0 };
  const before = ledger.length;
  const progress = () => options.progress(ledger.length - before);
  let quickDeaths = 0;
  for (;;) {
    const begun = performance.now();
    const tracer = new RunningTracer(options.tracer);
    try {
      await recordWith(tracer, ledger, { ...options, progress }, sum);
    } catch (error) {
      if (!(error instanceof TracerError) || sum.starts === 0) throw error;
    } finally {
      await tracer.stop();
    }
    sum.appended = ledger.length - before;
    if (signal.aborted) return sum;
    const { reason } = await tracer.ended;
    quickDeaths = performance.now() - begun < QUICK_MS ? quickDeaths + 1 : 0;
    await ledger.noticeGap(`the tracer is gone: ${reason}`);
    if (quickDeaths >= MOST_QUICK_DEATHS) {
      throw new TracerError(`${name} died ${quickDeaths} times in a row: ${reason}`);
    }
    warn(`${name} is gone: ${reason}; starting it again`);
    const pause = Math.min(FIRST_PAUSE_MS * 2 ** quickDeaths, LONGEST_PAUSE_MS);
    await sleep(pause, undefined, { signal }).catch(() => {});
    sum.appended = ledger.length - before;
    if (signal.aborted) return sum;
  }
}

async function recordWith(
  tracer: RunningTracer,
  ledger: Ledger,
  { tracer: { format }, root, signal, progress }: RecordOptions & { progress: () => void },
  sum: { -readonly [Key in keyof RecordReport]: RecordReport[Key] },
): Promise<void> {
  const stop = () => void tracer.stop();
  signal.addEventListener('abort', stop);
  try {
    await tracer.attached(signal);
    if (signal.aborted) return;
    sum.starts++;
    await snapshotBeside(tracer, ledger, root);
    progress();
    const isThisHost = root === undefined;
    const report = await ledger.follow(tracer.lines, { format, progress, isThisHost });
    sum.read += report.read;
    sum.unknown += report.unknown;
    sum.rejectedCount += report.rejectedCount;
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

/** bpftrace never sees the functions of a module that is loaded after it has attached. */
function warnOfModules(warn: RecordOptions['warn']): void {
  const symbols = readFileSync('/proc/kallsyms', 'latin1');
  if (/ vfio_\w+/.test(symbols)) return;
  warn(
    'vfio is not loaded, and bpftrace does not see modules that are loaded later: modprobe vfio',
  );
}
