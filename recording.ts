/**
 * What goes into a log: evidence and simulations, each after what is there already, and again after
 * what is there then where another writer was first.
 *
 * @module
 */
import {
  collect,
  sequel,
  type Collected,
  type ImportReport,
  type Source,
} from './evidence/collect.ts';
import type { EventType, LedgerEvent } from './events/vocabulary.ts';
import {
  type ImportSettings,
  profileFor,
  profileNamed,
  RequestError,
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
import { type AppendResult, type RecordedEvent, RevisionConflictError } from './log/store.ts';

/** A log that has been read, to append to. */
interface Appendable {
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
}

/** An answer with the position of its own event, or of the last one before where it has none. */
export type RecordedAnswer = SimulatedAnswer & { readonly position: number };

/**
 * Reads evidence to its end, before any log is touched.
 *
 * Rejects with `EvidenceError`, whose message names source and line, `TopologyError` or
 * `RequestError`.
 */
export async function readEvidence(
  sources: readonly Source[],
  { format, topology, profile, progress }: ImportSettings = {},
): Promise<Collected> {
  const collected = await collect(sources, {
    format: format ?? null,
    topology: topology === undefined ? null : topologyFrom(topology),
    profile: profile === undefined ? null : profileNamed(profile),
    ...(progress && { progress }),
  });
  for (const event of collected.events) {
    // Every boot has rules to be judged by, or the evidence is not taken.
    if (event.type === 'host.booted') profileFor(event.data.profile ?? undefined, event.data);
  }
  return collected;
}

/** Appends evidence in one append. Rejects with `EvidenceError` where it is older than the log. */
export async function recordEvidence(log: Appendable, collected: Collected): Promise<ImportReport> {
  const { events, read, unknown } = collected;
  for (;;) {
    const last = log.event(log.head.position)?.time ?? null;
    const ids = await log.known(events.map(({ id }) => id));
    const fresh = sequel(events, { host: log.host, ids, last });
    try {
      const { appended } = await log.append(log.head.position, fresh);
      await log.refresh();
      return { read, appended, skipped: events.length - appended, unknown, rejected: [] };
    } catch (error) {
      if (!(error instanceof RevisionConflictError)) throw error;
      await log.refresh();
    }
  }
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
    const steps = simulate(rest, topology, profile, log.head.hash, startAfter(log.each()));
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

function checkSimulated(boots: Iterable<RecordedEvent>): void {
  const isReal = (event: RecordedEvent) => event.type === 'host.booted' && !event.data.simulated;
  if (![...boots].some(isReal)) return;
  throw new RequestError(
    'the log holds evidence of a real host: a simulation takes one of its own',
  );
}
