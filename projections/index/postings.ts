/**
 * Posting lists: for each subject, the events of a segment that concern it.
 *
 * @module
 */
import type { EventType } from '../../events/vocabulary.ts';
import { subjectKinds } from '../subjects.ts';
import { Column, type Cells } from './columns.ts';

/** Events that add or remove a device, or belong to a change of its driver. */
export const plugTypes: readonly EventType[] = [
  'device.added',
  'device.removed',
  'driver.bound',
  'driver.unbound',
  'driver.unbind-blocked',
  'driver.settled',
  'group.found',
];

/**
 * The kinds of subjects; `plug`: events of `plugTypes`, by the group of the device; `changedFile` and
 * `changedGroup`: events that changed a file or a group (`Changed`).
 */
export const postingKinds = [...subjectKinds, 'plug', 'changedFile', 'changedGroup'] as const;
export type PostingKind = (typeof postingKinds)[number];
export type PostingLists = Readonly<Record<PostingKind, PostingColumns>>;

/** The posting lists of one kind of subjects, one after the other in one column. */
interface PostingColumns {
  /** Ascending. */
  readonly keys: Column;
  /** For each key: where its list ends in `events`. */
  readonly ends: Column;
  /** Indexes of events in the segment. */
  readonly events: Column;
}

const none = new Uint8Array(0);

/** Posting lists by the code of a subject; the code of a file is the position of its open. */
export class Postings {
  readonly #open = Object.fromEntries(
    postingKinds.map((kind) => [kind, new Map<number, number[]>()]),
  ) as Record<PostingKind, Map<number, number[]>>;
  readonly #sealed: PostingLists | null;

  constructor(sealed: PostingLists | null = null) {
    this.#sealed = sealed;
  }

  /** Adds the last event to a list, unless it is there already. */
  add(kind: PostingKind, key: number, event: number): void {
    const lists = this.#open[kind];
    const list = lists.get(key);
    if (list === undefined) lists.set(key, [event]);
    else if (list.at(-1) !== event) list.push(event);
  }

  /** Indexes of the events that concern a subject, ascending; empty if none does. */
  of(kind: PostingKind, key: number): Cells | readonly number[] {
    if (this.#sealed === null) return this.#open[kind].get(key) ?? none;
    const { keys, ends, events } = this.#sealed[kind];
    const index = indexOf(keys.cells, key);
    if (index < 0) return none;
    return events.cells.subarray(index === 0 ? 0 : ends.cells[index - 1], ends.cells[index]);
  }

  columns(): PostingLists {
    return this.#sealed ?? this.sealed().columns();
  }

  sealed(): Postings {
    if (this.#sealed !== null) return this;
    const kinds = postingKinds.map((kind) => [kind, sealedLists(this.#open[kind])] as const);
    return new Postings(Object.fromEntries(kinds) as Record<PostingKind, PostingColumns>);
  }
}

function sealedLists(lists: ReadonlyMap<number, readonly number[]>): PostingColumns {
  const [keys, ends, events] = [new Column(), new Column(), new Column()];
  for (const [key, list] of [...lists].toSorted(([a], [b]) => a - b)) {
    for (const event of list) events.push(event);
    keys.push(key);
    ends.push(events.length);
  }
  return { keys: keys.sealed(), ends: ends.sealed(), events: events.sealed() };
}

/** The index of a key in ascending keys; -1 if it is missing. */
function indexOf(keys: Cells, key: number): number {
  let [low, high] = [0, keys.length - 1];
  while (low <= high) {
    const middle = (low + high) >>> 1;
    const found = keys[middle]!;
    if (found === key) return middle;
    if (found < key) low = middle + 1;
    else high = middle - 1;
  }
  return -1;
}
