/**
 * A local replica of an engine: questions read the local log, appends go to the engine first.
 *
 * @module
 */
import type { LedgerEvent } from '../events/vocabulary.ts';
import { DivergedError, type Engine, EngineBehindError } from './engine.ts';
import { genesisOf } from './hash.ts';
import {
  type Entry,
  entryOf,
  headOfRow,
  type Row,
  rowsAfter,
  streamName,
  verified,
} from './row.ts';
import { appendSurely, placed, ship } from './ship.ts';
import { engineOf } from './store-engine.ts';
import {
  type AppendResult,
  CorruptLogError,
  type Examination,
  type Head,
  type RecordedEvent,
  RevisionConflictError,
  type Store,
  StreamDeletedError,
} from './store.ts';

/**
 * A store over an engine. Each stream is brought up to date when it is first asked for, and with each
 * question again. It closes the engine and the local log when it is closed. Of the streams, `local` has
 * those that were asked for; `examine` reads all of them in the engine.
 *
 * An append is made in the engine and then in the local log. Whoever repeats one that failed, with the
 * same ids, makes it once at most.
 *
 * Rejects as the engine does, with `DivergedError` if the local log and the engine differ in a hash, and
 * with `EngineBehindError` if the local log has events that the engine does not have: then it must be made
 * anew. At an event of the engine that is not what was appended, `read` rejects with `CorruptLogError`,
 * after all events before it.
 */
export function replicaOf(engine: Engine, local: Store): Store {
  const replica = new Replica(engine, local);
  const asked = async <T>(stream: string, answer: () => Promise<T>): Promise<T> => {
    await replica.upToDate(stream);
    return answer();
  };
  return {
    ...local,
    async append(stream: string, expected: number, events: readonly LedgerEvent[]) {
      return replica.append(streamName(stream), expected, events.map(entryOf));
    },
    async *read(stream, options) {
      const damage = await replica.upToDate(stream);
      yield* local.read(stream, options);
      if (damage !== null && options?.direction !== 'backwards') throw damage;
    },
    follow: (stream, from, signal) => replica.follow(stream, from, signal),
    head: async (stream) => asked(stream, async () => local.head(stream)),
    origin: async (stream) => asked(stream, async () => local.origin(stream)),
    known: async (stream, ids) => asked(stream, async () => local.known(stream, ids)),
    examine: async () => replica.examine(),
    streams: async () => engine.streams(),
    rows: {
      append: async (stream, expected, rows) => replica.appendRows(stream, expected, rows),
      async *read(stream, from) {
        const damage = await replica.upToDate(stream);
        yield* local.rows.read(stream, from);
        if (damage !== null) throw damage;
      },
    },
    close: async () => replica.close(),
  };
}

class Replica {
  readonly #engine: Engine;
  readonly #local: Store;
  /** The last call for each stream that ships or appends: these run one after the other. */
  readonly #running = new Map<string, Promise<unknown>>();

  constructor(engine: Engine, local: Store) {
    this.#engine = engine;
    this.#local = local;
  }

  /** Ships what the engine has. Resolves to the damage in the engine that ends it; null if there is none. */
  async upToDate(stream: string): Promise<CorruptLogError | null> {
    return this.#inTurn(stream, async () => this.#catchUp(stream));
  }

  /** Takes what the engine yields into the local log, and yields it from there. */
  async *follow(
    stream: string,
    from: number,
    signal: AbortSignal,
  ): AsyncGenerator<readonly RecordedEvent[]> {
    let next = from;
    for await (const rows of this.#engine.follow(stream, from, signal)) {
      const damage = await this.#inTurn(stream, async () => this.#take(stream, rows));
      for await (const events of this.#local.read(stream, { from: next })) {
        yield events;
        next = (events.at(-1)?.position ?? next) + 1;
      }
      if (damage !== null) throw damage;
    }
  }

  async append(stream: string, expected: number, entries: readonly Entry[]): Promise<AppendResult> {
    return this.#inTurn(stream, async () => {
      const { position } = await this.#local.head(stream);
      if (position !== expected) await this.#catchUpOrThrow(stream);
      try {
        return await this.#appendAt(stream, expected, entries);
      } catch (error) {
        if (!(error instanceof RevisionConflictError)) throw error;
        await this.#catchUpOrThrow(stream);
        // All of it may be there already: from another process, or from a call that had no answer.
        return this.#appendAt(stream, expected, entries);
      }
    });
  }

  async appendRows(stream: string, expected: Head, rows: readonly Row[]): Promise<AppendResult> {
    return this.#inTurn(stream, async () => {
      const { appended } = await appendSurely(this.#engine, stream, expected, rows);
      await this.#catchUpOrThrow(stream);
      return { head: await this.#local.head(stream), appended };
    });
  }

  /** Examines the local log, and each event of all streams in the engine: one that was deleted is damage. */
  async examine(): Promise<Examination> {
    const { faults, ...files } = await this.#local.examine();
    const found = [...faults];
    const streams = await this.#engine.streams();
    for (const stream of streams) {
      const damage = await this.#damageOf(stream);
      if (damage !== null) found.push(streams.length < 2 ? damage : damage.ofHost(stream));
    }
    const placeOf = ({ position }: CorruptLogError) => position ?? Infinity;
    return { faults: found.toSorted((a, b) => placeOf(a) - placeOf(b)), ...files };
  }

  async close(): Promise<void> {
    await Promise.all(this.#running.values());
    await this.#engine.close();
    await this.#local.close();
  }

  async #inTurn<T>(stream: string, act: () => Promise<T>): Promise<T> {
    const before = this.#running.get(stream) ?? Promise.resolve();
    const turn = before.then(act);
    const settled = turn.then(
      () => {},
      () => {},
    );
    this.#running.set(stream, settled);
    return turn;
  }

  async #catchUp(stream: string): Promise<CorruptLogError | null> {
    const engine = this.#engine;
    const target = engineOf(this.#local, this.#local.path ?? 'the replica in memory');
    try {
      const { isSourceBehind } = await ship({ stream, source: engine, target });
      if (!isSourceBehind) return null;
      throw new EngineBehindError(engine.name, stream, target.name);
    } catch (error) {
      if (error instanceof CorruptLogError && error.position !== null) return error;
      throw error;
    }
  }

  /** Appends rows that have come from the engine to the local log. What it lacks before them is shipped. */
  async #take(stream: string, rows: readonly Row[]): Promise<CorruptLogError | null> {
    const head = await this.#local.head(stream);
    const fresh = rows.filter(([position]) => position > head.position);
    if (fresh.length === 0) return null;
    if (fresh[0]?.[0] !== head.position + 1) return this.#catchUp(stream);
    const { rows: intact, damage } = verified(this.#engine.name, head, fresh);
    try {
      if (intact.length > 0) await this.#local.rows.append(stream, head, intact);
      return damage;
    } catch (error) {
      if (!(error instanceof RevisionConflictError)) throw error;
      // Another process takes them into the same file.
      return this.#catchUp(stream);
    }
  }

  async #catchUpOrThrow(stream: string): Promise<void> {
    const damage = await this.#catchUp(stream);
    if (damage !== null) throw damage;
  }

  async #appendAt(
    stream: string,
    expected: number,
    entries: readonly Entry[],
  ): Promise<AppendResult> {
    const local = this.#local;
    const known = await local.known(
      stream,
      entries.map(({ id }) => id),
    );
    const fresh = new Map<string, Entry>();
    for (const entry of entries) {
      if (!known.has(entry.id) && !fresh.has(entry.id)) fresh.set(entry.id, entry);
    }
    const head = await local.head(stream);
    if (fresh.size === 0) return { head, appended: 0 };
    if (head.position !== expected) {
      throw new RevisionConflictError(stream, expected, head.position);
    }
    const rows = rowsAfter(head, [...fresh.values()]);
    const { appended } = await appendSurely(this.#engine, stream, head, rows);
    const { head: after } = await local.rows.append(stream, head, rows);
    return { head: after, appended };
  }

  async #damageOf(stream: string): Promise<CorruptLogError | null> {
    try {
      return (await this.upToDate(stream)) ?? (await this.#firstDifference(stream));
    } catch (error) {
      if (error instanceof StreamDeletedError) return new CorruptLogError(0, error.message);
      const isBehind = error instanceof EngineBehindError;
      if (!isBehind && !(error instanceof DivergedError)) throw error;
      const { position } = isBehind ? await this.#local.head(stream) : error;
      return (await this.#firstDifference(stream)) ?? new CorruptLogError(position, error.message);
    }
  }

  /**
   * The first event of a stream that is damaged in the engine, or another one than in the local log; null
   * if there is none.
   */
  async #firstDifference(stream: string): Promise<CorruptLogError | null> {
    const { name } = this.#engine;
    let head: Head = { position: -1, hash: genesisOf(stream) };
    try {
      for await (const rows of this.#engine.read(stream, 0)) {
        for (const row of rows) {
          const position = head.position + 1;
          const here = this.#local.local?.hashAt(stream, position);
          if (here !== undefined && row[0] === position && row[6] !== here) {
            return new CorruptLogError(position, `${name} has another event here than its replica`);
          }
          const { damage } = verified(name, head, [row]);
          if (damage !== null) return damage;
          head = headOfRow(row);
        }
      }
    } catch (error) {
      if (error instanceof CorruptLogError) return placed(error, head.position + 1);
      throw error;
    }
    return null;
  }
}
