/**
 * Gathers what a failure tells besides expected and got: the events up to the one that matters, and the
 * command that opens the log there.
 *
 * @module
 */
import type { Placed } from '../events/vocabulary.ts';
import { LedgerError } from '../events/ledger-error.ts';
import type { Past } from './questions.ts';
import type { Position } from '../projections/shapes.ts';
import type { Subject } from '../projections/subjects.ts';
import type { Why } from '../projections/why/why.ts';
import { COPIED, failureWords, NOT_KEPT, openWords, type ToldFailure } from '../words/failures.ts';

/** Events before the one that matters. */
const BEFORE = 5;

/** Where a failure happened: what is told of a history. */
export interface StoryPlace {
  readonly past: Past<Placed>;
  /** The event that matters; null if none does. */
  readonly matters: Position;
  /** The events before it are those of this subject, or of any. */
  readonly subject: Subject | null;
  /** What the command asks: a verb, its subject and a moment. */
  readonly ask: (until: number) => readonly string[];
}

/** The text of a failure. Without a place, the answer was copied. */
export function storyOf(
  told: Omit<ToldFailure, 'events' | 'open'>,
  place: StoryPlace | null,
): string {
  if (place === null) return failureWords({ ...told, events: [], open: COPIED }, null);
  const { past, matters, subject } = place;
  const events = matters === null ? [] : eventsUpTo(past, matters, subject);
  return failureWords({ ...told, events, open: openLine(place) }, past);
}

/**
 * Positions of the events up to one, ascending: those of the subject, or if it has too few, the last ones
 * of any.
 */
function eventsUpTo(past: Past<Placed>, matters: number, subject: Subject | null): number[] {
  const last = (of: Subject | null) =>
    past.lastEvents(matters - 1, BEFORE, of).map(({ position }) => position);
  const found = last(subject);
  return [...(found.length < BEFORE ? last(null) : found), matters];
}

/** The command that opens the log in which a history is kept. */
function openLine({ past, ask }: StoryPlace): string {
  try {
    const kept = past.keep();
    if (kept === null) return NOT_KEPT;
    return openWords(ask(kept.until), kept);
  } catch (error) {
    if (error instanceof LedgerError) return `${NOT_KEPT}: ${error.message}`;
    throw error;
  }
}

/** The last refusal of a subject up to a position; null if there is none. */
export function lastRefusal(past: Past<Placed>, word: string, position: number): Why | null {
  try {
    return position < 0 ? null : past.why(word, { at: position });
  } catch (error) {
    if (error instanceof LedgerError) return null;
    throw error;
  }
}
