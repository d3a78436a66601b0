import {
  chmodSync,
  copyFileSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, test } from 'vitest';
import { openSqliteStore } from '../../log/sqlite.ts';
import { NotALogError, StoreUnavailableError } from '../../log/store.ts';
import { newFolderIn, temporaryFolder } from './folder.ts';
import { closed, closedMany, readAll } from './sample.ts';

const root = temporaryFolder();
const newFolder = () => newFolderIn(root);

async function logOf(count: number, path = join(newFolder(), 'ledger.log')): Promise<string> {
  const store = openSqliteStore(path);
  await store.append('a', -1, closedMany(count));
  await store.close();
  return path;
}

/** A log as it lies there when someone copies it while it is in use, without its companions. */
async function copiedInUse(): Promise<string> {
  const log = await logOf(2);
  const store = openSqliteStore(log);
  const path = join(newFolder(), 'ledger.log');
  copyFileSync(log, path);
  await store.close();
  return path;
}

/** A log as it lies there when its writer is killed on the way into WAL mode or out of it. */
async function killedInBetween(): Promise<string> {
  const original = await logOf(2);
  const path = join(newFolder(), 'ledger.log');
  const db = new DatabaseSync(original);
  db.exec('BEGIN; PRAGMA user_version = 1');
  const journal = readFileSync(`${original}-journal`);
  copyFileSync(original, path);
  db.close();
  // What a sync would have put there: the journal is valid, and holds one page.
  journal.write('d9d505f920a163d700000001', 'hex');
  writeFileSync(`${path}-journal`, journal);
  return path;
}

function sqliteFile(sql: string): string {
  const path = join(newFolder(), 'other.db');
  const db = new DatabaseSync(path);
  db.exec(sql);
  db.close();
  return path;
}

function textFile(content: string | Uint8Array): string {
  const path = join(newFolder(), 'file');
  writeFileSync(path, content);
  return path;
}

const contents = (path: string) => {
  const folder = join(path, '..');
  return Object.fromEntries(
    readdirSync(folder).map((name) => [name, readFileSync(join(folder, name)).toString('hex')]),
  );
};

/** Root may write everywhere, so it lets go of that for the time of `act`. */
async function withoutPrivileges(act: () => Promise<void>): Promise<void> {
  if (process.geteuid?.() !== 0) return act();
  chmodSync(root, 0o755);
  process.seteuid?.(65534);
  try {
    await act();
  } finally {
    process.seteuid?.(0);
  }
}

describe('what is not a log', () => {
  test('nothing there is no log to read, and stays nothing', () => {
    const path = join(newFolder(), 'ledger.log');
    expect(() => openSqliteStore(path, { readOnly: true })).toThrow(NotALogError);
    expect(() => openSqliteStore(path, { readOnly: true })).toThrow(`no log at ${path}`);
    expect(contents(path)).toEqual({});
  });

  test('a folder is refused', () => {
    const path = newFolder();
    expect(() => openSqliteStore(path)).toThrow(NotALogError);
    expect(() => openSqliteStore(path, { readOnly: true })).toThrow(NotALogError);
  });

  const foreign: [what: string, make: () => string][] = [
    ['a text', () => textFile('host.booted\n'.repeat(1000))],
    ['a short text', () => textFile('x')],
    ['a file of zeros', () => textFile(new Uint8Array(8192))],
    ['no more than the first bytes of an SQLite file', () => textFile('SQLite format 3\0')],
    ['an SQLite file of someone else', () => sqliteFile('CREATE TABLE events (stream TEXT)')],
    ['an SQLite file without tables', () => sqliteFile('PRAGMA user_version = 1; VACUUM')],
    [
      'an SQLite file in WAL mode',
      () => sqliteFile('PRAGMA journal_mode = WAL; CREATE TABLE t (x)'),
    ],
  ];

  test.each(foreign)('%s is refused and left untouched', (_, make) => {
    const path = make();
    const before = contents(path);
    expect(() => openSqliteStore(path)).toThrow(NotALogError);
    expect(() => openSqliteStore(path, { readOnly: true })).toThrow(NotALogError);
    expect(contents(path)).toEqual(before);
  });

  test('a log of a newer format is refused and left untouched', async () => {
    const path = await logOf(1);
    const db = new DatabaseSync(path);
    db.exec('PRAGMA user_version = 3');
    db.close();
    const before = contents(path);
    for (const readOnly of [false, true]) {
      expect(() => openSqliteStore(path, { readOnly })).toThrow(NotALogError);
      expect(() => openSqliteStore(path, { readOnly })).toThrow('was written by a newer release');
    }
    expect(contents(path)).toEqual(before);
  });

  test('an empty file is no log to read, but becomes one when it is written to', async () => {
    const path = textFile('');
    expect(() => openSqliteStore(path, { readOnly: true })).toThrow(NotALogError);
    expect(contents(path)).toEqual({ file: '' });
    await logOf(2, path);
    const store = openSqliteStore(path, { readOnly: true });
    expect(await readAll(store, 'a')).toHaveLength(2);
    await store.close();
  });
});

describe('surroundings that fail', () => {
  test('a missing folder is not created', () => {
    const folder = newFolder();
    const path = join(folder, 'missing', 'ledger.log');
    expect(() => openSqliteStore(path)).toThrow(StoreUnavailableError);
    expect(() => openSqliteStore(path)).toThrow(path);
    expect(() => openSqliteStore(path, { readOnly: true })).toThrow(NotALogError);
    expect(readdirSync(folder)).toEqual([]);
  });

  test('a file in the place of the folder is no folder', () => {
    const path = join(textFile('text'), 'ledger.log');
    expect(() => openSqliteStore(path)).toThrow(StoreUnavailableError);
    expect(() => openSqliteStore(path, { readOnly: true })).toThrow(NotALogError);
  });

  test('a file or a folder that may not be written can be read and not be written', async () => {
    const paths = [await logOf(2), await copiedInUse()];
    for (const path of paths) {
      chmodSync(path, 0o444);
      chmodSync(join(path, '..'), 0o555);
    }
    await withoutPrivileges(async () => {
      for (const path of paths) {
        expect(() => openSqliteStore(path)).toThrow(StoreUnavailableError);
        const store = openSqliteStore(path, { readOnly: true });
        expect(await readAll(store, 'a')).toHaveLength(2);
        await store.close();
      }
      const absent = join(paths[0]!, '..', 'absent.log');
      expect(() => openSqliteStore(absent)).toThrow(StoreUnavailableError);
    });
    for (const path of paths) chmodSync(join(path, '..'), 0o755);
  });

  test('a file that may not be read is said to be so', async () => {
    const path = await logOf(2);
    chmodSync(path, 0);
    await withoutPrivileges(async () => {
      expect(() => openSqliteStore(path)).toThrow(StoreUnavailableError);
      expect(() => openSqliteStore(path, { readOnly: true })).toThrow(StoreUnavailableError);
    });
  });

  test('appending to a log that is open for reading is refused', async () => {
    const store = openSqliteStore(await logOf(2), { readOnly: true });
    await expect(store.append('a', 1, [closed('x')])).rejects.toThrow(StoreUnavailableError);
    await store.close();
  });

  test('a log that someone keeps locked cannot be written', async () => {
    const path = await logOf(2);
    const store = openSqliteStore(path, { busyTimeoutMs: 1 });
    const other = new DatabaseSync(path);
    other.exec('BEGIN IMMEDIATE');
    await expect(store.append('a', 1, [closed('x')])).rejects.toThrow(StoreUnavailableError);
    other.exec('ROLLBACK');
    other.close();
    expect((await store.append('a', 1, [closed('x')])).appended).toBe(1);
    await store.close();
  });
});

describe('reading leaves no trace', () => {
  test('neither in a log at rest nor where a copy or a crash left half of one', async () => {
    for (const path of [await logOf(2000), await copiedInUse(), await killedInBetween()]) {
      const before = contents(path);
      const store = openSqliteStore(path, { readOnly: true });
      expect(await readAll(store, 'a')).not.toEqual([]);
      expect(await readAll(store, 'a', { direction: 'backwards' })).not.toEqual([]);
      expect(await store.streams()).toEqual(['a']);
      expect(contents(path)).toEqual(before);
      await store.close();
      expect(contents(path)).toEqual(before);
    }
  });

  test('a writer mends what a killed one left', async () => {
    const path = await killedInBetween();
    const store = openSqliteStore(path);
    expect((await store.append('a', 1, [closed('x')])).head.position).toBe(2);
    await store.close();
    expect(Object.keys(contents(path))).toEqual(['ledger.log']);
  });

  test('a log that was written to is one file once it is closed', async () => {
    const path = await logOf(2);
    expect(Object.keys(contents(path))).toEqual(['ledger.log']);
  });

  test('a copy of a log in use is read as it is then, and on when it is written to', async () => {
    const path = await copiedInUse();
    const reader = openSqliteStore(path, { readOnly: true });
    expect((await reader.head('a')).position).toBe(1);
    const writer = openSqliteStore(path);
    await writer.append('a', 1, [closed('x')]);
    expect((await reader.head('a')).position).toBe(2);
    await writer.append('a', 2, [closed('y')]);
    await writer.close();
    expect(await readAll(reader, 'a')).toHaveLength(4);
    await reader.close();
  });

  test('odd names are names of files all the same', async () => {
    const folder = newFolder();
    for (const name of [':memory:', 'file:x?mode=memory', 'a b%20c#d', 'é']) {
      await logOf(2, join(folder, name));
      expect(readdirSync(folder)).toContain(name);
    }
    symlinkSync(join(folder, 'é'), join(folder, 'link'));
    const store = openSqliteStore(join(folder, 'link'), { readOnly: true });
    expect(await readAll(store, 'a')).toHaveLength(2);
    await store.close();
  });
});
