/**
 * The front door: a log, its timeline, and the questions that can be put to it.
 *
 * @module
 */
import type { Collected, Source, ImportReport } from './evidence/collect.ts';
export type { ImportReport } from './evidence/collect.ts';
import {
  type ImportSettings,
  profileNamed,
  RequestError,
  type SimulateSettings,
} from './host/settings.ts';
import { parseScenario, type Sequence } from './host/simulation.ts';
import { storeAt } from './log/address.ts';
import type { LedgerEvent } from './events/vocabulary.ts';
import { genesisOf } from './log/hash.ts';
import type { AppendResult, Examination, Head, RecordedEvent, Store } from './log/store.ts';
import { changesBetween, historyOf } from './projections/history.ts';
import { HostAtMoment } from './projections/moment.ts';
import { explainRefusal, latestRefusal, NoRefusalError } from './projections/refusals.ts';
import { replayBy } from './projections/replay.ts';
import { resolveSubject } from './projections/resolve.ts';
import { invariantNamed } from './projections/invariants.ts';
import type {
  Bisection,
  Diff,
  Difference,
  Interval,
  Replay,
  Verification,
  Who,
  Why,
} from './projections/shapes.ts';
import { keyOf, type Subject } from './projections/subjects.ts';
import { Timeline } from './projections/timeline.ts';
import { absence, Verifier, witnessFaults } from './projections/verification.ts';
import { bisectBy } from './projections/violations.ts';
import { positionOf, START, type When } from './projections/when.ts';
import {
  readEvidence,
  recordEvidence,
  recordSimulation,
  type RecordedAnswer,
} from './recording.ts';

export { profileFor, RequestError, topologyFrom } from './host/settings.ts';
export type { ImportSettings, SimulateSettings } from './host/settings.ts';
export { retainLog, type Retained } from './log/retention.ts';
export { sealLog, type Seal } from './log/seal.ts';
export {
  CorruptLogError,
  NotALogError,
  RevisionConflictError,
  StoreUnavailableError,
} from './log/store.ts';
export type { Examination, RecordedEvent } from './log/store.ts';
export type { SimulatedAnswer } from './host/simulation.ts';
export type {
  Bisection,
  Change,
  DeviceView,
  Diff,
  Difference,
  Fault,
  FileView,
  GroupView,
  Holder,
  Interval,
  Owner,
  Replay,
  Table,
  Verdict,
  Verification,
  Who,
  Why,
} from './projections/shapes.ts';
export type { When } from './projections/when.ts';
export { readEvidence, type RecordedAnswer } from './recording.ts';

/** The stream of a log that was not told whose it is. */
const HOST = 'host';

export interface OpenOptions {
  /** Which host's stream; the log's only one when left out. */
  readonly host?: string;
  /** Opens an existing log and changes nothing, not even by being there. */
  readonly readOnly?: boolean;
  /** Reads no further than this position. */
  readonly until?: number;
  /** Told now and then how many events have been read. */
  readonly progress?: (read: number) => void;
}

export interface LogSelection {
  readonly subject?: string | undefined;
  readonly from?: When | undefined;
  readonly to?: When | undefined;
  readonly refused?: boolean | undefined;
}

/**
 * Opens a log and reads it to its head. The address is a path, or `:memory:`.
 *
 * Rejects with `NotALogError`, `CorruptLogError`, `StoreUnavailableError`, `NewerSchemaError`, or
 * `RequestError` where the log holds several hosts and none is named.
 */
export async function openLedger(address: string, options: OpenOptions = {}): Promise<Ledger> {
  const store = storeAt(address, options.readOnly === true);
  try {
    const host = options.host ?? (await onlyStream(store));
    const ledger = new Ledger(store, host, options, await store.origin(host));
    await ledger.refresh();
    return ledger;
  } catch (error) {
    await store.close();
    throw error;
  }
}

async function onlyStream(store: Store): Promise<string> {
  const [only = HOST, ...others] = await store.streams();
  if (others.length === 0) return only;
  throw new RequestError(`the log holds several hosts, name one: ${[only, ...others].join(', ')}`);
}

/** A log that has been read, and what can be asked of it. Answers are plain data. */
export class Ledger {
  readonly host: string;
  readonly #store: Store;
  readonly #options: OpenOptions;
  readonly #origin: Head;
  readonly #timeline: Timeline<RecordedEvent>;
  readonly #ids = new Set<string>();

  /** `origin` is the head that the first event follows, where that is not the first of all. */
  constructor(
    store: Store,
    host: string,
    options: OpenOptions = {},
    origin: Head = { position: START, hash: genesisOf(host) },
  ) {
    this.#store = store;
    this.host = host;
    this.#origin = origin;
    this.#timeline = new Timeline(origin.position + 1);
    this.#options = options;
  }

  /** The position of the last event read, -1 while there is none, and its hash. */
  get head(): Head {
    const { position, hash } = this.events.at(-1) ?? this.#origin;
    return { position, hash };
  }

  /** The position of the first event that is here: 0, unless older volumes are not. */
  get first(): number {
    return this.#timeline.first;
  }

  /** The events that are here, ascending from `first`. */
  get events(): readonly RecordedEvent[] {
    return this.#timeline.events;
  }

  /** The ids of the events that are here. */
  get ids(): ReadonlySet<string> {
    return this.#ids;
  }

  /** The event at a position, where it is here. */
  event(position: number): RecordedEvent | undefined {
    return this.#timeline.events[position - this.first];
  }

  /** Reads what has been appended since. */
  async refresh(): Promise<void> {
    const { until = Infinity, progress } = this.#options;
    if (this.#timeline.head >= until) return;
    for await (const batch of this.#store.read(this.host, { from: this.#timeline.head + 1 })) {
      for (const event of batch) {
        this.#timeline.take(event);
        this.#ids.add(event.id);
        // What lies behind it may be damaged, and is none of our business.
        if (event.position === until) return;
      }
      progress?.(this.events.length);
    }
  }

  async close(): Promise<void> {
    await this.#store.close();
  }

  /** Imports evidence from a text. */
  async import(text: string, settings: ImportSettings = {}): Promise<ImportReport> {
    return this.importSources([{ name: 'text', chunks: [text] }], settings);
  }

  /**
   * Imports evidence from several sources, merged by time; all of it or nothing. What is in the log
   * already is passed over.
   *
   * Rejects with `EvidenceError`, whose message names source and line, or `RequestError`.
   */
  async importSources(
    sources: readonly Source[],
    settings: ImportSettings = {},
  ): Promise<ImportReport> {
    return this.record(await readEvidence(sources, settings));
  }

  /** Appends evidence that has been read; all of it or nothing. Rejects with `EvidenceError`. */
  async record(collected: Collected): Promise<ImportReport> {
    return recordEvidence(this, collected);
  }

  /** Appends events after those that this ledger has read; see `Store.append`. */
  async append(expected: number, events: readonly LedgerEvent[]): Promise<AppendResult> {
    return this.#store.append(this.host, expected, events);
  }

  /** Plays a scenario on the machines and records it; each operation is one append. */
  async simulate(scenario: string, settings: SimulateSettings): Promise<RecordedAnswer[]> {
    const answers: RecordedAnswer[] = [];
    const steps = this.simulateSteps(parseScenario(scenario), settings);
    for await (const answer of steps) answers.push(answer);
    return answers;
  }

  /** As `simulate`, of a scenario that has been read, giving each answer when it is durable. */
  simulateSteps(
    sequences: readonly Sequence[],
    settings: SimulateSettings,
  ): AsyncGenerator<RecordedAnswer> {
    return recordSimulation(this, sequences, settings);
  }

  /** The host at a moment. */
  at(when: When = 'end'): HostAtMoment {
    return new HostAtMoment(this.#timeline, this.#position(when));
  }

  /** The events themselves, ascending; `from` and `to` are both part of it. */
  log(selection: LogSelection = {}): RecordedEvent[] {
    const { subject, from = 'start', to = 'end', refused = false } = selection;
    const of = subject === undefined ? null : keyOf(this.#subject(subject, to));
    return this.#timeline
      .select(this.#position(from), this.#position(to), of)
      .filter(({ type }) => !refused || type === 'operation.refused');
  }

  /** Owner, holders and waiters of a subject. */
  who(subject: string, { at = 'end' }: { readonly at?: When } = {}): Who {
    return this.at(at).who(subject);
  }

  /** The intervals of a subject's ownership. */
  history(subject: string): Interval[] {
    return historyOf(this.#timeline, this.#subject(subject, 'end'));
  }

  /** Why the attempt at a position, or a subject's latest refusal, was refused. */
  why(attempt: number | string, { at = 'end' }: { readonly at?: When } = {}): Why {
    if (typeof attempt === 'number' || /^\d+$/.test(attempt)) {
      return explainRefusal(this.#timeline, this.#position(attempt));
    }
    const until = this.#position(at);
    const subject = this.#subject(String(attempt), at);
    const position = latestRefusal(this.#timeline, subject, until);
    if (position === null)
      throw new NoRefusalError(`nothing about ${attempt} was refused until then`);
    return explainRefusal(this.#timeline, position);
  }

  /** What changed hands after the first moment, up to the second. */
  diff(from: When, to: When): Diff {
    return changesBetween(this.#timeline, this.#position(from), this.#position(to));
  }

  /** The attempts that a profile judges otherwise than they went. Throws `RequestError`. */
  replay(by: { readonly profile: string }): readonly Difference[] {
    return this.replayed(by).differences;
  }

  /** As `replay`, with how many attempts were judged. */
  replayed({ profile }: { readonly profile: string }): Replay {
    return replayBy(profileNamed(profile), this.events, { isKnown: this.first === 0 });
  }

  /**
   * The first event after which an invariant does not hold, and the fewest events that still show
   * it; null where it holds throughout. Throws `UnknownInvariantError`.
   */
  bisect({ invariant }: { readonly invariant: string }): Bisection<RecordedEvent> | null {
    return bisectBy(this.#timeline, invariantNamed(invariant));
  }

  /** Checks what was read against the rules, and the head against a witness. */
  verify({ head }: { readonly head?: string } = {}): Verification {
    const verifier = new Verifier({ isKnown: this.first === 0 });
    for (const event of this.events) verifier.take(event);
    verifier.compare((group) => this.#timeline.intervalsOf(group));
    const hashAt = (at: number) =>
      at === this.#origin.position ? this.#origin.hash : this.event(at)?.hash;
    const missed = head === undefined ? [] : witnessFaults(head, this.first, hashAt);
    const absent = absence(this.events, this.#origin);
    const { position, hash } = this.head;
    return {
      events: this.events.length,
      head: `${position}:${hash}`,
      faults: [...absent.faults, ...verifier.faults, ...missed],
      ...(absent.notes.length > 0 && { notes: absent.notes }),
    };
  }

  /** Looks the log over as it lies there, the streams of other hosts as well. */
  async examine(): Promise<Examination> {
    return this.#store.examine();
  }

  #position(when: When): number {
    return positionOf(when, this.#timeline);
  }

  #subject(word: string, when: When): Subject {
    return resolveSubject(this.#timeline, word, this.#position(when));
  }
}
