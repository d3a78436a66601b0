/**
 * What the page shows, as data, and as the part of its address after `#`: a view can be sent.
 *
 * @module
 */

/** Everything that a reader chooses on the page. Positions; null is what is shown without a choice. */
export interface View {
  readonly axis: 'positions' | 'time';
  /** The first and the last position in view; null: those of the history. */
  readonly from: number | null;
  readonly to: number | null;
  /** The moment of the table, -1 is the start; null: the end. */
  readonly at: number | null;
  /** A second moment, with which that one is compared. */
  readonly compare: number | null;
  /** The refusal that is explained. */
  readonly refusal: number | null;
  /** Id of the lane whose events are stepped through. */
  readonly subject: string | null;
  /** The event that a what-if leaves out; null: history is shown. */
  readonly without: number | null;
  readonly search: string;
}

export const wholeHistory: View = {
  axis: 'positions',
  from: null,
  to: null,
  at: null,
  compare: null,
  refusal: null,
  subject: null,
  without: null,
  search: '',
};

const positions = ['from', 'to', 'at', 'compare', 'refusal', 'without'] as const;
const texts = ['subject', 'search'] as const;

/** The view as text: `at=41&refusal=30`; empty for the whole history. */
export function addressOf(view: View): string {
  const written = new URLSearchParams();
  if (view.axis === 'time') written.set('axis', 'time');
  for (const key of positions) {
    const position = view[key];
    if (position !== null) written.set(key, position < 0 ? 'start' : String(position));
  }
  for (const key of texts) if (view[key]) written.set(key, view[key]);
  return written.toString();
}

/** The view that an address holds. What it does not hold, or holds wrongly, is not chosen. */
export function viewAt(address: string): View {
  const written = new URLSearchParams(address.replace(/^#/, ''));
  const read = (key: (typeof positions)[number]) => positionIn(written.get(key));
  return {
    axis: written.get('axis') === 'time' ? 'time' : 'positions',
    from: read('from'),
    to: read('to'),
    at: read('at'),
    compare: read('compare'),
    refusal: read('refusal'),
    subject: written.get('subject') || null,
    without: read('without'),
    search: written.get('search') ?? '',
  };
}

function positionIn(text: string | null): number | null {
  if (text === 'start') return -1;
  return text !== null && /^\d{1,15}$/.test(text) ? Number(text) : null;
}
