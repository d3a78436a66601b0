import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { genesisOf, hashOf } from '../../log/hash.ts';
import { memoryStore } from '../../log/memory.ts';
import { openSqliteStore } from '../../log/sqlite.ts';
import { RevisionConflictError, StoreUnavailableError } from '../../log/store.ts';
import { storeContract } from './contract.ts';
import { temporaryFolder } from './folder.ts';
import { closed, closedMany, readAll } from './sample.ts';
import { countOf } from '../support/effort.ts';

const folder = temporaryFolder();
let files = 0;
const newPath = () => join(folder, `${files++}.log`);

storeContract('sqlite', () => openSqliteStore(newPath()));

interface Columns {
  readonly position: number;
  readonly time: string | null;
  readonly id: string;
  readonly schema: number;
  readonly type: string;
  readonly data: string;
  readonly hash: string;
}

describe('events in the file', () => {
  test('SQLite itself refuses to change or delete them', async () => {
    const path = newPath();
    const store = openSqliteStore(path);
    await store.append('a', -1, closedMany(2));
    const db = new DatabaseSync(path);
    expect(() => db.exec("UPDATE events SET data = '{}'")).toThrow('never changed');
    expect(() => db.exec('DELETE FROM events WHERE position = 1')).toThrow('never deleted');
    db.close();
    expect(await readAll(store, 'a')).toHaveLength(2);
    await store.close();
  });

  test('they are there after a reopen, and the chain goes on', async () => {
    const path = newPath();
    const first = openSqliteStore(path);
    const { head } = await first.append('a', -1, closedMany(2));
    await first.close();
    const second = openSqliteStore(path);
    expect(await second.head('a')).toEqual(head);
    expect((await second.append('a', 1, [closed('next')])).head.position).toBe(2);
    expect(await readAll(second, 'a')).toHaveLength(3);
    await second.close();
  });

  test('the columns alone are enough to compute every hash again', async () => {
    const path = newPath();
    const store = openSqliteStore(path);
    await store.append('a', -1, [closed('x', 3, '2026-01-02T03:04:05Z'), closed('ÿ', -1)]);
    await store.close();
    const db = new DatabaseSync(path);
    let previous = genesisOf('a');
    for (const row of db.prepare('SELECT * FROM events ORDER BY position').all()) {
      const { position, time, id, schema, type, data, hash } = row as unknown as Columns;
      expect(hash).toBe(hashOf(previous, position, time, id, schema, type, data));
      previous = hash;
    }
    db.close();
  });

  test('a memory and an SQLite log of the same events have the same head', async () => {
    const anyEvent = fc.record({
      id: fc.constantFrom('a', 'b', 'c', 'd', 'é', '𝄞'),
      time: fc.option(fc.constantFrom('2026-01-02T03:04:05Z', '2026-01-02T05:04:05.5+02:00')),
      type: fc.constant('process.started' as const),
      data: fc.record({
        pid: fc.nat(),
        comm: fc.string({ unit: 'binary', minLength: 1 }),
        cgroup: fc.constant(null),
      }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(anyEvent, { maxLength: 6 }), async (events) => {
        const stores = [memoryStore(), openSqliteStore(newPath())];
        const [inMemory, inFile] = await Promise.all(
          stores.map(async (store) => {
            const result = await store.append('a', -1, events);
            const read = await readAll(store, 'a');
            await store.close();
            return { result, read };
          }),
        );
        expect(inFile).toEqual(inMemory);
      }),
      { numRuns: countOf('heads of two stores', { test: 5, soak: 50 }) },
    );
  });
});

describe('two that have one file open', () => {
  test('the one that comes second conflicts, and is told where the head is', async () => {
    const path = newPath();
    const [one, other] = [openSqliteStore(path), openSqliteStore(path)];
    await one.append('a', -1, closedMany(2));
    const late = other.append('a', -1, [closed('late')]);
    await expect(late).rejects.toThrow(RevisionConflictError);
    await expect(late).rejects.toMatchObject({ expected: -1, actual: 1 });
    expect((await other.append('a', 1, [closed('late')])).head.position).toBe(2);
    await one.close();
    expect(await readAll(other, 'a')).toHaveLength(3);
    await other.close();
  });

  test('a reader sees what a writer appends, before and after the writer has closed', async () => {
    const path = newPath();
    await openSqliteStore(path).close();
    const reader = openSqliteStore(path, { readOnly: true });
    expect((await reader.head('a')).position).toBe(-1);
    const writer = openSqliteStore(path);
    await writer.append('a', -1, closedMany(2));
    expect(await readAll(reader, 'a')).toHaveLength(2);
    await writer.append('a', 1, closedMany(1, 2));
    await writer.close();
    expect(await readAll(reader, 'a')).toHaveLength(3);
    await reader.close();
  });

  test('a reader is not kept waiting by a writer in the middle of a transaction', async () => {
    const path = newPath();
    const store = openSqliteStore(path);
    await store.append('a', -1, closedMany(2));
    const writer = new DatabaseSync(path);
    writer.exec('BEGIN IMMEDIATE');
    const reader = openSqliteStore(path, { readOnly: true });
    expect(await readAll(reader, 'a')).toHaveLength(2);
    await reader.close();
    writer.exec('ROLLBACK');
    writer.close();
    await store.close();
  });

  test('what a process acknowledged before it was killed is in the log', async () => {
    const path = newPath();
    const module = pathToFileURL(join(import.meta.dirname, '../../log/sqlite.ts')).href;
    const program = `
      import { openSqliteStore } from '${module}';
      const store = openSqliteStore(process.argv[1]);
      for (let fd = 0; ; fd++) {
        const event = { id: 'e' + fd, time: null, type: 'descriptor.closed', data: { pid: 1, fd } };
        const { head } = await store.append('a', fd - 1, [event]);
        console.log(head.position + ':' + head.hash);
      }`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', program, path], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const exit = once(child, 'exit');
    const acknowledged: string[] = [];
    for await (const line of createInterface({ input: child.stdout })) {
      acknowledged.push(line);
      if (acknowledged.length === 20) child.kill('SIGKILL');
    }
    expect((await exit)[1]).toBe('SIGKILL');
    const store = openSqliteStore(path, { readOnly: true });
    const heads = (await readAll(store, 'a')).map(({ position, hash }) => `${position}:${hash}`);
    expect(heads.slice(0, acknowledged.length)).toEqual(acknowledged);
    await store.close();
  });
});

describe('a closed store', () => {
  test('closing writes what waits and may be done twice', async () => {
    const path = newPath();
    const store = openSqliteStore(path);
    const append = store.append('a', -1, [closed('x')]);
    await store.close();
    await store.close();
    expect((await append).appended).toBe(1);
    await expect(store.append('a', 0, [closed('y')])).rejects.toThrow(StoreUnavailableError);
    await expect(readAll(store, 'a')).rejects.toThrow(`${path} is closed`);
    await expect(store.head('a')).rejects.toThrow(StoreUnavailableError);
  });
});
