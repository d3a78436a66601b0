/**
 * Simulations on their way into a log: each answer is given when what happened is durable.
 *
 * @module
 */
import { RequestError } from '../events/ledger-error.ts';
import type { LedgerEvent } from '../events/vocabulary.ts';
import {
  simulate,
  startAfter,
  turns,
  type Sequence,
  type SimulatedAnswer,
} from '../host/simulation.ts';
import { sha256 } from '../log/hash.ts';
import { type RecordedEvent, RevisionConflictError } from '../log/store.ts';
import { type Appendable, isSimulated } from './appendable.ts';
import { profileFor, type SimulateSettings, topologyFrom } from './settings.ts';

/** An answer with the position of its own event, or of the last one before where it has none. */
export type RecordedAnswer = SimulatedAnswer & { readonly position: number };

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

function checkSimulated(boots: Iterable<RecordedEvent>): void {
  if ([...boots].every(isSimulated)) return;
  throw new RequestError(
    'the log holds evidence of a real host: a simulation takes one of its own',
  );
}
