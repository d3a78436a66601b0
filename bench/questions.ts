/**
 * Questions at random positions of a log, and what each of them took.
 *
 * @module
 */
import { becauseOf } from '../projections/why/because.ts';
import { judgedRefusal } from '../projections/why/refusals.ts';
import { Random } from './host/random.ts';
import type { Notes } from './notes.ts';
import type { OpenedLog } from './opened.ts';

/** Asked before any that count, of each that does: until then code is compiled. */
const WARM_UP = 0.5;
/** In ms: where answers take so long, fewer questions are asked in a round. */
const PATIENCE = 20_000;

/** Where the next question is asked. */
class Places {
  readonly #random: Random;
  readonly #notes: Notes;
  #refusals: number[] = [];

  constructor(notes: Notes, seed: number) {
    this.#random = new Random(seed);
    this.#notes = notes;
  }

  position(): number {
    return this.#random.below(this.#notes.events);
  }

  group(): string {
    return this.#random.pick(this.#notes.groups);
  }

  device(): string {
    return this.#random.pick(this.#notes.devices);
  }

  /** No refusal comes again until all that are noted have come. */
  refusal(): number {
    if (this.#refusals.length === 0) this.#refusals = this.#random.shuffled(this.#notes.refusals);
    const next = this.#refusals.pop();
    if (next === undefined) throw new RangeError('the log has no refusal');
    return next;
  }

  any<T>(of: readonly T[]): T {
    return this.#random.pick(of);
  }
}

/** Decides on a question, and returns what asks it: only that is timed. */
type Ask = (log: OpenedLog, places: Places) => () => unknown;

const asks = {
  table: (log, places) => {
    const position = places.position();
    return () => log.at(position).table();
  },
  group: (log, places) => {
    const [position, group] = [places.position(), places.group()];
    return () => log.at(position).who(group);
  },
  who: (log, places) => {
    const [position, device] = [places.position(), places.device()];
    return () => log.at(position).who(device);
  },
  why: (log, places) => {
    const refusal = places.refusal();
    return () => log.why(refusal);
  },
  /** All of `why` but `because`. */
  cause: ({ past }, places) => {
    const position = places.refusal();
    return () => {
      const { found, passesAfter } = judgedRefusal(past, position);
      return [found, passesAfter()];
    };
  },
  /** Asked for the first time; what `why` finds out before it has been found out. */
  because: ({ past }, places) => {
    const { refused } = judgedRefusal(past, places.refusal());
    return () => refused && becauseOf(past, refused);
  },
} satisfies Record<string, Ask>;

export type QuestionKind = keyof typeof asks;

/** What a user asks for, by turns. */
const mixed: Ask = (log, places) =>
  places.any<Ask>([asks.table, asks.group, asks.who, asks.why])(log, places);

/** Asks so many questions of a kind, or `mixed` ones; gives the time of each that was asked, in ms. */
export function askQuestions(
  log: OpenedLog,
  notes: Notes,
  kind: string,
  count: number,
  seed: number,
): number[] {
  const places = new Places(notes, seed);
  const ask: Ask = kind === 'mixed' ? mixed : asks[kind as QuestionKind];
  const next = () => elapsed(ask(log, places));
  upTo(count * WARM_UP, next);
  return upTo(count, next);
}

/** So many values, or as many as there is patience for, but one at least. */
function upTo(count: number, next: () => number): number[] {
  const values: number[] = [];
  const start = performance.now();
  do values.push(next());
  while (values.length < count && performance.now() - start < PATIENCE);
  return values;
}

/** Of the refusals that are noted, how many of a hundred are played, as the index is unsure. */
export function shareOfPlayed({ past }: OpenedLog, { refusals }: Notes): number {
  const played = refusals.filter((at) => past.refusalAt(at)?.passesAfter() === 'unsure');
  return (100 * played.length) / refusals.length;
}

/** How long it takes, in ms. */
export function elapsed(asked: () => unknown): number {
  const start = performance.now();
  asked();
  return performance.now() - start;
}
