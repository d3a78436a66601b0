/**
 * Words for a picture of a history: its lanes, marks and states.
 *
 * @module
 */
import type { LaneLook } from '../projections/lanes/lane-look.ts';
import type { Lane } from '../projections/lanes/lanes.ts';
import type { Mark, MarkKind } from '../projections/lanes/marks.ts';
import { counted, placeWords } from './moments.ts';
import { ownerWords } from './owners.ts';
import { printable } from './printable.ts';

/** `group 26`, `device 0000:3b:00.0`. */
export function laneWords({ kind, id }: Pick<Lane, 'kind' | 'id'>): string {
  return `${kind} ${id}`;
}

/** `bound, owner iommufd f8`; `not on the host`. */
export function lookWords({ state, owner }: LaneLook): string {
  if (state === 'absent') return owner === null ? 'not there' : `no VFIO driver, ${ownedBy(owner)}`;
  return owner === null || owner.kind === 'unknown' ? state : `${state}, ${ownedBy(owner)}`;
}

/** `iommufd f8`. */
export function laneOwnerWords(owner: NonNullable<LaneLook['owner']>): string {
  return ownerWords({ ...owner, holders: [] });
}

function ownedBy(owner: NonNullable<LaneLook['owner']>): string {
  return `owner ${laneOwnerWords(owner)}`;
}

const nouns: Readonly<Record<MarkKind, string>> = {
  refusal: 'refusal',
  driver: 'driver change',
  exit: 'exit',
  boot: 'boot',
  gap: 'gap',
  plug: 'device change',
};

/** `refusal on 0000:3b:00.0, position 9`; `3 exits, positions 4 to 12`. */
export function markWords({ kind, lane, from, to, count }: Mark): string {
  const what = count === 1 ? nouns[kind] : counted(count, nouns[kind]);
  const where = lane === null ? '' : ` on ${lane}`;
  return `${what}${where}, ${rangeWords(from, to - 1)}`;
}

function rangeWords(from: number, to: number): string {
  return from === to ? `position ${from}` : `positions ${from} to ${to}`;
}

/** What the scrub bar says of its moment. */
export function scrubWords(position: number, time: string | null): string {
  return position < 0 ? 'start, before the first event' : placeWords(position, time);
}

/** How many events a history has, and from when to when. */
export function extentWords(count: number, from: string | null, to: string | null): string {
  const events = counted(count, 'event');
  return from === null || to === null ? events : `${events}, ${from} to ${to}`;
}

/** Says that what is shown did not happen. */
export function supposedWords(position: number, sentence: string): string {
  return (
    `What if: this is not history. Event ${position} (${sentence}) is left out, and ` +
    'the rules judge each later call anew.'
  );
}

/** Says that an event cannot be left out, and why. */
export function notSupposedWords(position: number, reason: string): string {
  return `Event ${position} cannot be left out: ${reason}.`;
}

/** What a window shows above the page: the host, and what `extentWords` says. */
export function pageTitle(
  host: string,
  count: number,
  from: string | null,
  to: string | null,
): string {
  return `${printable(host)}: ${extentWords(count, from, to)}`;
}

/** What the page says where scripts do not run. */
export const WITHOUT_SCRIPT =
  'This page draws the history in it with a script. Allow scripts for this file, ' +
  'or ask the log itself with vfio-ledger.';
