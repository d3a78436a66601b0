/**
 * Records simulations in a log: an answer is returned only when its events are durable.
 *
 * @module
 */
import { stringGiven } from '../events/given.ts';
import type { LedgerEvent } from '../events/vocabulary.ts';
import {
  parseScenario,
  simulate,
  startAfter,
  turns,
  type Sequence,
  type SimulatedAnswer,
  type SimulationStep,
} from '../host/simulation.ts';
import { sha256 } from '../log/hash.ts';
import { RevisionConflictError } from '../log/store.ts';
import { type Appendable, catchUp } from './appendable.ts';
import { checkKind } from './log-kind.ts';
import { hostGiven, type SimulateSettings } from './settings.ts';

/** An answer with the position of its last event; if it has none, of the last event before it. */
export type RecordedAnswer = SimulatedAnswer & { readonly position: number };

/** An answer that is recorded, and the events of its operation. */
export interface RecordedStep extends Pick<SimulationStep, 'events'> {
  readonly answer: RecordedAnswer;
}

/**
 * Plays sequences and records them. Yields each answer when its events are durable. Each operation
 * is one append. The appends of a sequence of up to `STEPS_AT_ONCE` operations are committed
 * together, so no other writer can append in the middle. If another writer was first, the sequence
 * is played again after that writer's events.
 *
 * Rejects with `conflict` if another writer appends in the middle of a longer sequence, and with
 * `bad-request`.
 */
export async function* recordSimulation(
  log: Appendable,
  sequences: readonly Sequence[],
  settings: SimulateSettings,
): AsyncGenerator<RecordedStep> {
  const { topology, profile } = hostGiven('simulate', settings);
  for (let done = 0; done < sequences.length;) {
    checkKind(log, 'simulation');
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
        const recorded: RecordedStep[] = [];
        for (const { answer, events } of turn) {
          if (events.length > 0) appends.push(appendNew(log, position, events));
          position += events.length;
          if (answer !== null) recorded.push({ answer: { ...answer, position }, events });
        }
        await committed(appends, isWhole);
        done += begun;
        yield* recorded;
      }
      await log.refresh();
    } catch (error) {
      if (!(error instanceof OvertakenError)) throw error;
      await catchUp(log, error.conflict);
    }
  }
}

/** As `recordSimulation`, from the text of a scenario to all answers. */
export async function recordScenario(
  log: Appendable,
  scenario: string,
  settings: SimulateSettings,
): Promise<RecordedAnswer[]> {
  stringGiven('simulate', 'a scenario as a string', scenario);
  const sequences = parseScenario(scenario);
  const answers: RecordedAnswer[] = [];
  for await (const { answer } of recordSimulation(log, sequences, settings)) answers.push(answer);
  return answers;
}

/** At most this many operations are committed together. */
const STEPS_AT_ONCE = 4096;

/** Another writer has appended before a sequence of which nothing is recorded yet. */
class OvertakenError extends Error {
  readonly conflict: RevisionConflictError;
  constructor(conflict: RevisionConflictError) {
    super(conflict.message);
    this.conflict = conflict;
  }
}

async function committed(appends: readonly Promise<void>[], isWhole: boolean): Promise<void> {
  try {
    await Promise.all(appends);
  } catch (error) {
    throw isWhole && error instanceof RevisionConflictError ? new OvertakenError(error) : error;
  }
}

/** Appends events, all of which must be new: unlike evidence, a simulation is never repeated. */
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
