/**
 * Records a host for as long as it is wanted: a tracer, what there was before it, and what to do
 * when it dies.
 *
 * @module
 */
import { isDeepStrictEqual } from 'node:util';
import { setTimeout as sleep } from 'node:timers/promises';
import { instantOf } from '../evidence/instants.ts';
import type { HostReading, Ledger } from '../ledger.ts';
import { readingOf } from './snapshot.ts';
import { Tracer, TracerError, type Tracing } from './tracer.ts';

export interface RecorderOptions {
  readonly tracing: Tracing;
  /** Where the host is read; undefined for this one. */
  readonly root: string | undefined;
  /** Aborted when it is to end. */
  readonly signal: AbortSignal;
  /** Told how much has been recorded. */
  readonly progress: (events: number) => void;
  /** Told of what went wrong and was mended. */
  readonly warn: (message: string) => void;
}

export interface Recorded {
  readonly appended: number;
  /** Lines of tracers read. */
  readonly read: number;
  readonly unknown: number;
  readonly rejectedCount: number;
  /** How often a tracer was got to work: once, unless it died. */
  readonly starts: number;
}

/** A tracer that dies before has died quickly. */
const QUICK_MS = 10_000;
const MOST_QUICK_DEATHS = 5;
const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 30_000;
/** A host that changes with every reading is taken as it is. */
const MOST_READINGS = 5;

/**
 * Resolves when it has been told to end, and all has been appended. Rejects with `TracerError`
 * where there is no tracing at all, or none that lasts.
 */
export async function recordHost(ledger: Ledger, options: RecorderOptions): Promise<Recorded> {
  const { signal, warn } = options;
  const { name } = options.tracing;
  const sum = { appended: 0, read: 0, unknown: 0, rejectedCount: 0, starts: 0 };
  const before = ledger.length;
  const progress = () => options.progress(ledger.length - before);
  let quickDeaths = 0;
  for (;;) {
    const begun = performance.now();
    const tracer = new Tracer(options.tracing);
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
    warn(`${name} is gone: ${reason}; starting it anew`);
    const pause = Math.min(FIRST_PAUSE_MS * 2 ** quickDeaths, LONGEST_PAUSE_MS);
    await sleep(pause, undefined, { signal }).catch(() => {});
    sum.appended = ledger.length - before;
    if (signal.aborted) return sum;
  }
}

async function recordWith(
  tracer: Tracer,
  ledger: Ledger,
  { tracing: { format }, root, signal, progress }: RecorderOptions & { progress: () => void },
  sum: { -readonly [Key in keyof Recorded]: Recorded[Key] },
): Promise<void> {
  const stop = () => void tracer.stop();
  signal.addEventListener('abort', stop);
  try {
    await tracer.attached(signal);
    if (signal.aborted) return;
    sum.starts++;
    await snapshotBeside(tracer, ledger, root);
    progress();
    const report = await ledger.follow(tracer.lines, { format, progress });
    sum.read += report.read;
    sum.unknown += report.unknown;
    sum.rejectedCount += report.rejectedCount;
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

/** Appends how the host stands, and what a tracer shows from then on is to follow. */
export async function snapshotBeside(
  tracer: Tracer,
  ledger: Ledger,
  root: string | undefined,
): Promise<void> {
  const { reading, at } = await steadyReading(tracer, root);
  // A clock that was set back since does not make it older than the log.
  const last = ledger.event(ledger.head.position)?.time ?? null;
  await ledger.snapshot(reading, { time: last !== null && last > at ? last : at });
}

/**
 * Reads the host so that nothing falls between the reading and the trace: twice the same, and what
 * was traced before the second is in it.
 */
async function steadyReading(tracer: Tracer, root: string | undefined) {
  let last: HostReading | null = null;
  for (let count = 1; ; count++) {
    await tracer.passOver();
    const at = instantOf(Date.now() * 1000) ?? '';
    const reading = readingOf(root);
    if (count > MOST_READINGS || (last !== null && isSame(reading, last))) return { reading, at };
    last = reading;
  }
}

function isSame(one: HostReading, other: HostReading): boolean {
  const shown = ({ devices, nodes, processes }: HostReading) => ({ devices, nodes, processes });
  return isDeepStrictEqual(shown(one), shown(other));
}
