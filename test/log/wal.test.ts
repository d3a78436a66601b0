/** A `-wal` that was changed alone: its log is damaged, or ends at most a transaction or two earlier. */
import { copyFileSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { openSqliteStore } from '../../log/sqlite.ts';
import { CorruptLogError, StoreUnavailableError } from '../../log/store.ts';
import { lostCommits } from '../../log/wal-frames.ts';
import { countOf } from '../support/effort.ts';
import { newFolderIn, temporaryFolder } from './folder.ts';
import { closed, closedMany, readAll } from './sample.ts';

const root = temporaryFolder();
const newLog = () => join(newFolderIn(root), 'host.ledger');

/** A log and its -wal, as a killed writer leaves them. */
interface Left {
  readonly log: Uint8Array;
  readonly wal: Uint8Array;
}

/** `rest` events are in the file, and `more` in the -wal, each a transaction of its own. */
async function left(stream: string, rest: number, more: number, fd = 0): Promise<Left> {
  const log = newLog();
  const first = openSqliteStore(log);
  const events = Array.from({ length: rest }, (_, index) => closed(`e${index}`, fd + index));
  if (rest > 0) await first.append(stream, -1, events);
  await first.close();
  const store = openSqliteStore(log);
  for (let position = rest; position < rest + more; position++) {
    await store.append(stream, position - 1, [closed(`e${position}`, fd + position)]);
  }
  const files = { log: readFileSync(log), wal: readFileSync(`${log}-wal`) };
  await store.close();
  return files;
}

function put({ log, wal }: Left): string {
  const path = newLog();
  writeFileSync(path, log);
  writeFileSync(`${path}-wal`, wal);
  return path;
}

/** The ids that are read, or `damaged`. */
async function met(path: string, stream = 'a'): Promise<readonly string[] | 'damaged'> {
  try {
    const store = openSqliteStore(path, { readOnly: true });
    try {
      return (await readAll(store, stream)).map(({ id }) => id);
    } finally {
      await store.close();
    }
  } catch (error) {
    if (error instanceof CorruptLogError) return 'damaged';
    throw error;
  }
}

const ids = (count: number) => closedMany(count).map(({ id }) => id);

/** 30 events in the file, 12 in the -wal. */
let whole: Left;
const COUNT = 42;
beforeAll(async () => {
  whole = await left('a', 30, 12);
});

/** Of a -wal, how many bytes are flipped one after the other. */
const FLIPS = countOf('bytes flipped in a -wal', { test: 60, soak: 3000 });

describe('a -wal that was changed', () => {
  test('is read as it was left', async () => {
    expect(await met(put(whole))).toEqual(ids(COUNT));
    expect(await met(put(await left('a', 0, 3)))).toEqual(ids(3));
  });

  test('in one byte: the log is damaged, or lacks the last transactions', async () => {
    const path = put(whole);
    const step = whole.wal.length / FLIPS;
    let told = 0;
    for (let at = 0; at < whole.wal.length; at += step) {
      const wal = new Uint8Array(whole.wal);
      const place = Math.floor(at);
      wal[place]! ^= 1 << (place % 8);
      writeFileSync(`${path}-wal`, wal);
      const found = await met(path);
      if (found === 'damaged') told++;
      else {
        expect(found).toEqual(ids(found.length));
        expect(found.length).toBeGreaterThanOrEqual(COUNT - 2);
      }
    }
    expect(told).toBeGreaterThan(FLIPS / 2);
  });

  test('in its header: the log is damaged, and no writer throws away what it holds', async () => {
    for (const at of [0, 5, 11, 17, 27]) {
      const wal = new Uint8Array(whole.wal);
      wal[at]! ^= 4;
      const path = put({ ...whole, wal });
      expect(await met(path)).toBe('damaged');
      expect(() => openSqliteStore(path)).toThrow(CorruptLogError);
      expect(readFileSync(`${path}-wal`).equals(wal)).toBe(true);
      expect(readFileSync(path).equals(whole.log)).toBe(true);
    }
  });

  test('cut short anywhere: it ends earlier, as after a crash', async () => {
    for (let length = 0; length < whole.wal.length; length += 5003) {
      const found = await met(put({ ...whole, wal: whole.wal.subarray(0, length) }));
      expect(found).toEqual(ids(found.length));
      expect(found.length).toBeGreaterThanOrEqual(30);
    }
  });

  test('into that of another log: it is not read into this one', async () => {
    for (const [stream, rest] of [
      ['b', 20],
      ['a', 30],
    ] as const) {
      const other = await left(stream, rest, 12, 1000);
      expect(await met(put({ log: whole.log, wal: other.wal }))).toBe('damaged');
      expect(await met(put({ log: other.log, wal: whole.wal }), stream)).toBe('damaged');
    }
  });

  test('into an older one: the events since are not given up', async () => {
    const log = newLog();
    const store = openSqliteStore(log);
    await store.append('a', -1, closedMany(2));
    copyFileSync(`${log}-wal`, `${log}.old`);
    await store.append('a', 1, closedMany(3, 2));
    await store.close();
    copyFileSync(`${log}.old`, `${log}-wal`);
    expect(await met(log)).toBe('damaged');
    expect(() => openSqliteStore(log)).toThrow(CorruptLogError);
  });

  test('cut short under a reader: what is read is right, or an error', async () => {
    const log = newLog();
    const writer = openSqliteStore(log);
    for (let position = 0; position < 20; position++) {
      await writer.append('a', position - 1, [closed(`e${position}`, position)]);
    }
    const reader = openSqliteStore(log, { readOnly: true });
    expect(await readAll(reader, 'a')).toHaveLength(20);
    truncateSync(`${log}-wal`, 5000);
    const read = await readAll(reader, 'a').then(
      (events) => events.map(({ id }) => id),
      (error: unknown) => error,
    );
    if (Array.isArray(read)) expect(read).toEqual(ids(20));
    else {
      const known = [CorruptLogError, StoreUnavailableError];
      expect(known.some((kind) => read instanceof kind)).toBe(true);
    }
    await reader.close();
  });
});

describe('a -wal that a crash left', () => {
  /** The size of a frame: its header and a page. */
  const frame = 24 + 4096;
  const walOf = (bytes: Uint8Array) => {
    const path = join(newFolderIn(root), 'wal');
    writeFileSync(path, bytes);
    return path;
  };

  test('half written in its last transaction is as SQLite leaves it', () => {
    for (let back = 1; back <= frame; back += 97) {
      const bytes = new Uint8Array(whole.wal);
      bytes.fill(0, bytes.length - back);
      expect(lostCommits(walOf(bytes))).toBe(0);
    }
    expect(lostCommits(walOf(new Uint8Array(0)))).toBe(0);
    expect(lostCommits(walOf(new Uint8Array(3 * frame)))).toBe(0);
    expect(lostCommits(walOf(whole.wal))).toBe(0);
  });

  test('a page of an earlier transaction that is lost is not', () => {
    const bytes = new Uint8Array(whole.wal);
    bytes.fill(0, 32 + 24, 32 + frame);
    expect(lostCommits(walOf(bytes))).toBeGreaterThan(9);
  });
});
