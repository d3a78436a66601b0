/**
 * An engine that is a log on this machine: a file, or memory.
 *
 * @module
 */
import type { Engine } from './engine.ts';
import { following, untilNextLook } from './following.ts';
import type { Row } from './row.ts';
import { type Head, type Store, StoreUnavailableError } from './store.ts';

/** The engine of a store, which it closes. `name`: how messages name it. */
export function engineOf(store: Store, name: string): Engine {
  const closing = new AbortController();
  const waiting = new Set<() => void>();

  /** Waits for an append of this process, or until another one may have appended. */
  async function growth(signal: AbortSignal): Promise<void> {
    const woken = new AbortController();
    const wake = () => woken.abort();
    waiting.add(wake);
    try {
      await untilNextLook(AbortSignal.any([signal, closing.signal, woken.signal]));
    } finally {
      waiting.delete(wake);
    }
  }

  async function* read(stream: string, from: number): AsyncGenerator<readonly Row[]> {
    checkOpen();
    yield* store.rows.read(stream, from);
  }

  async function head(stream: string): Promise<Head> {
    checkOpen();
    return store.head(stream);
  }

  return {
    name,
    notes: [],
    identity: '',
    isVerified: true,
    async append(stream, expected, rows) {
      checkOpen();
      const result = await store.rows.append(stream, expected, rows);
      for (const wake of waiting) wake();
      return result;
    },
    read,
    async *follow(stream, from, signal) {
      const followed = {
        read: (next: number) => read(stream, next),
        positionOf: ([position]: Row) => position,
        head: async () => head(stream),
      };
      yield* following(followed, from, signal, growth);
    },
    head,
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
