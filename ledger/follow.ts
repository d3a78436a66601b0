/**
 * Appends live evidence to a log while it arrives, and records gaps in the recording.
 *
 * @module
 */
import { randomBytes } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { objectGiven } from '../events/given.ts';
import { RequestError } from '../events/ledger-error.ts';
import { EvidenceError } from '../evidence/importer.ts';
import { instantOf } from '../events/iso-8601.ts';
import { LiveIdentities } from '../evidence/live-identities.ts';
import { bootMicros, LiveReader } from '../evidence/live.ts';
import type { ImportReport } from '../evidence/new-events.ts';
import type { LedgerEvent } from '../events/vocabulary.ts';
import type { ImportSettings } from './settings.ts';
import type { Appendable } from './appendable.ts';
import { collectOptions, recordBatch } from './import.ts';

/** Settings of `follow`. */
export interface FollowSettings extends Pick<ImportSettings, 'topology' | 'profile' | 'zone'> {
  /** Name of the importer, such as `bpftrace`. */
  readonly format: string;
  /** `evidence.source` of the events; by default the format. */
  readonly source?: string | undefined;
  /** Events wait at most this many milliseconds for an append; by default 250. */
  readonly flushMs?: number | undefined;
  /** When the traced host booted, ISO 8601; by default the boot of this host. */
  readonly booted?: string | undefined;
  /** Whether the traced host is this one, so that its processes are named as `/proc` shows them. */
  readonly isThisHost?: boolean | undefined;
  /** Id of the recording; by default a random one. */
  readonly session?: string | undefined;
  /** Called after each append with the numbers of appended events and of lines read. */
  readonly progress?:
    | ((so: { readonly appended: number; readonly read: number }) => void)
    | undefined;
}

const LINES = 'lines that arrive one by one (an async iterable)';
const FLUSH_MS = 250;
/** This many events are appended at once. */
const MOST_HELD = 4096;
/** Timers and signals run after this many lines that arrived without a pause. */
const LINES_AT_ONCE = 1024;

/**
 * Appends the events that lines show, while they arrive; resolves at the end of `lines`. Lines that
 * cannot be read are counted. On an error it appends what was read before, and rejects.
 */
export async function follow(
  log: Appendable,
  lines: AsyncIterable<string>,
  settings: FollowSettings,
): Promise<ImportReport> {
  objectGiven('follow', 'its settings as an object', settings);
  if (typeof objectGiven('follow', LINES, lines)[Symbol.asyncIterator] !== 'function') {
    throw new RequestError(`follow takes ${LINES}`);
  }
  const { format, source = format, flushMs = FLUSH_MS, progress, booted, ...given } = settings;
  const { session = randomId(), isThisHost = false } = settings;
  const options = collectOptions({ ...given, format, booted }, log);
  const zero = { ...options.zero, booted: options.zero.booted ?? bootMicros() };
  const identities = isThisHost ? new LiveIdentities(zero.booted) : null;
  const reader = new LiveReader(format, source, { ...options, zero, session, identities });
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
    // Does not wait for a source that is stuck.
    iterator.return?.()?.catch(() => {});
    await appender.close().catch(() => {});
    throw error;
  }
  await appender.close();
  const { read, unknown, rejected, rejectedCount } = reader;
  const { appended, taken } = appender;
  const counts = { unknown, passedOver: 0, seen: {}, rejected, rejectedCount, judgedAs: [] };
  return { read, appended, skipped: taken - appended, ...counts };
}

/** Appends `gap.noticed`: from here on, the owner of every group is unknown. */
export async function noticeGap(log: Appendable, reason: string): Promise<void> {
  const evidence = { source: 'recorder', line: null, certainty: 'observed' } as const;
  const time = instantOf(Date.now() * 1000);
  const data = { reason, group: null, evidence };
  await appendNow(log, [{ type: 'gap.noticed', id: randomId(), time, data }]);
}

/** Collects events for up to `flushMs`, and appends them together. */
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
  /** Rejects the wait for the next line when an append fails. */
  #waiting: ((error: unknown) => void) | null = null;

  constructor(log: Appendable, flushMs: number, told: (appended: number) => void) {
    this.#log = log;
    this.#flushMs = flushMs;
    this.#told = told;
  }

  /** Whether a flush is due. While lines arrive without a pause, the timer does not run. */
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
    // After a failed append, these events would follow a gap that is not recorded.
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
 * Appends events that happen now. If the clock is behind the last event of the log, they get the
 * time of that event.
 */
async function appendNow(log: Appendable, events: readonly LedgerEvent[]): Promise<number> {
  for (;;) {
    const last = log.lastTime;
    const isBefore = (time: string | null) => time !== null && last !== null && time < last;
    const late = events.map((event) => (isBefore(event.time) ? { ...event, time: last } : event));
    try {
      return await recordBatch(log, late);
    } catch (error) {
      // Another writer has appended an event with a later time.
      if (!(error instanceof EvidenceError)) throw error;
      await log.refresh();
    }
  }
}

function randomId(): string {
  return randomBytes(12).toString('hex');
}
