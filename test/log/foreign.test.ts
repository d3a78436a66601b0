/** Files of a log that hold what vfio-ledger has not put there: they are read, and not written to. */
import { copyFileSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, test } from 'vitest';
import { openLedger } from '../../ledger.ts';
import { retainLog } from '../../log/retention.ts';
import { sealLog } from '../../log/seal.ts';
import { openSqliteStore } from '../../log/sqlite.ts';
import { groupCommit } from '../../log/sqlite-write.ts';
import { Volumes } from '../../log/sqlite-volumes.ts';
import { entryOf } from '../../log/row.ts';
import {
  CorruptLogError,
  ForeignContentError,
  type Store,
  StoreUnavailableError,
} from '../../log/store.ts';
import { newFolderIn, temporaryFolder } from './folder.ts';
import { closed, closedMany, readAll } from './sample.ts';

const root = temporaryFolder();
const newLog = () => join(newFolderIn(root), 'host.ledger');

async function logOf(count: number): Promise<string> {
  const log = newLog();
  const store = openSqliteStore(log);
  await store.append('a', -1, closedMany(count));
  await store.close();
  return log;
}

/** Changes a file as someone does who knows SQLite. */
function change(file: string, sql: string): void {
  const db = new DatabaseSync(file, { defensive: false });
  db.exec(sql);
  db.close();
}

const contents = (log: string) => {
  const folder = join(log, '..');
  return Object.fromEntries(
    readdirSync(folder).map((name) => [name, readFileSync(join(folder, name)).toString('hex')]),
  );
};

async function reading<T>(log: string, ask: (store: Store) => Promise<T>): Promise<T> {
  const store = openSqliteStore(log, { readOnly: true });
  try {
    return await ask(store);
  } finally {
    await store.close();
  }
}

const insert = (stream: string) =>
  `INSERT INTO events VALUES (${stream}, 0, NULL, 'x', 1, 'descriptor.closed', '{}', 'x')`;
/** With it, what SQLite lists can be changed like rows. */
const listing = (sql: string) => `PRAGMA writable_schema = ON; ${sql}`;

const topology = {
  kernel: '7.3.4',
  iommufd: true,
  devices: [{ name: 'gpu', bdf: '0000:3b:00.0', group: 26, driver: 'vfio-pci', cdev: 'vfio0' }],
};

const swallow = `CREATE TRIGGER swallow BEFORE INSERT ON events
  WHEN NEW.type = 'operation.refused' BEGIN SELECT RAISE(IGNORE); END`;

const foreign: [what: string, sql: string, part: object][] = [
  ['a trigger', swallow, { kind: 'trigger', name: 'swallow', table: 'events' }],
  [
    'another trigger under a name of ours',
    `DROP TRIGGER events_are_not_changed; CREATE TRIGGER events_are_not_changed
     BEFORE UPDATE ON events BEGIN SELECT 1; END`,
    { kind: 'trigger', name: 'events_are_not_changed' },
  ],
  [
    'the trigger of a seal, without a seal',
    `CREATE TRIGGER events_end_here BEFORE INSERT ON events
     BEGIN SELECT RAISE(ABORT, 'the log is sealed'); END`,
    { kind: 'trigger', name: 'events_end_here' },
  ],
  ['a table', 'CREATE TABLE notes (text)', { kind: 'table', name: 'notes', table: null }],
  ['a view', 'CREATE VIEW hosts AS SELECT stream FROM events', { kind: 'view', name: 'hosts' }],
  ['an index', 'CREATE INDEX ids ON events (id)', { kind: 'index', name: 'ids', table: 'events' }],
  ['rows without a name', insert("''"), { kind: 'rows', name: '', table: 'events' }],
  ['rows whose name holds NUL', insert("'a' || char(0)"), { kind: 'rows', name: 'a\0' }],
  [
    'rows whose name is not UTF-8',
    insert("CAST(x'61ff' AS TEXT)"),
    { kind: 'rows', name: 'a\uFFFD' },
  ],
];

describe('what is foreign in a file', () => {
  test.each(foreign)('%s is found, and nothing is written to the file', async (_, sql, part) => {
    const log = await logOf(3);
    change(log, sql);
    const before = contents(log);
    await reading(log, async (store) => {
      const examined = await store.examine();
      expect(examined).toMatchObject({ faults: [], foreign: [{ path: log, ...part }] });
      expect((await readAll(store, 'a')).map(({ id }) => id)).toEqual(['e0', 'e1', 'e2']);
      expect(await store.streams()).toEqual(['a']);
    });
    expect(() => openSqliteStore(log)).toThrow(ForeignContentError);
    expect(() => openSqliteStore(log)).toThrow(
      expect.objectContaining({ code: 'foreign', foreign: [expect.objectContaining(part)] }),
    );
    expect(() => sealLog(log)).toThrow(ForeignContentError);
    expect(contents(log)).toEqual(before);
  });

  test('rows that no host can have hide no host behind them', async () => {
    const log = await logOf(1);
    const store = openSqliteStore(log);
    await store.append('b', -1, closedMany(2));
    await store.close();
    change(log, `${insert("'a' || char(0)")}; ${insert("CAST(x'61ff' AS TEXT)")}`);
    await reading(log, async (read) => {
      expect(await read.streams()).toEqual(['a', 'b']);
      expect((await read.examine()).foreign).toHaveLength(2);
    });
  });

  const replaced: [what: string, sql: string, part: object][] = [
    [
      'a table that is not STRICT',
      listing("UPDATE sqlite_schema SET sql = replace(sql, 'STRICT, ', '') WHERE name = 'events'"),
      { kind: 'table', name: 'events' },
    ],
    [
      'a column too many',
      "ALTER TABLE events ADD COLUMN note TEXT AS ('')",
      { kind: 'table', name: 'events' },
    ],
    [
      'a view in the place of a seal',
      "CREATE VIEW seal AS SELECT 'a' AS stream, 0 AS position, '' AS hash, '' AS digest",
      { kind: 'view', name: 'seal' },
    ],
    [
      'other anchors',
      'CREATE TABLE anchors (stream, position, hash, digest)',
      { kind: 'table', name: 'anchors' },
    ],
    ['a setting', 'PRAGMA auto_vacuum = FULL; VACUUM', { kind: 'setting', name: 'auto_vacuum' }],
  ];

  test.each(replaced)('%s is not read at all, and not written to', async (_, sql, part) => {
    const log = await logOf(3);
    change(log, sql);
    const before = contents(log);
    expect(() => openSqliteStore(log, { readOnly: true })).toThrow(CorruptLogError);
    expect(() => openSqliteStore(log, { readOnly: true })).toThrow(
      expect.objectContaining({ position: null, foreign: expect.objectContaining(part) }),
    );
    expect(() => openSqliteStore(log)).toThrow(ForeignContentError);
    expect(contents(log)).toEqual(before);
  });

  test.each([
    [`${swallow}; ${listing("UPDATE sqlite_schema SET name = 'sqlite_x' WHERE name = 'swallow'")}`],
    [
      `CREATE TABLE x (text);
       ${listing("UPDATE sqlite_schema SET name = 'sqlite_x', tbl_name = 'sqlite_x' WHERE name = 'x'")}`,
    ],
  ])('what has a name of SQLite itself is damage: %s', async (sql) => {
    const log = await logOf(3);
    change(log, sql);
    const before = contents(log);
    expect(() => openSqliteStore(log, { readOnly: true })).toThrow(CorruptLogError);
    expect(() => openSqliteStore(log)).toThrow(CorruptLogError);
    expect(contents(log)).toEqual(before);
  });

  test('a trigger in a -wal that a killed writer left keeps both files as they are', async () => {
    const log = await logOf(3);
    const store = openSqliteStore(log);
    change(log, swallow);
    const copy = newLog();
    for (const end of ['', '-wal']) copyFileSync(log + end, copy + end);
    await store.close();
    expect(await reading(copy, (read) => read.examine())).toMatchObject({
      foreign: [{ kind: 'trigger', name: 'swallow' }],
    });
    const files = () => [readFileSync(copy), readFileSync(`${copy}-wal`)];
    const before = files();
    expect(() => openSqliteStore(copy)).toThrow(ForeignContentError);
    expect(files()).toEqual(before);
  });

  test('an index that lacks rows hides no event', async () => {
    const log = await logOf(9);
    change(
      log,
      `CREATE INDEX forged ON events (stream, position, id, hash) WHERE position < 4; ANALYZE;
       UPDATE sqlite_stat1 SET stat = '1000000 1000000 1000000' WHERE idx = 'events';
       UPDATE sqlite_stat1 SET stat = '9 1 1 1 1' WHERE idx = 'forged';
       ${listing("UPDATE sqlite_schema SET sql = replace(sql, ' WHERE position < 4', '') WHERE name = 'forged'")}`,
    );
    await reading(log, async (store) => {
      expect((await store.head('a')).position).toBe(8);
      expect(await readAll(store, 'a')).toHaveLength(9);
      expect(await store.known('a', ['e2', 'e7'])).toEqual(new Set(['e2', 'e7']));
    });
  });
});

describe('a trigger that is put in while the log is open', () => {
  test('ends appending, and nothing is swallowed', async () => {
    const log = await logOf(3);
    const store = openSqliteStore(log);
    await store.append('a', 2, [closed('x')]);
    const other = new DatabaseSync(log);
    other.exec('CREATE TRIGGER swallow BEFORE INSERT ON events BEGIN SELECT RAISE(IGNORE); END');
    await expect(store.append('a', 3, [closed('y')])).rejects.toThrow(ForeignContentError);
    other.exec('DROP TRIGGER swallow');
    other.close();
    expect((await store.append('a', 3, [closed('y')])).head.position).toBe(4);
    await store.close();
  });

  test('an append that changes no row is an error, and is not known already', async () => {
    const log = await logOf(3);
    const volumes = new Volumes(log, { readOnly: false, timeout: 100 });
    // Only this connection has it, so that no look at the file shows it.
    volumes.newest.db.exec(
      `CREATE TEMP TRIGGER swallow BEFORE INSERT ON events WHEN NEW.id = 'y'
       BEGIN SELECT RAISE(IGNORE); END`,
    );
    const writer = groupCommit(volumes);
    const [x, y] = [entryOf(closed('x')), entryOf(closed('y'))];
    await expect(writer.append('a', 2, [x, y])).rejects.toThrow(StoreUnavailableError);
    expect((await writer.append('a', 2, [x])).head.position).toBe(3);
    volumes.close();
    expect(await reading(log, (store) => readAll(store, 'a'))).toHaveLength(4);
  });
});

describe('an older file that holds something foreign', () => {
  test('is not merged with its -wal, and retain leaves all files as they are', async () => {
    const log = newLog();
    // The host has booted since, so that what was sealed may go.
    for (const isSealed of [true, false]) {
      const ledger = await openLedger(log);
      await ledger.simulate('open_iommufd I\n', { topology });
      await ledger.close();
      if (isSealed) sealLog(log);
    }
    change(log, 'CREATE VIEW hosts AS SELECT stream FROM events');
    const before = contents(log);
    const retained = retainLog(log, { keep: 0, at: '2026-11-30T00:00:00Z' });
    await expect(retained).rejects.toThrow(ForeignContentError);
    expect(contents(log)).toEqual(before);
    expect(await reading(log, (read) => read.examine())).toMatchObject({
      faults: [],
      foreign: [{ path: log, kind: 'view', name: 'hosts' }],
    });
  });
});

describe('what is not foreign', () => {
  const corpus = join(import.meta.dirname, 'corpus');
  const logs = readdirSync(corpus).filter((name) => name.endsWith('.ledger'));

  test.each(logs)('a log of an older release: %s', async (name) => {
    const log = newLog();
    for (const file of readdirSync(corpus)) {
      if (file.startsWith(name)) copyFileSync(join(corpus, file), log + file.slice(name.length));
    }
    expect(await reading(log, (store) => store.examine())).toMatchObject({
      faults: [],
      foreign: [],
      lostGuards: [],
    });
    const store = openSqliteStore(log);
    const [host = ''] = await store.streams();
    const { position } = await store.head(host);
    expect((await store.append(host, position, [closed('new')])).appended).toBe(1);
    await store.close();
  });

  test.each(['ANALYZE', 'VACUUM', 'PRAGMA page_size = 8192; VACUUM'])('%s', async (sql) => {
    const log = await logOf(30);
    change(log, sql);
    expect(await reading(log, (store) => store.examine())).toMatchObject({ foreign: [] });
    const store = openSqliteStore(log);
    expect((await store.append('a', 29, [closed('x')])).appended).toBe(1);
    await store.close();
  });

  test('all files of a log that was sealed, and a trigger that is lost', async () => {
    const log = await logOf(3);
    sealLog(log);
    change(log, 'DROP TRIGGER events_are_not_deleted');
    expect(await reading(log, (store) => store.examine())).toEqual({
      faults: [],
      foreign: [],
      lostGuards: [{ path: log, guard: 'events_are_not_deleted' }],
    });
  });
});
