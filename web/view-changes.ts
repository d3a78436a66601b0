/**
 * What actions make of a view.
 *
 * @module
 */
import type { View } from './address.ts';
import type { Action } from './keys.ts';
import type { Questions, StepKind } from './questions.ts';
import { moved, rangeIn, showing, zoomed, type ViewRange } from './range.ts';

/** The positions of a history. */
function wholeOf({ first, head }: Questions): ViewRange {
  return { from: first, to: Math.max(first, head) };
}

/** The moment of a view: -1 is the start. */
export function momentOf({ at }: View, { first, head }: Questions): number {
  if (at === null) return head;
  return at < first ? -1 : Math.min(at, head);
}

/** The range of a view. */
export function rangeOf({ from, to }: View, questions: Questions): ViewRange {
  return rangeIn(wholeOf(questions), from, to);
}

/** The part of a view that an action chooses; null if it chooses nothing. */
export function chosenBy(action: Action, view: View, questions: Questions): Partial<View> | null {
  const whole = wholeOf(questions);
  const range = rangeOf(view, questions);
  const at = momentOf(view, questions);
  const by = Math.max(1, Math.round((range.to - range.from + 1) / 4));
  switch (action) {
    case 'next-event':
    case 'last-event':
      return stepped('event', action === 'next-event' ? 1 : -1, view, questions);
    case 'next-change':
    case 'last-change':
      return stepped('change', action === 'next-change' ? 1 : -1, view, questions);
    case 'next-refusal':
    case 'last-refusal':
      return stepped('refusal', action === 'next-refusal' ? 1 : -1, view, questions);
    case 'zoom-in':
      return zoomed(whole, range, 0.5, at);
    case 'zoom-out':
      return zoomed(whole, range, 2, at);
    case 'move-left':
      return moved(whole, range, -by);
    case 'move-right':
      return moved(whole, range, by);
    case 'whole':
      return { from: null, to: null };
    case 'compare':
      return { compare: view.compare === null ? at : null };
    case 'axis':
      return { axis: view.axis === 'time' ? 'positions' : 'time' };
    case 'back':
      return { without: null };
    case 'search':
    case 'help':
      return null;
  }
}

function stepped(kind: StepKind, way: 1 | -1, view: View, questions: Questions): Partial<View> {
  const found = questions.step(kind, momentOf(view, questions), way, view.subject);
  if (found === null) return {};
  const range = rangeOf(view, questions);
  const shown = showing(wholeOf(questions), range, found);
  return {
    at: found,
    ...(kind === 'refusal' && { refusal: found }),
    ...(shown !== range && shown),
  };
}
