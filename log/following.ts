/**
 * Follows a log on this machine, which is looked at again and again.
 *
 * @module
 */
import { setTimeout } from 'node:timers/promises';
import type { Head, RecordedEvent, Store } from './store.ts';

/** How often it is looked for what other processes have appended, in ms. */
const LOOK_EVERY_MS = 100;

/** A stream of a log: events or rows, which are read up to the head. */
interface Followed<Item> {
  readonly read: (from: number) => AsyncIterable<readonly Item[]>;
  readonly positionOf: (item: Item) => number;
  readonly head: () => Promise<Head>;
}

/**
 * Yields what is there from a position on, and what is appended later, until the signal aborts. `pause`
 * resolves when it is worth to look again.
 */
export async function* following<Item>(
  { read, positionOf, head }: Followed<Item>,
  from: number,
  signal: AbortSignal,
  pause: (signal: AbortSignal) => Promise<void> = untilNextLook,
): AsyncGenerator<readonly Item[]> {
  for (let next = from; !signal.aborted;) {
    for await (const items of read(next)) {
      yield items;
      const last = items.at(-1);
      if (last !== undefined) next = positionOf(last) + 1;
      if (signal.aborted) return;
    }
    while (!signal.aborted && (await head()).position < next) await pause(signal);
  }
}

/** Follows a store as `Store.follow` does. */
export function followStore(
  { read, head }: Pick<Store, 'read' | 'head'>,
  stream: string,
  from: number,
  signal: AbortSignal,
): AsyncIterable<readonly RecordedEvent[]> {
  const followed: Followed<RecordedEvent> = {
    read: (next) => read(stream, { from: next }),
    positionOf: ({ position }) => position,
    head: async () => head(stream),
  };
  return following(followed, from, signal);
}

/** Resolves after a while, or when the signal aborts. */
export async function untilNextLook(signal: AbortSignal): Promise<void> {
  await setTimeout(LOOK_EVERY_MS, undefined, { signal }).catch(() => {});
}
