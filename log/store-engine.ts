/**
 * An engine that is a log on this machine: a file, or memory.
 *
 * @module
 */
import type { Engine } from './engine.ts';
import { setTimeout } from 'node:timers/promises';
import { type Store, StoreUnavailableError } from './store.ts';

/** How often `follow` looks for events of other processes, in ms. */
const LOOK_EVERY_MS = 100;

/** The engine of a store, which it closes. `name`: how messages name it. */
export function engineOf(store: Store, name: string): Engine {
  const closing = new AbortController();
  const waiting = new Set<() => void>();

  /** Waits for an append of this process, or until another one may have appended. */
  async function growth(signal: AbortSignal): Promise<void> {
    const woken = new AbortController();
    const wake = () => woken.abort();
    waiting.add(wake);
    const any = AbortSignal.any([signal, closing.signal, woken.signal]);
    try {
      await setTimeout(LOOK_EVERY_MS, undefined, { signal: any }).catch(() => {});
    } finally {
      waiting.delete(wake);
    }
  }

  return {
    name,
    notes: [],
    isVerified: true,
    async append(stream, expected, rows) {
      checkOpen();
      const result = await store.rows.append(stream, expected, rows);
      for (const wake of waiting) wake();
      return result;
    },
    async *read(stream, from) {
      checkOpen();
      yield* store.rows.read(stream, from);
    },
    async *follow(stream, from, signal) {
      for (let next = from; !signal.aborted;) {
        checkOpen();
        for await (const rows of store.rows.read(stream, next)) {
          yield rows;
          next = (rows.at(-1)?.[0] ?? next) + 1;
          if (signal.aborted) return;
        }
        while (!signal.aborted && !closing.signal.aborted) {
          if ((await store.head(stream)).position >= next) break;
          await growth(signal);
        }
      }
    },
    async head(stream) {
      checkOpen();
      return store.head(stream);
    },
    async streams() {
      checkOpen();
      return store.streams();
    },
    async close() {
      closing.abort();
      await store.close();
    },
  };

  function checkOpen(): void {
    if (closing.signal.aborted) throw new StoreUnavailableError(`${name} is closed`);
  }
}
