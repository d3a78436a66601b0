/**
 * The public interface of the library: opens a log, appends to it, and answers questions about it.
 * What writes to a log is loaded when it is first called: with it come the readers of evidence.
 *
 * @module
 */
// `Symbol.asyncDispose`, for programs whose `lib` is older than it.
/// <reference lib="esnext.disposable" preserve="true" />
import '#supported-node';
import type { Collected } from './evidence/collected.ts';
import type { HostReading } from './evidence/reading/reading.ts';
import type { ImportReport } from './evidence/new-events.ts';
import type { SnapshotOptions } from './evidence/snapshot/snapshot.ts';
import type { Source } from './evidence/source.ts';
export type { Reading } from './evidence/collected.ts';
export { readHost } from './evidence/reading/host.ts';
import type { FollowSettings } from './ledger/follow.ts';
import type {
  ImportSettings,
  OpenOptions,
  SimulateSettings,
  VerifyOptions,
} from './ledger/settings.ts';
import { readEvidence } from './ledger/read-evidence.ts';
import { arrayGiven, optionsGiven, textGiven } from './events/given.ts';
import { INSPECT } from './events/inspect-symbol.ts';
import { LedgerError, RequestError } from './events/ledger-error.ts';
import type { Sequence } from './host/simulation.ts';
import type { LedgerEvent } from './events/vocabulary.ts';
export type { Call } from './events/vocabulary.ts';
import { genesisOf } from './log/hash.ts';
import type { AppendResult, Examination, Head, Store } from './log/store.ts';
import { RecordedPast } from './ledger/recorded-past.ts';
import type { Verification } from './projections/audit/faults.ts';
import { keptLog, type KeptLog } from './ledger/kept-log.ts';
import { forgetIndex, localLog } from './ledger/local-log.ts';
import { Timeline } from './projections/timeline.ts';
import { START } from './projections/when.ts';
import type { RecordedAnswer, RecordedStep } from './ledger/simulate.ts';
import type { SnapshotReport } from './ledger/snapshot.ts';
import { openStore } from './ledger/open-store.ts';
import { readLive, readOn } from './ledger/reading.ts';
import { verifyLog } from './ledger/verify.ts';
import { WhatIf } from './ledger/what-if.ts';
import { ledgerWords } from './words/inspect.ts';

export { LedgerError, RequestError, type ErrorCode } from './events/ledger-error.ts';
export { profileFor, topologyFrom } from './ledger/settings.ts';
export type {
  ImportSettings,
  OpenOptions,
  SimulateSettings,
  VerifyOptions,
} from './ledger/settings.ts';
export { retainLog, type Retained } from './log/retention.ts';
export { sealLog, type Seal } from './log/seal.ts';
export { hostsIn, type HostsInLog } from './ledger/hosts.ts';
export { shipLog, type Shipped, type ShippedHost, type ShipOptions } from './ledger/ship-log.ts';
export {
  CorruptLogError,
  ForeignContentError,
  NotALogError,
  RevisionConflictError,
  StoreUnavailableError,
  StreamDeletedError,
} from './log/store.ts';
export type { Examination, ForeignPart, RecordedEvent } from './log/store.ts';
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
export type { Attestation, AttestQuestion } from './projections/attest/attestation.ts';
export type { Fault, HostInLog, Verification } from './projections/audit/faults.ts';
export type { Coverage, Uncovered } from './projections/coverage.ts';
export type { Difference, Replay } from './projections/replay.ts';
export type { Lane, LaneStretch } from './projections/lanes/lanes.ts';
export type { LaneOwner, LaneState } from './projections/lanes/lane-look.ts';
export type { Mark, MarkKind } from './projections/lanes/marks.ts';
export type {
  Hand,
  Incarnation,
  Interval,
  PastClaim,
  Tenure,
} from './projections/interval-shapes.ts';
export type {
  AboutMoments,
  Bisection,
  Change,
  Claimant,
  CutEnd,
  DeviceWithClaims,
  GroupWithClaims,
  DeviceView,
  Diff,
  Exit,
  FileView,
  GroupView,
  Holder,
  Holding,
  LogEnd,
  Moment,
  Orphan,
  Overlap,
  Owner,
  Table,
  Wait,
  Who,
} from './projections/shapes.ts';
export type { Subject } from './projections/subjects.ts';
export type { When } from './projections/when.ts';
export type { Candidate, Why } from './projections/why/why.ts';
export type { WhyUnknown } from './projections/why-unknown.ts';
export type { MomentOfPast } from './ledger/moment-of-past.ts';
export type { AttestRange } from './ledger/recorded-past.ts';
export type { MachineStep, Step, Steps } from './ledger/steps.ts';
export { StaleViewError } from './projections/index/stale-view.ts';
export type { SimulatedAnswer } from './host/simulation.ts';
export { takenAt } from './ledger/given-times.ts';
export { readEvidence };
export type { FollowSettings, HostReading, ImportReport, RecordedAnswer, SnapshotReport };
export type { Attempted, SupposedEvent, WhatIf } from './ledger/what-if.ts';

/**
 * Opens a log and reads it to its head. The address is a path, `:memory:`, or that of a server
 * (`nats://…`, `esdb://…`, `kurrentdb://…`), of which a local replica is read.
 *
 * Rejects with `not-a-log`, `damaged`, `unavailable` or `newer-schema`; with `foreign` if it is not
 * opened `readOnly` and a file of it holds what no log has; with `unsupported` for other servers; and
 * with `bad-request` for a wrong option, or if the log has several hosts and `host` is not given.
 */
export async function openLedger(address: string, options: OpenOptions = {}): Promise<Ledger> {
  const { until = START } = optionsGiven('openLedger', options);
  if (!Number.isInteger(until) || until < START) {
    throw new RequestError(`until takes a position, or -1 for no event, not '${textGiven(until)}'`);
  }
  const { store, host } = await openStore(address, options);
  try {
    return await ledgerOf(store, host, options).catch(async (error: unknown) => {
      const without = error instanceof LedgerError ? null : forgetIndex(store, host, options);
      if (without === null) throw error;
      return ledgerOf(store, host, without);
    });
  } catch (error) {
    await store.close();
    throw error;
  }
}

async function ledgerOf(store: Store, host: string, options: OpenOptions): Promise<Ledger> {
  const ledger = new Ledger(store, host, options, await store.origin(host));
  await ledger.refresh();
  return ledger;
}

/** A log. It answers from the events up to `head`; `refresh` reads the events after that. */
export class Ledger extends RecordedPast {
  /** Name of the host, which is the name of its stream. */
  readonly host: string;
  readonly #store: Store;
  readonly #options: OpenOptions;
  readonly #origin: Head;

  /** `origin` is the head before the first event, if older events were removed. */
  constructor(
    store: Store,
    host: string,
    options: OpenOptions = {},
    origin: Head = { position: START, hash: genesisOf(host) },
  ) {
    const { clock } = options;
    super(new Timeline({ first: origin.position + 1, ...localLog(store, host, options) }), clock);
    this.#store = store;
    this.host = host;
    this.#origin = origin;
    this.#options = options;
  }

  override get head(): Head {
    const { position, hash } = this.event(this.timeline.head) ?? this.#origin;
    return { position, hash };
  }

  /** Those of the given event ids that are in the log. Rejects with `unavailable`. */
  async known(ids: readonly string[]): Promise<ReadonlySet<string>> {
    return this.#store.known(this.host, arrayGiven('known', 'an array of ids', ids));
  }

  /** Reads the events that were appended after `head`. Rejects with `damaged` or `unavailable`. */
  async refresh(): Promise<void> {
    await readOn(this.#reading);
  }

  /**
   * Reads events as they are appended, and yields their number each time: `head` is the last of them then.
   * Ends when `signal` aborts. Rejects with `damaged`, or `unavailable` if a server stays away for minutes.
   */
  async *tail(signal: AbortSignal): AsyncGenerator<number> {
    yield* readLive(this.#reading, signal);
  }

  /** Closes the log. Later questions, also to its forks, fail if they need the file. */
  async close(): Promise<void> {
    await this.#store.close();
  }

  /** Closes the log at the end of a block: `await using ledger = await openLedger(…)`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Imports evidence from a text, as `importSources`. */
  async import(text: string, settings: ImportSettings = {}): Promise<ImportReport> {
    if (typeof text !== 'string') throw new RequestError('import takes evidence as a string');
    return this.importSources([{ name: 'text', chunks: [text] }], settings);
  }

  /**
   * Imports evidence from several sources, merged by time; events that the log has are skipped. Rejects
   * with `bad-evidence`, whose message names source and line, or `bad-request`: nothing was appended then.
   */
  async importSources(
    sources: readonly Source[],
    settings: ImportSettings = {},
  ): Promise<ImportReport> {
    return this.record(await readEvidence(sources, { clock: this.clock, ...settings }, this));
  }

  /** Appends evidence that `readEvidence` has read. Rejects with `bad-evidence`. */
  async record(collected: Collected): Promise<ImportReport> {
    const { recordEvidence } = await import('./ledger/import.ts');
    return recordEvidence(this, collected);
  }

  /**
   * Appends the events that lines show, while they arrive, at most `flushMs` later; resolves at the
   * end of `lines`. It continues from the host as the log knows it. Rejects with `bad-request`.
   */
  async follow(lines: AsyncIterable<string>, settings: FollowSettings): Promise<ImportReport> {
    const { follow } = await import('./ledger/follow.ts');
    return follow(this, lines, settings);
  }

  /** Appends `gap.noticed` with a reason: from here on, the owner of every group is unknown. */
  async noticeGap(reason: string): Promise<void> {
    const { noticeGap } = await import('./ledger/follow.ts');
    return noticeGap(this, reason);
  }

  /**
   * Appends the differences between a reading of a running host and this log, and `snapshot.taken`.
   * Rejects with `bad-request` for a log of a simulation, or `bad-evidence` for an old reading.
   */
  async snapshot(reading: HostReading, options: SnapshotOptions): Promise<SnapshotReport> {
    const { recordSnapshot } = await import('./ledger/snapshot.ts');
    return recordSnapshot(this, reading, options);
  }

  /**
   * Appends events, all or none, and resolves when they are durable. Events whose id is in the log
   * are skipped. Rejects with `conflict` if `expected` is not the position of the log's last event,
   * with `bad-request` for an invalid event, and with `unavailable`.
   */
  async append(expected: number, events: readonly LedgerEvent[]): Promise<AppendResult> {
    return this.#store.append(this.host, expected, arrayGiven('append', 'events', events));
  }

  /**
   * Plays a scenario on the machines, and records it; each operation is one append. Rejects with
   * `bad-request`, also for a log of a real host.
   */
  async simulate(scenario: string, settings: SimulateSettings): Promise<RecordedAnswer[]> {
    const { recordScenario } = await import('./ledger/simulate.ts');
    return recordScenario(this, scenario, settings);
  }

  /** As `simulate`, for a parsed scenario; yields each step when its events are durable. */
  async *simulateSteps(
    sequences: readonly Sequence[],
    settings: SimulateSettings,
  ): AsyncGenerator<RecordedStep> {
    const { recordSimulation } = await import('./ledger/simulate.ts');
    yield* recordSimulation(this, sequences, settings);
  }

  /**
   * Compares the events with the rules, the machines with XState, the index with the events, and the
   * log with heads that were kept. Of the index, what differs is replaced. Throws `bad-request` for
   * a wrong `head`, `damaged` at a damaged event.
   */
  verify(options: VerifyOptions = {}): Verification {
    const { timeline, host, head, cutEnd } = this;
    const log = { timeline, host, head, cutEnd, origin: this.#origin, local: this.#store.local };
    return { ...verifyLog(log, options), coverage: this.coverage() };
  }

  get #reading() {
    return { ...this.#options, store: this.#store, host: this.host, timeline: this.timeline };
  }

  protected override get isDerived(): boolean {
    return this.#options.derived !== false;
  }

  protected override forkAt(position: number): WhatIf {
    return new WhatIf(this.timeline, position, this.clock, () => this.keep());
  }

  /** @internal */
  override keep(): KeptLog {
    return keptLog(this.#store, this.host, this.timeline);
  }

  /** @internal */
  [INSPECT](): string {
    return ledgerWords(this, this.#store.path);
  }

  /** Checks the bytes of the log's files, including the streams of other hosts, and what is foreign. */
  async examine(): Promise<Examination> {
    return this.#store.examine();
  }
}
