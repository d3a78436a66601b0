import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { NewerSchemaError } from '../../events/codec.ts';
import { SCHEMA } from '../../events/vocabulary.ts';
import { genesisOf, hashOf } from '../../log/hash.ts';
import { openSqliteStore } from '../../log/sqlite.ts';
import {
  CorruptLogError,
  NotALogError,
  type ReadOptions,
  StoreUnavailableError,
} from '../../log/store.ts';
import { temporaryFolder } from './folder.ts';
import { closedMany, readAll } from './sample.ts';

const folder = temporaryFolder();
let files = 0;
const newPath = () => join(folder, `${files++}.log`);

async function logFile(count: number): Promise<string> {
  const path = newPath();
  const store = openSqliteStore(path);
  await store.append('a', -1, closedMany(count));
  await store.close();
  return path;
}

/** A copy of a log of `count` events, changed by someone who knows SQLite. */
async function tampered(count: number, sql: string): Promise<string> {
  const path = newPath();
  copyFileSync(await logFile(count), path);
  const db = new DatabaseSync(path);
  db.exec(`DROP TRIGGER events_are_not_changed; DROP TRIGGER events_are_not_deleted; ${sql}`);
  db.close();
  return path;
}

/** How many events are delivered, and what ends the read. */
async function readUntilError(path: string, options?: ReadOptions) {
  const store = openSqliteStore(path, { readOnly: true });
  let delivered = 0;
  try {
    for await (const batch of store.read('a', options)) delivered += batch.length;
    return { delivered, error: undefined };
  } catch (error) {
    return { delivered, error };
  } finally {
    await store.close();
  }
}

describe('a log that was tampered with', () => {
  const damages: [what: string, sql: string][] = [
    [
      'a flipped byte in the data',
      "UPDATE events SET data = replace(data, ':1', ':2') WHERE position = 1500",
    ],
    [
      'another time',
      "UPDATE events SET time = '2026-01-01T00:00:00.000000Z' WHERE position = 1500",
    ],
    ['another id', "UPDATE events SET id = 'other' WHERE position = 1500"],
    ['another hash', 'UPDATE events SET hash = upper(hash) WHERE position = 1500'],
    ['a removed event', 'DELETE FROM events WHERE position = 1500'],
    [
      'a moved end',
      'UPDATE events SET position = position + 1 WHERE position = 1999; UPDATE events SET position = 1999 WHERE position = 1500',
    ],
    [
      'a position that is no number of ours',
      'UPDATE events SET position = 9223372036854775807 WHERE position = 1500',
    ],
  ];

  test.each(damages)('%s is found at its position, after all that is before it', async (_, sql) => {
    const { delivered, error } = await readUntilError(await tampered(2000, sql));
    expect(error).toBeInstanceOf(CorruptLogError);
    expect(error).toMatchObject({ position: 1500 });
    expect(delivered).toBe(1500);
  });

  test('a read that starts behind the damage, or ends before it, does not meet it', async () => {
    const path = await tampered(2000, "UPDATE events SET data = '{}' WHERE position = 1500");
    expect(await readUntilError(path, { from: 1501 })).toEqual({
      delivered: 499,
      error: undefined,
    });
    expect(await readUntilError(path, { from: 1499, direction: 'backwards' })).toEqual({
      delivered: 1500,
      error: undefined,
    });
  });

  // The last one is met before: the volume has no head.
  test.each(damages.slice(0, -1))('%s is found where positions are listed', async (_, sql) => {
    const store = openSqliteStore(await tampered(2000, sql), { readOnly: true });
    const read = (positions: readonly number[]) => [...(store.local?.many('a', positions) ?? [])];
    expect(read([0, 7, 1498, 1499])).toHaveLength(4);
    const delivered: number[] = [];
    expect(() => {
      for (const { position } of store.local?.many('a', [7, 1499, 1500, 1700]) ?? [])
        delivered.push(position);
    }).toThrow(expect.objectContaining({ name: 'CorruptLogError', position: 1500 }));
    expect(delivered).toEqual([7, 1499]);
    await store.close();
  });

  test('an event before a listed one, or after the last, that is missing is found', async () => {
    const path = await tampered(10, 'DELETE FROM events WHERE position = 4');
    const store = openSqliteStore(path, { readOnly: true });
    const read = (positions: readonly number[]) => () => [
      ...(store.local?.many('a', positions) ?? []),
    ];
    expect(read([2, 5])).toThrow(expect.objectContaining({ name: 'CorruptLogError', position: 4 }));
    expect(read([8, 10])).toThrow(
      expect.objectContaining({ name: 'CorruptLogError', position: 10 }),
    );
    expect(read([3, 6, 9])()).toHaveLength(3);
    await store.close();
  });

  test('backwards it is found as well', async () => {
    const path = await tampered(2000, "UPDATE events SET data = '{}' WHERE position = 500");
    const { delivered, error } = await readUntilError(path, { direction: 'backwards' });
    expect(error).toMatchObject({ name: 'CorruptLogError', position: 500 });
    expect(delivered).toBe(1499);
  });

  test('an event that is missing is found backwards before the one that followed it', async () => {
    const path = await tampered(10, 'DELETE FROM events WHERE position = 4');
    const { delivered, error } = await readUntilError(path, { direction: 'backwards' });
    expect(error).toMatchObject({ name: 'CorruptLogError', position: 4 });
    expect(delivered).toBe(4);
  });

  test('an event that is chained well but is none of ours is corrupt, not unknown', async () => {
    const hash = hashOf(genesisOf('b'), 0, null, 'x', 1, 'descriptor.lost', '{}');
    const row = `('b', 0, NULL, 'x', 1, 'descriptor.lost', '{}', '${hash}')`;
    const store = openSqliteStore(await tampered(1, `INSERT INTO events VALUES ${row}`));
    await expect(readAll(store, 'b')).rejects.toMatchObject({
      name: 'CorruptLogError',
      position: 0,
    });
    await store.close();
  });

  test('an event of a newer schema is not damage, and those before it are delivered', async () => {
    const original = await tampered(1, '');
    const reader = openSqliteStore(original, { readOnly: true });
    const { hash: previous } = await reader.head('a');
    await reader.close();
    const newer = SCHEMA + 1;
    const hash = hashOf(previous, 1, null, 'x', newer, 'device.dreamt', '{}');
    const db = new DatabaseSync(original);
    const row = `('a', 1, NULL, 'x', ${newer}, 'device.dreamt', '{}', '${hash}')`;
    db.exec(`INSERT INTO events VALUES ${row}`);
    db.close();
    const { delivered, error } = await readUntilError(original);
    expect(error).toBeInstanceOf(NewerSchemaError);
    expect(delivered).toBe(1);
  });
});

describe('a log that was cut or overwritten', () => {
  const pageSize = 4096;

  /** What a reader gets of a file with these bytes: ids, and what ended it. */
  async function read(bytes: Uint8Array) {
    const path = newPath();
    writeFileSync(path, bytes);
    const ids: string[] = [];
    try {
      const store = openSqliteStore(path, { readOnly: true });
      try {
        for await (const batch of store.read('a')) ids.push(...batch.map(({ id }) => id));
      } finally {
        await store.close();
      }
      return { ids, error: undefined };
    } catch (error) {
      return { ids, error };
    }
  }

  test('a log cut short is read as far as it goes and then found damaged', async () => {
    const whole = readFileSync(await logFile(600));
    for (let length = whole.length - 1; length > pageSize; length -= pageSize / 2) {
      const { ids, error } = await read(whole.subarray(0, length));
      expect(ids).toEqual(closedMany(ids.length).map(({ id }) => id));
      // The last page may be one of the index alone.
      if (error === undefined) expect(ids).toHaveLength(600);
      else expect(error).toBeInstanceOf(CorruptLogError);
    }
    const { error } = await read(whole.subarray(0, pageSize));
    expect(error).toBeInstanceOf(CorruptLogError);
  });

  test('an overwritten page is damage at the first event that was on it', async () => {
    const whole = readFileSync(await logFile(600));
    let damaged = 0;
    for (let start = pageSize; start < whole.length; start += pageSize) {
      const { ids, error } = await read(new Uint8Array(whole).fill(0, start, start + pageSize));
      expect(ids).toEqual(closedMany(ids.length).map(({ id }) => id));
      if (error === undefined) continue;
      expect(error).toMatchObject({ name: 'CorruptLogError', position: ids.length });
      damaged++;
    }
    expect(damaged).toBeGreaterThan(10);
  });

  test('a flipped bit anywhere never yields an event that was not appended', async () => {
    const whole = readFileSync(await logFile(40));
    const position = fc.integer({ min: 0, max: whole.length - 1 });
    await fc.assert(
      fc.asyncProperty(position, fc.integer({ min: 0, max: 7 }), async (at, bit) => {
        const bytes = new Uint8Array(whole);
        bytes[at]! ^= 1 << bit;
        const { ids, error } = await read(bytes);
        expect(ids).toEqual(closedMany(ids.length).map(({ id }) => id));
        const known = [CorruptLogError, NotALogError, StoreUnavailableError];
        expect(error === undefined || known.some((kind) => error instanceof kind)).toBe(true);
      }),
      { numRuns: 200 },
    );
  });
});
