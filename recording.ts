/**
 * What goes into a log: evidence and simulations, each after what is there already, and again after
 * what is there then where another writer was first.
 *
 * @module
 */
import { collect, type Collected, type CollectOptions } from './evidence/collect.ts';
import { microsOf } from './evidence/instants.ts';
import type { HostBefore } from './evidence/importer.ts';
import type { HostReading } from './evidence/reading/reading.ts';
import { sequel, type ImportReport } from './evidence/sequel.ts';
import type { Source } from './evidence/source.ts';
import { eventsOf, factsOf, type SnapshotOptions } from './evidence/snapshot/snapshot.ts';
import type { Told } from './evidence/witness/inferences.ts';
import { RequestError } from './events/ledger-error.ts';
import type { EventType, LedgerEvent } from './events/vocabulary.ts';
import {
  type ImportSettings,
  profileFor,
  profileNamed,
  type SimulateSettings,
  topologyFrom,
} from './host/settings.ts';
import {
  simulate,
  startAfter,
  turns,
  type Sequence,
  type SimulatedAnswer,
} from './host/simulation.ts';
import { sha256 } from './log/hash.ts';
import { type AppendResult, type RecordedEvent, RevisionConflictError } from './log/store.ts';
import type { SupposedHost } from './machines/host-at.ts';
import { LiveHost } from './machines/live-host.ts';
import { hasIommufd, newestKernel, profileOfKernel } from './machines/profile.ts';

/** A log that has been read, to append to. */
export interface Appendable {
  readonly host: string;
  readonly head: { readonly position: number; readonly hash: string };
  append(expected: number, events: readonly LedgerEvent[]): Promise<AppendResult>;
  /** Reads what has been appended since. */
  refresh(): Promise<void>;
  event(position: number): RecordedEvent | undefined;
  /** All events, or those of a type. */
  each(type?: EventType): Iterable<RecordedEvent>;
  /** Which of some ids are in the log already. */
  known(ids: readonly string[]): Promise<ReadonlySet<string>>;
  /** A host of its own as it stood after a position, to suppose things of. */
  suppose(position: number): SupposedHost;
}

/** An answer with the position of its own event, or of the last one before where it has none. */
export type RecordedAnswer = SimulatedAnswer & { readonly position: number };

/**
 * Reads evidence to its end, before any log is touched; `log` is what it is to be added to.
 *
 * Rejects with `EvidenceError`, whose message names source and line or
 * `RequestError`.
 */
export async function readEvidence(
  sources: readonly Source[],
  settings: ImportSettings = {},
  log: Appendable | null = null,
): Promise<Collected> {
  return collect(sources, collectOptions(settings, log));
}

/** Settings as importers take them. Throws `RequestError`. */
export function collectOptions(
  { format, topology, profile, strict, progress, booted, day, zone }: ImportSettings,
  log: Appendable | null,
): CollectOptions {
  return {
    format: format ?? null,
    isStrict: strict === true,
    topology: topology === undefined ? null : topologyFrom(topology),
    profile: profile === undefined ? null : profileNamed(profile),
    usualProfile: newestKernel,
    zero: {
      booted: booted === undefined ? null : instant(booted, '--booted'),
      day: day === undefined ? null : instant(`${day}T00:00:00Z`, '--day'),
      zone: zone === undefined ? null : zoneMicros(zone),
    },
    before: (begun) => (log === null ? null : hostBefore(log, begun)),
    // Every boot has rules to be judged by, or the evidence is not taken.
    admit: (event) => {
      if (event.type === 'host.booted') profileFor(event.data.profile ?? undefined, event.data);
    },
    ...(progress && { progress }),
  };
}

function instant(text: string, option: string): number {
  const micros = microsOf(text);
  if (micros === null) throw new RequestError(`${option}: '${text}' is no instant`);
  return micros;
}

/** A zone such as +01:00, in microseconds. */
function zoneMicros(text: string): number {
  const [, sign, hours, minutes] = /^([+-])(\d\d):?(\d\d)$/.exec(text) ?? [];
  if (sign === undefined) throw new RequestError(`--zone takes one such as +01:00, not '${text}'`);
  const ahead = (Number(hours) * 60 + Number(minutes)) * 60e6;
  return sign === '-' ? -ahead : ahead;
}

/** How the host stood before evidence: as it stood then where that is in the log already. */
function hostBefore(log: Appendable, begun: string): HostBefore | null {
  for (const event of log.each('evidence.begun')) {
    if (event.type !== 'evidence.begun' || event.id !== begun) continue;
    const { after } = event.data;
    return { after, host: after === null ? hostAsTold(log) : log.suppose(after) };
  }
  const { position } = log.head;
  return hasBooted(log) ? { after: position, host: log.suppose(position) } : null;
}

/** What was taken for granted of a host of which nothing was known. */
function hostAsTold(log: Appendable): SupposedHost {
  const host = new LiveHost();
  for (const event of log.each('device.added')) {
    if (event.type !== 'device.added') continue;
    if (event.data.evidence?.rule === 'as-the-topology-says') host.suppose(event, 'assumed');
  }
  return host;
}

function hasBooted(log: Appendable): boolean {
  for (const _ of log.each('host.booted')) return true;
  return false;
}

/**
 * Appends evidence in as few appends as fit into memory, mostly one. What it takes for granted of the
 * host is passed over where the log knows better.
 *
 * Rejects with `EvidenceError` where it is older than the log.
 */
export async function recordEvidence(log: Appendable, collected: Collected): Promise<ImportReport> {
  const { events, ...counts } = collected;
  let appended = 0;
  let before = hasBooted(log) ? [] : events.preamble;
  for await (const batch of events.batches()) {
    appended += await recordBatch(log, before.length === 0 ? batch : [...before, ...batch]);
    before = [];
  }
  return { appended, skipped: events.length - appended, ...counts };
}

/** Appends events after what is there already. Resolves to how many of them were new. */
export async function recordBatch(
  log: Appendable,
  events: readonly LedgerEvent[],
): Promise<number> {
  for (;;) {
    const last = log.event(log.head.position)?.time ?? null;
    const ids = await log.known(events.map(({ id }) => id));
    const fresh = sequel(events, { host: log.host, ids, last });
    try {
      const { appended } = await log.append(log.head.position, fresh);
      await log.refresh();
      return appended;
    } catch (error) {
      if (!(error instanceof RevisionConflictError)) throw error;
      await log.refresh();
    }
  }
}

/** What a reading of a running host added to a log. */
export interface SnapshotReport {
  /** The last event that there is of it. */
  readonly at: { readonly position: number; readonly time: string | null };
  /** How many of the events are new. */
  readonly appended: number;
  /** The events but the last, which says that the host was read. */
  readonly changed: readonly RecordedEvent[];
  /** What could not be seen, in words. */
  readonly unseen: readonly string[];
  /** Whether nothing was out of sight: then who is not seen to have anything has nothing. */
  readonly complete: boolean;
}

/**
 * Appends in what a host that was read is otherwise than the log knows it, and that it was read.
 *
 * Rejects with `RequestError` where the log is of a simulation, and with `EvidenceError` where the
 * reading is older than the log.
 */
export async function recordSnapshot(
  log: Appendable,
  reading: HostReading,
  options: SnapshotOptions,
): Promise<SnapshotReport> {
  instant(options.time, 'the time of the reading');
  for (;;) {
    if ([...log.each('host.booted')].some(isSimulated)) {
      throw new RequestError('the log holds a simulation: a real host takes one of its own');
    }
    const { position } = log.head;
    const last = log.event(position)?.time ?? null;
    const profile = profileBeside(reading);
    const told = factsOf(reading, log.suppose(position), { last, profile });
    const events = eventsOf(told, reading, options);
    const ids = await log.known(events.map(({ id }) => id));
    const fresh = sequel(events, { host: log.host, ids, last });
    try {
      const { appended, head } = await log.append(position, fresh);
      await log.refresh();
      return reportOf(log, { first: position + 1, end: head.position, appended }, told);
    } catch (error) {
      if (!(error instanceof RevisionConflictError)) throw error;
      await log.refresh();
    }
  }
}

function reportOf(
  log: Appendable,
  { first, end, appended }: { first: number; end: number; appended: number },
  told: readonly Told[],
): SnapshotReport {
  const length = Math.max(end - first, 0);
  const changed = Array.from({ length }, (_, index) => log.event(first + index)!);
  const taken = told.at(-1)?.fact;
  const { unseen, complete } =
    taken?.type === 'snapshot.taken' ? taken.data : { unseen: [], complete: false };
  const at = { position: end, time: log.event(end)?.time ?? null };
  return { at, appended, changed, unseen, complete };
}

/** Whose rules judge a host whose kernel's rules are not known, or have no iommufd and it has one. */
function profileBeside({ kernel, iommufd }: HostReading): string | null {
  const profile = profileOfKernel(kernel ?? '');
  if (profile === null) return newestKernel;
  return iommufd && !hasIommufd(profile, true) ? 'linux-6.12' : null;
}

/**
 * Plays sequences and records them, giving each answer when it is durable. Each operation is one
 * append; those of a sequence of up to `STEPS_AT_ONCE` are committed together, so that nobody writes
 * in the middle of it. A sequence before which another has written is played anew after that.
 *
 * Rejects with `RevisionConflictError` where another has written in the middle of a longer one.
 */
export async function* recordSimulation(
  log: Appendable,
  sequences: readonly Sequence[],
  settings: SimulateSettings,
): AsyncGenerator<RecordedAnswer> {
  const topology = topologyFrom(settings.topology);
  const profile = profileFor(settings.profile, topology);
  for (let done = 0; done < sequences.length;) {
    checkSimulated(log.each('host.booted'));
    let { position } = log.head;
    const rest = sequences.slice(done);
    const steps = simulate(rest, topology, profile, {
      seed: log.head.hash,
      digest: sha256,
      start: startAfter(log.each()),
    });
    try {
      for (const { steps: turn, begun, isWhole } of turns(steps, STEPS_AT_ONCE)) {
        const appends: Promise<void>[] = [];
        const answers: RecordedAnswer[] = [];
        for (const { answer, events } of turn) {
          if (events.length > 0) appends.push(appendNew(log, position, events));
          position += events.length;
          if (answer !== null) answers.push({ ...answer, position });
        }
        await committed(appends, isWhole);
        done += begun;
        yield* answers;
      }
    } catch (error) {
      if (!(error instanceof OvertakenError)) throw error;
    }
    await log.refresh();
  }
}

/** How many operations wait for the disk together. */
const STEPS_AT_ONCE = 4096;

/** Another has written before sequences of which nothing is recorded yet. */
class OvertakenError extends Error {}

async function committed(appends: readonly Promise<void>[], isWhole: boolean): Promise<void> {
  try {
    await Promise.all(appends);
  } catch (error) {
    throw isWhole && error instanceof RevisionConflictError ? new OvertakenError() : error;
  }
}

/** Appends events that nobody can have appended before: a simulation is no evidence to repeat. */
async function appendNew(
  log: Appendable,
  expected: number,
  events: readonly LedgerEvent[],
): Promise<void> {
  const { appended, head } = await log.append(expected, events);
  if (appended < events.length) {
    throw new RevisionConflictError(log.host, expected, head.position);
  }
}

function isSimulated(event: RecordedEvent): boolean {
  return event.type === 'host.booted' && event.data.simulated;
}

function checkSimulated(boots: Iterable<RecordedEvent>): void {
  if ([...boots].every(isSimulated)) return;
  throw new RequestError(
    'the log holds evidence of a real host: a simulation takes one of its own',
  );
}
