/**
 * Evidence that goes into a log as it comes, and what is said of the recording itself.
 *
 * @module
 */
import { randomBytes } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { EvidenceError } from '../evidence/importer.ts';
import { instantOf } from '../evidence/instants.ts';
import { bootMicros, LiveReader } from '../evidence/live.ts';
import type { ImportReport } from '../evidence/sequel.ts';
import type { LedgerEvent } from '../events/vocabulary.ts';
import type { ImportSettings } from './settings.ts';
import type { Appendable } from './appendable.ts';
import { collectOptions, recordBatch } from './import.ts';

export interface FollowSettings extends Pick<ImportSettings, 'topology' | 'profile' | 'zone'> {
  readonly format: string;
  /** What events say they were read from; the format when left out. */
  readonly source?: string | undefined;
  /** What has arrived is appended at least so often; 250 when left out. */
  readonly flushMs?: number | undefined;
  /** When the host of the trace booted, in ISO 8601; as this host did when left out. */
  readonly booted?: string | undefined;
  /** Which recording it is; one of its own when left out. */
  readonly session?: string | undefined;
  /** Told after each append how many events and lines there were. */
  readonly progress?:
    | ((so: { readonly appended: number; readonly read: number }) => void)
    | undefined;
}

const FLUSH_MS = 250;
/** So many events are not waited with. */
const MOST_HELD = 4096;
/** Timers and signals get their turn after so many lines that were there already. */
const LINES_AT_ONCE = 1024;

/**
 * Appends what lines show, while they come; resolves when they are over. Lines that cannot be read
 * are counted. What goes wrong ends it, after all that was read before has been appended.
 */
export async function follow(
  log: Appendable,
  lines: AsyncIterable<string>,
  settings: FollowSettings,
): Promise<ImportReport> {
  const { format, source = format, flushMs = FLUSH_MS, progress, booted, ...given } = settings;
  const { session = randomId() } = settings;
  const options = collectOptions({ ...given, format, booted }, log);
  const zero = { ...options.zero, booted: options.zero.booted ?? bootMicros() };
  const reader = new LiveReader(format, source, { ...options, zero, session });
  const appender = new Appender(log, flushMs, (appended) =>
    progress?.({ appended, read: reader.read }),
  );
  const iterator = lines[Symbol.asyncIterator]();
  try {
    for (;;) {
      const { done, value } = await appender.unlessFailed(iterator.next());
      if (done === true) break;
      appender.add(reader.line(value));
      if (appender.isDue) await appender.flush();
      if (reader.read % LINES_AT_ONCE === 0) await setImmediate();
    }
    appender.add(reader.end());
  } catch (error) {
    // Nobody waits for what a source that is stuck may still have to say.
    iterator.return?.()?.catch(() => {});
    await appender.close().catch(() => {});
    throw error;
  }
  await appender.close();
  const { read, unknown, rejected, rejectedCount } = reader;
  const { appended, taken } = appender;
  return { read, appended, skipped: taken - appended, unknown, rejected, rejectedCount };
}

/** Says that from here on nothing is known of any group, and why. */
export async function noticeGap(log: Appendable, reason: string): Promise<void> {
  const evidence = { source: 'recorder', line: null, certainty: 'observed' } as const;
  const time = instantOf(Date.now() * 1000);
  const data = { reason, group: null, evidence };
  await appendNow(log, [{ type: 'gap.noticed', id: randomId(), time, data }]);
}

/** Events on their way into a log: they wait a little, so that many go together. */
class Appender {
  appended = 0;
  taken = 0;
  readonly #log: Appendable;
  readonly #flushMs: number;
  readonly #told: (appended: number) => void;
  #held: LedgerEvent[] = [];
  #since = 0;
  #timer: NodeJS.Timeout | null = null;
  #appending: Promise<void> = Promise.resolve();
  #failure: { readonly error: unknown } | null = null;
  /** Whoever waits for the next line hears of a failure at once. */
  #waiting: ((error: unknown) => void) | null = null;

  constructor(log: Appendable, flushMs: number, told: (appended: number) => void) {
    this.#log = log;
    this.#flushMs = flushMs;
    this.#told = told;
  }

  /** Where lines come without a pause no timer has its turn. */
  get isDue(): boolean {
    if (this.#held.length === 0) return false;
    return this.#held.length >= MOST_HELD || performance.now() - this.#since >= this.#flushMs;
  }

  add(events: readonly LedgerEvent[]): void {
    if (events.length === 0) return;
    if (this.#held.length === 0) {
      this.#since = performance.now();
      this.#timer = setTimeout(() => void this.flush().catch(() => {}), this.#flushMs);
    }
    for (const event of events) this.#held.push(event);
  }

  async flush(): Promise<void> {
    clearTimeout(this.#timer ?? undefined);
    const events = this.#held;
    this.#held = [];
    if (events.length > 0) this.#appending = this.#appending.then(async () => this.#append(events));
    await this.#appending;
    if (this.#failure !== null) throw this.#failure.error;
  }

  async close(): Promise<void> {
    await this.flush();
  }

  unlessFailed<T>(next: Promise<T>): Promise<T> {
    if (this.#failure !== null) return Promise.reject(this.#failure.error as Error);
    return new Promise((resolve, reject) => {
      this.#waiting = reject;
      next.then(resolve, reject);
    });
  }

  async #append(events: readonly LedgerEvent[]): Promise<void> {
    // After a failure there would be a hole before them that nobody has noticed.
    if (this.#failure !== null) return;
    try {
      this.appended += await appendNow(this.#log, events);
      this.taken += events.length;
      this.#told(this.appended);
    } catch (error) {
      this.#failure = { error };
      this.#waiting?.(error);
    }
  }
}

/**
 * Appends events that happen now: a clock that is a little behind the last event does not make them
 * older than that.
 */
async function appendNow(log: Appendable, events: readonly LedgerEvent[]): Promise<number> {
  for (;;) {
    const last = log.event(log.head.position)?.time ?? null;
    const isBefore = (time: string | null) => time !== null && last !== null && time < last;
    const late = events.map((event) => (isBefore(event.time) ? { ...event, time: last } : event));
    try {
      return await recordBatch(log, late);
    } catch (error) {
      // Another has written meanwhile, of a later time.
      if (!(error instanceof EvidenceError)) throw error;
      await log.refresh();
    }
  }
}

function randomId(): string {
  return randomBytes(12).toString('hex');
}
