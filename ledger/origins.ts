/**
 * Remembers from which history an answer comes, and about which moment it is. This is kept beside the
 * answer: no key of it shows, and a copy of the answer has none.
 *
 * @module
 */
import type { Placed } from '../events/vocabulary.ts';
import type { Past } from './questions.ts';

/** Where an answer comes from. */
export interface AnswerOrigin {
  readonly past: Past<Placed>;
  /** The moment that it is about: after the event at this position; -1 for `start`. */
  readonly position: number;
}

const origins = new WeakMap<object, AnswerOrigin>();

/** The same answer, of which `originOf` now knows the origin. */
export function withOrigin<T extends object>(answer: T, origin: AnswerOrigin): T {
  origins.set(answer, origin);
  return answer;
}

/** Where an answer comes from; undefined for a copy, and for what is no answer. */
export function originOf(answer: object): AnswerOrigin | undefined {
  return origins.get(answer);
}
