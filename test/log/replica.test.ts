import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import * as fc from 'fast-check';
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { Engine } from '../../log/engine.ts';
import { genesisOf } from '../../log/hash.ts';
import { memoryStore } from '../../log/memory.ts';
import { replicaOf } from '../../log/replica.ts';
import { openReplica, type RenewedReplica } from '../../log/replica-file.ts';
import { headOfRow } from '../../log/row.ts';
import { openSqliteStore } from '../../log/sqlite.ts';
import { engineOf } from '../../log/store-engine.ts';
import { RevisionConflictError, type Store, StoreUnavailableError } from '../../log/store.ts';
import { countOf } from '../support/effort.ts';
import { breaking, fated, fates, limited } from './faulty-engine.ts';
import { newFolderIn, temporaryFolder } from './folder.ts';
import { appendMany, chained, rowsIn } from './rows.ts';
import { closed, closedMany, readAll } from './sample.ts';

const folder = temporaryFolder();
const newPath = () => join(newFolderIn(folder), 'replica.ledger');
const memoryEngine = () => engineOf(memoryStore(), 'memory');
const idsIn = async (store: Store, stream = 'a') =>
  (await readAll(store, stream)).map(({ id }) => id);

/** Changes a file as one can who knows SQLite. */
function tamper(path: string, sql: string): void {
  const db = new DatabaseSync(path);
  for (const name of ['events_never_changed', 'events_never_deleted']) {
    db.exec(`DROP TRIGGER IF EXISTS ${name}`);
  }
  for (const { name } of db
    .prepare("SELECT name FROM sqlite_schema WHERE type = 'trigger'")
    .all()) {
    db.exec(`DROP TRIGGER "${String(name)}"`);
  }
  db.exec(sql);
  db.close();
}

describe('a replica', () => {
  test('has what others append to the engine, with the next question', async () => {
    const engine = memoryEngine();
    const one = replicaOf(engine, memoryStore());
    const two = replicaOf(engine, memoryStore());
    await one.append('a', -1, closedMany(3));
    expect(await idsIn(two)).toEqual(['e0', 'e1', 'e2']);
    await two.append('a', 2, [closed('next')]);
    expect(await one.head('a')).toEqual(await engine.head('a'));
    await expect(one.append('a', 2, [closed('late')])).rejects.toMatchObject({ actual: 3 });
    expect(await two.streams()).toEqual(['a']);
  });

  test('keeps rows of an older schema as they are', async () => {
    const engine = memoryEngine();
    await appendMany(engine, 'a', 3);
    const local = openSqliteStore(newPath());
    const replica = replicaOf(engine, local);
    await readAll(replica, 'a');
    expect(await rowsIn(engineOf(local, 'local'), 'a')).toEqual(await rowsIn(engine, 'a'));
    await replica.close();
  });

  test('takes no part of an append that the engine has no room for', async () => {
    const local = memoryStore();
    const replica = replicaOf(limited(memoryEngine(), 100), local);
    const append = replica.append('a', -1, closedMany(10));
    await expect(append).rejects.toMatchObject({ code: 'too-large', limit: 100 });
    expect(await local.head('a')).toEqual({ position: -1, hash: genesisOf('a') });
    expect((await replica.append('a', -1, closedMany(2))).appended).toBe(2);
  });

  test('goes on where a broken connection left it', async () => {
    const engine = memoryEngine();
    await appendMany(engine, 'a', 5000);
    const replica = replicaOf(breaking(engine, [2, 0, 1]), memoryStore());
    for (let breaks = 0; breaks < 3; breaks++) {
      await expect(readAll(replica, 'a')).rejects.toMatchObject({ code: 'unavailable' });
    }
    expect(await readAll(replica, 'a')).toHaveLength(5000);
  });

  /** Each writer appends its events one by one, and repeats what failed. */
  test('whatever becomes of appends and answers, each event is there exactly once', async () => {
    const fatesOfAll = fc.array(fc.array(fc.constantFrom(...fates), { maxLength: 10 }), {
      minLength: 2,
      maxLength: 3,
    });
    await fc.assert(
      fc.asyncProperty(fatesOfAll, async (schedules) => {
        const engine = memoryEngine();
        const written = await Promise.all(
          schedules.map(async (schedule, writer) => {
            const replica = replicaOf(fated(engine, schedule), memoryStore());
            const mine = Array.from({ length: 4 }, (_, index) => closed(`${writer}-${index}`));
            for (const event of mine) await surely(replica, event);
            return mine.map(({ id }) => id);
          }),
        );
        const ids = (await rowsIn(engine, 'a')).map(([, , id]) => id);
        expect(ids.toSorted()).toEqual(written.flat().toSorted());
        for (const mine of written) {
          expect(ids.filter((id) => mine.includes(id))).toEqual(mine);
        }
        expect(await idsIn(replicaOf(engine, memoryStore()))).toEqual(ids);
      }),
      { numRuns: countOf('appends with a fate', { test: 4, soak: 40 }) },
    );
  }, 60_000);

  async function surely(replica: Store, event: ReturnType<typeof closed>): Promise<void> {
    for (;;) {
      const { position } = await replica.head('a');
      try {
        await replica.append('a', position, [event]);
        return;
      } catch (error) {
        const isTransient =
          error instanceof RevisionConflictError ||
          (error as { code?: string }).code === 'unavailable';
        if (!isTransient) throw error;
      }
    }
  }
});

describe('a replica that is followed', () => {
  /** What a follower is given until it has a position, and its local log afterwards. */
  async function followed(engine: Engine, local: Store, last: number) {
    const ending = new AbortController();
    const found: string[] = [];
    for await (const events of replicaOf(engine, local).follow('a', 0, ending.signal)) {
      found.push(...events.map(({ id }) => id));
      if (events.at(-1)?.position === last) ending.abort();
    }
    return { found, kept: await idsIn(local) };
  }
  const all = closedMany(9).map(({ id }) => id);

  test('asks the engine for nothing else than what it follows', async () => {
    const engine = memoryEngine();
    await appendMany(engine, 'a', 9);
    const asked = async () => Promise.reject(new StoreUnavailableError('the engine is away'));
    const away: Engine = { ...engine, head: asked, streams: asked, append: asked };
    expect(await followed(away, memoryStore(), 8)).toEqual({ found: all, kept: all });
  });

  test('ships what its file lacks, and takes nothing twice that it has', async () => {
    const engine = memoryEngine();
    await appendMany(engine, 'a', 9);
    const rows = await rowsIn(engine, 'a');
    const pieces = (...bounds: readonly (readonly [number, number])[]): Engine => ({
      ...engine,
      async *follow() {
        for (const [from, to] of bounds) yield rows.slice(from, to);
      },
    });
    const half = async () => {
      const local = memoryStore();
      await local.rows.append('a', { position: -1, hash: genesisOf('a') }, rows.slice(0, 5));
      return local;
    };
    for (const engineOfPieces of [pieces([0, 3], [3, 9]), pieces([7, 9]), pieces([0, 6], [6, 9])]) {
      expect(await followed(engineOfPieces, await half(), 8)).toEqual({ found: all, kept: all });
    }
  });

  test('stops before an event that is not what was appended', async () => {
    const engine = memoryEngine();
    await appendMany(engine, 'a', 9);
    const changed: Engine = {
      ...engine,
      async *follow(stream, from, signal) {
        for await (const rows of engine.follow(stream, from, signal)) {
          yield rows.map((row) => (row[0] === 4 ? row.with(5, '{}') : row) as typeof row);
        }
      },
    };
    const local = memoryStore();
    await expect(followed(changed, local, 8)).rejects.toMatchObject({
      code: 'damaged',
      position: 4,
    });
    expect(await idsIn(local)).toEqual(all.slice(0, 4));
  });
});

describe('damage in the engine', () => {
  const changes: [string, string, number][] = [
    ['changed', `UPDATE events SET data = '{"pid":1,"fd":1}' WHERE position = 5`, 5],
    ['removed', 'DELETE FROM events WHERE position = 5', 5],
    [
      'swapped with the next one',
      `UPDATE events SET position = 99 WHERE position = 5;
       UPDATE events SET position = 5 WHERE position = 6;
       UPDATE events SET position = 6 WHERE position = 99`,
      5,
    ],
    [
      'inserted',
      `UPDATE events SET position = -position WHERE position > 5;
       UPDATE events SET position = 1 - position WHERE position < 0;
       INSERT INTO events (stream, position, time, id, schema, type, data, hash)
       SELECT stream, 6, time, 'new', schema, type, data, hash FROM events WHERE position = 5`,
      6,
    ],
  ];

  test.each(changes)(
    'an event that was %s is found with its position',
    async (_, sql, position) => {
      const path = newPath();
      const made = openSqliteStore(path);
      const before = replicaOf(engineOf(made, path), openSqliteStore(newPath()));
      await before.append('a', -1, closedMany(10));
      const local = before.path!;
      await before.close();
      tamper(path, sql);
      for (const replica of [newPath(), local]) {
        const engine = await readingRaw(path);
        const store = replicaOf(engine, openSqliteStore(replica));
        const { faults } = await store.examine();
        expect(faults[0]?.position).toBe(position);
        await store.close();
      }
      const store = replicaOf(await readingRaw(path), memoryStore());
      const read: string[] = [];
      await expect(
        (async () => {
          for await (const batch of store.read('a')) read.push(...batch.map(({ id }) => id));
        })(),
      ).rejects.toMatchObject({ code: 'damaged', position });
      expect(read).toEqual(closedMany(position).map(({ id }) => id));
    },
  );

  /** An engine that hands out what is in a file, as a server does that checks nothing. */
  async function readingRaw(path: string): Promise<Engine> {
    const db = new DatabaseSync(path, { readOnly: true });
    const rows = db
      .prepare('SELECT position, time, id, schema, type, data, hash FROM events ORDER BY position')
      .all()
      .map((row) => Object.values(row) as never);
    db.close();
    return {
      ...memoryEngine(),
      isVerified: false,
      streams: async () => ['a'],
      head: async () => headOfRow(rows.at(-1)!),
      async *read(_, from) {
        const rest = rows.filter(([position]: readonly [number]) => position >= from);
        if (rest.length > 0) yield rest;
      },
    };
  }
});

describe('the file of a replica', () => {
  afterEach(() => void vi.unstubAllEnvs());

  async function reopened(engine: Engine, replica: string | null) {
    const renewed: RenewedReplica[] = [];
    const store = await openReplica(engine, {
      replica,
      renewed: (so) => renewed.push(so),
      patienceMs: 60,
    });
    const ids = await idsIn(store);
    const { path } = store;
    await store.close();
    return { ids, path, renewed };
  }

  test('lies in the cache folder of the user, private, under a name without credentials', async () => {
    const cache = newFolderIn(folder);
    vi.stubEnv('XDG_CACHE_HOME', cache);
    const engine = engineOf(memoryStore(), 'nats://a.example:4222/fleet');
    await appendMany(engine, 'a', 2);
    const { ids, path } = await reopened(engine, null);
    expect(ids).toEqual(['e0', 'e1']);
    expect(path).toMatch(/\/vfio-ledger\/replicas\/a\.example-4222-fleet-[\da-f]{16}\.ledger$/);
    expect(path?.startsWith(cache)).toBe(true);
    expect(statSync(path!).mode & 0o777).toBe(0o600);
    expect(statSync(join(cache, 'vfio-ledger')).mode & 0o777).toBe(0o700);
  });

  test('is in memory if nothing tells the log of the engine from others at its address', async () => {
    const cache = newFolderIn(folder);
    vi.stubEnv('XDG_CACHE_HOME', cache);
    const engine = { ...memoryEngine(), identity: null };
    await appendMany(engine, 'a', 2);
    expect(await reopened(engine, null)).toMatchObject({ ids: ['e0', 'e1'], path: null });
    expect(existsSync(join(cache, 'vfio-ledger'))).toBe(false);
  });

  test('is made anew if the engine has another history, which is said', async () => {
    const path = newPath();
    const one = memoryEngine();
    await appendMany(one, 'a', 3);
    expect((await reopened(one, path)).renewed).toEqual([]);
    const other = memoryEngine();
    const genesis = { position: -1, hash: genesisOf('a') };
    await other.append('a', genesis, chained(genesis, closedMany(5, 50)));
    const { ids, renewed } = await reopened(other, path);
    expect(ids).toEqual(['e50', 'e51', 'e52', 'e53', 'e54']);
    expect(renewed).toMatchObject([{ path, kept: `${path}.replaced` }]);
    expect(renewed[0]?.reason).toContain("stream 'a' at position 0");
    const kept = openSqliteStore(renewed[0]!.kept, { readOnly: true });
    expect(await idsIn(kept)).toEqual(['e0', 'e1', 'e2']);
    await kept.close();
    // What was kept before stays.
    const third = memoryEngine();
    await third.append('a', genesis, chained(genesis, closedMany(5, 90)));
    expect((await reopened(third, path)).renewed).toMatchObject([
      { path, kept: `${path}.replaced-2` },
    ]);
    expect(existsSync(`${path}.replaced`)).toBe(true);
  });

  test('is made anew in the cache folder if it has what the engine has lost', async () => {
    vi.stubEnv('XDG_CACHE_HOME', newFolderIn(folder));
    const whole = memoryEngine();
    await appendMany(whole, 'a', 4);
    await reopened(whole, null);
    const cut = memoryEngine();
    await appendMany(cut, 'a', 2);
    const { ids, renewed } = await reopened(cut, null);
    expect([ids, renewed.length]).toEqual([['e0', 'e1'], 1]);
    expect(renewed[0]?.reason).toContain("memory does not have the last events of stream 'a'");
  });

  test('of a path that was given stays as it is if the engine has lost events', async () => {
    const path = newPath();
    const store = memoryStore();
    await appendMany(engineOf(store, 'memory'), 'a', 4);
    await reopened(engineOf(store, 'memory'), path);
    for (const count of [0, 2]) {
      const cut = memoryEngine();
      if (count > 0) await appendMany(cut, 'a', count);
      const opened = reopened(cut, path);
      await expect(opened).rejects.toMatchObject({ code: 'conflict' });
      await expect(opened).rejects.toThrow(`stream 'a' that its replica ${path} has`);
    }
    const again = await reopened(engineOf(store, 'memory'), path);
    expect(again).toMatchObject({ renewed: [], ids: { length: 4 } });
  });

  test('is what a leader that lags has when it has caught up', async () => {
    const path = newPath();
    const store = memoryStore();
    await appendMany(engineOf(store, 'memory'), 'a', 4);
    await reopened(engineOf(store, 'memory'), path);
    const whole = engineOf(store, 'memory');
    let asked = 0;
    const lagging: Engine = {
      ...whole,
      async *read(stream, from) {
        if ((asked += 1) > 3) yield* whole.read(stream, from);
      },
      head: async (stream) =>
        asked > 3 ? whole.head(stream) : { position: -1, hash: genesisOf(stream) },
    };
    expect(await reopened(lagging, path)).toMatchObject({ renewed: [], ids: { length: 4 } });
  });

  test('a changed event in it is found with its position', async () => {
    const path = newPath();
    const store = memoryStore();
    await appendMany(engineOf(store, 'memory'), 'a', 10);
    await reopened(engineOf(store, 'memory'), path);
    tamper(path, `UPDATE events SET data = '{"pid":1,"fd":1}' WHERE position = 4`);
    const replica = replicaOf(engineOf(store, 'memory'), openSqliteStore(path));
    expect((await replica.examine()).faults.map(({ position }) => position)).toEqual([4]);
    await expect(readAll(replica, 'a')).rejects.toMatchObject({ code: 'damaged', position: 4 });
    await replica.close();
  });
});
