/**
 * The front door: a log, its timeline, and the questions that can be put to it.
 *
 * @module
 */
// `Symbol.asyncDispose`, for programs whose `lib` is older than it.
/// <reference lib="esnext.disposable" preserve="true" />
import '#supported-node';
import type { Collected } from './evidence/collect.ts';
import type { HostReading } from './evidence/reading/reading.ts';
import type { ImportReport } from './evidence/sequel.ts';
import type { SnapshotOptions } from './evidence/snapshot/snapshot.ts';
import type { Source } from './evidence/source.ts';
export type { Reading } from './evidence/collect.ts';
export { readHost } from './evidence/reading/host.ts';
export type { HostReading } from './evidence/reading/reading.ts';
export type { ImportReport } from './evidence/sequel.ts';
import type { ImportSettings, SimulateSettings } from './ledger/settings.ts';
import { RequestError } from './events/ledger-error.ts';
import { parseScenario, type Sequence } from './host/simulation.ts';
import { storeAt } from './log/address.ts';
import type { LedgerEvent } from './events/vocabulary.ts';
export type { Call } from './events/vocabulary.ts';
import { genesisOf } from './log/hash.ts';
import type { AppendResult, Examination, Head, Store } from './log/store.ts';
import type { SupposedHost } from './machines/host-at.ts';
import { LiveHost } from './machines/live-host.ts';
import { Past } from './ledger/questions.ts';
import { intervalsOfGroups } from './projections/history.ts';
import type { Verification } from './projections/shapes.ts';
import { follow, noticeGap, type FollowSettings } from './ledger/follow.ts';
import { near } from './ledger/local-log.ts';
import { Timeline } from './projections/timeline.ts';
import { absenceOf, Verifier, witnessFindings } from './projections/audit/verification.ts';
import { START } from './projections/when.ts';
import { readEvidence, recordEvidence } from './ledger/import.ts';
import { recordSimulation, type RecordedAnswer } from './ledger/simulate.ts';
import { recordSnapshot, type SnapshotReport } from './ledger/snapshot.ts';
import { WhatIf } from './ledger/what-if.ts';
import { verificationWords } from './words/faults.ts';

export { LedgerError, RequestError, type ErrorCode } from './events/ledger-error.ts';
export { profileFor, topologyFrom } from './ledger/settings.ts';
export type { ImportSettings, SimulateSettings } from './ledger/settings.ts';
export { retainLog, type Retained } from './log/retention.ts';
export { sealLog, type Seal } from './log/seal.ts';
export {
  CorruptLogError,
  NotALogError,
  RevisionConflictError,
  StoreUnavailableError,
} from './log/store.ts';
export type { Examination, RecordedEvent } from './log/store.ts';
export type { DeviceAt, FileAt, GroupAt, HostAt, ProcessAt } from './machines/host-at.ts';
export type { Verdict } from './machines/other-profile.ts';
export type {
  Activity,
  BoundFile,
  HeldFile,
  Leak,
  OpenedFile,
  OwnedGroup,
  RefusedCall,
} from './projections/activity.ts';
export { StaleViewError } from './projections/index/view.ts';
export type { SimulatedAnswer } from './host/simulation.ts';
export type {
  Bisection,
  Change,
  Claimant,
  DeviceView,
  Diff,
  Difference,
  Fault,
  FileView,
  GroupView,
  Hand,
  Holder,
  Holding,
  Incarnation,
  Interval,
  Moment,
  Orphan,
  Overlap,
  Owner,
  Replay,
  Table,
  Tenure,
  Verification,
  Wait,
  Who,
  Why,
} from './projections/shapes.ts';
export type { When } from './projections/when.ts';
export type { WhyUnknown } from './projections/why-unknown.ts';
export type { FollowSettings } from './ledger/follow.ts';
export { readEvidence } from './ledger/import.ts';
export type { RecordedAnswer } from './ledger/simulate.ts';
export type { SnapshotReport } from './ledger/snapshot.ts';
export type { Attempted, SupposedEvent, WhatIf } from './ledger/what-if.ts';

/** The stream of a log that was not told whose it is. */
const HOST = 'host';

export interface OpenOptions {
  /** Which host's stream; the log's only one when left out. */
  readonly host?: string;
  /**
   * Opens an existing log and changes nothing of it, not even by being there. With `derived: false`
   * nothing is put beside it either.
   */
  readonly readOnly?: boolean;
  /** False where the log must exist: then none is created. */
  readonly create?: boolean;
  /** Reads no further than this position. */
  readonly until?: number;
  /** False has nothing of what is derived of the log be read or kept beside it. */
  readonly derived?: boolean;
  /** Told now and then how many events have been read. */
  readonly progress?: (read: number) => void;
}

/**
 * Opens a log and reads it to its head. The address is a path, or `:memory:`.
 *
 * Rejects with `not-a-log`, `damaged`, `unavailable`, `newer-schema`, `unsupported` where the address
 * names an engine, or `bad-request` where the log holds several hosts and none is named.
 */
export async function openLedger(address: string, options: OpenOptions = {}): Promise<Ledger> {
  const { readOnly = false, create = true, until = START } = options;
  if (!Number.isInteger(until) || until < START) {
    throw new RequestError(`'until' is a position, not '${until}'`);
  }
  const store = storeAt(address, { readOnly, create });
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

/** A log that has been read, and can be read on and appended to. */
export class Ledger extends Past {
  readonly host: string;
  readonly #store: Store;
  readonly #options: OpenOptions;
  readonly #origin: Head;

  /** `origin` is the head that the first event follows, where that is not the first of all. */
  constructor(
    store: Store,
    host: string,
    options: OpenOptions = {},
    origin: Head = { position: START, hash: genesisOf(host) },
  ) {
    super(new Timeline({ first: origin.position + 1, ...near(store, host, options) }));
    this.#store = store;
    this.host = host;
    this.#origin = origin;
    this.#options = options;
  }

  /** The position of the last event read, -1 while there is none, and its hash. */
  get head(): Head {
    const { position, hash } = this.event(this.timeline.head) ?? this.#origin;
    return { position, hash };
  }

  /** Which of some ids are in the log already. */
  async known(ids: readonly string[]): Promise<ReadonlySet<string>> {
    return this.#store.known(this.host, ids);
  }

  /** Reads what has been appended since. */
  async refresh(): Promise<void> {
    const { until = Infinity, progress } = this.#options;
    if (this.timeline.head >= until) return;
    for await (const batch of this.#store.read(this.host, { from: this.timeline.head + 1 })) {
      for (const event of batch) {
        this.timeline.take(event);
        // What lies behind it may be damaged, and is none of our business.
        if (event.position === until) return;
      }
      progress?.(this.length);
    }
    this.timeline.settle();
  }

  /** Ends it. Questions that have to read an event again are answered no more, its forks' neither. */
  async close(): Promise<void> {
    await this.#store.close();
  }

  /** Closes it at the end of a block: `await using ledger = await openLedger(…)`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Imports evidence from a text. */
  async import(text: string, settings: ImportSettings = {}): Promise<ImportReport> {
    if (typeof text !== 'string') throw new RequestError('import takes evidence as a string');
    return this.importSources([{ name: 'text', chunks: [text] }], settings);
  }

  /**
   * Imports evidence from several sources, merged by time; all of it or nothing. What is in the log
   * already is passed over.
   *
   * Rejects with `bad-evidence`, whose message names source and line, or `bad-request`.
   */
  async importSources(
    sources: readonly Source[],
    settings: ImportSettings = {},
  ): Promise<ImportReport> {
    return this.record(await readEvidence(sources, settings, this));
  }

  /** Appends evidence that has been read; all of it or nothing. Rejects with `bad-evidence`. */
  async record(collected: Collected): Promise<ImportReport> {
    return recordEvidence(this, collected);
  }

  /**
   * Appends what lines show while they come, a quarter of a second later at most; resolves when they
   * are over. It goes on from how the log says that the host stands.
   */
  async follow(lines: AsyncIterable<string>, settings: FollowSettings): Promise<ImportReport> {
    return follow(this, lines, settings);
  }

  /** Says that from here on nothing is known of any group, and why. */
  async noticeGap(reason: string): Promise<void> {
    return noticeGap(this, reason);
  }

  /**
   * Appends what a running host, as it was read, is otherwise than this log knows it; see
   * `recordSnapshot`.
   */
  async snapshot(reading: HostReading, options: SnapshotOptions): Promise<SnapshotReport> {
    return recordSnapshot(this, reading, options);
  }

  /** A host of its own as it stood after a position, to suppose things of: they reach no log. */
  suppose(position: number): SupposedHost {
    this.checkPosition(position);
    return position < 0 ? new LiveHost() : this.timeline.playedAt(position);
  }

  /** Appends events after those that this ledger has read; see `Store.append`. */
  async append(expected: number, events: readonly LedgerEvent[]): Promise<AppendResult> {
    return this.#store.append(this.host, expected, events);
  }

  /** Plays a scenario on the machines and records it; each operation is one append. */
  async simulate(scenario: string, settings: SimulateSettings): Promise<RecordedAnswer[]> {
    if (typeof scenario !== 'string')
      throw new RequestError('simulate takes a scenario as a string');
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

  /** Checks what was read against the rules, and the head against a witness. */
  verify({ head }: { readonly head?: string } = {}): Verification {
    const verifier = new Verifier({ isKnown: this.first === 0 });
    for (const event of this.each()) verifier.take(event);
    const intervals = intervalsOfGroups(this.timeline);
    verifier.compare((group) => intervals.get(group) ?? []);
    const hashAt = (at: number) =>
      at === this.#origin.position ? this.#origin.hash : this.event(at)?.hash;
    const missed = head === undefined ? [] : witnessFindings(head, this.first, hashAt);
    const gone = [...this.each('history.archived'), ...this.each('history.removed')];
    const absence = absenceOf(
      gone.toSorted((a, b) => a.position - b.position),
      this.#origin,
    );
    const { position, hash } = this.head;
    return {
      events: this.length,
      head: `${position}:${hash}`,
      ...verificationWords([...verifier.findings, ...missed], absence),
    };
  }

  protected override forkAt(position: number): WhatIf {
    return new WhatIf(this.timeline, position);
  }

  /** Looks the log over as it lies there, the streams of other hosts as well. */
  async examine(): Promise<Examination> {
    return this.#store.examine();
  }
}
