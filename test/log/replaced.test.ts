/** A file of a log that another takes the place of, or that is changed, while a program has it open. */
import {
  copyFileSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openLedger } from '../../ledger.ts';
import { openSqliteStore } from '../../log/sqlite.ts';
import { CorruptLogError, type Store, StoreUnavailableError } from '../../log/store.ts';
import { newFolderIn, temporaryFolder } from './folder.ts';
import { closed, readAll } from './sample.ts';

const root = temporaryFolder();
const newLog = () => join(newFolderIn(root), 'host.ledger');

/** A log of `count` events, whose descriptors begin with `fd`: two such logs have the same size. */
async function logOf(count: number, fd = 0): Promise<string> {
  const log = newLog();
  const store = openSqliteStore(log);
  await store.append(
    'a',
    -1,
    Array.from({ length: count }, (_, index) => closed(`e${index}`, fd + index)),
  );
  await store.close();
  return log;
}

const fds = async (store: Store) =>
  (await readAll(store, 'a')).map((event) => (event.data as { fd: number }).fd);

describe('another file in the place of a log', () => {
  test('is not read by a program that had the log open', async () => {
    const [log, other] = [await logOf(300), await logOf(400, 1000)];
    const reader = openSqliteStore(log, { readOnly: true });
    expect(await fds(reader)).toHaveLength(300);
    renameSync(other, log);
    await expect(reader.head('a')).rejects.toThrow(StoreUnavailableError);
    await expect(fds(reader)).rejects.toThrow(/another file than the one that was opened/);
    expect(() => [...(reader.local?.many('a', [7]) ?? [])]).toThrow(StoreUnavailableError);
    await reader.close();
  });

  test('does not continue the history of a ledger', async () => {
    const [log, other] = [await logOf(300), await logOf(400, 1000)];
    const ledger = await openLedger(log, { readOnly: true, derived: false });
    copyFileSync(other, log);
    await expect(ledger.refresh()).rejects.toThrow(CorruptLogError);
    expect(ledger.head.position).toBe(299);
    expect(ledger.event(7)?.data).toEqual({ pid: 100, fd: 7 });
    await ledger.close();
  });

  test('gets no events of a writer, nor does a file that was moved away', async () => {
    for (const place of [
      (log: string) => renameSync(log, `${log}.moved`),
      (log: string) => rmSync(log),
    ]) {
      const log = await logOf(3);
      const other = await logOf(5, 1000);
      const before = readFileSync(other);
      const writer = openSqliteStore(log);
      await writer.append('a', 2, [closed('x')]);
      place(log);
      await expect(writer.append('a', 3, [closed('y')])).rejects.toThrow(StoreUnavailableError);
      copyFileSync(other, log);
      await expect(writer.append('a', 3, [closed('y')])).rejects.toThrow(StoreUnavailableError);
      expect(readFileSync(log).equals(before)).toBe(true);
      await writer.close();
    }
  });
});

describe('a log that is changed without SQLite while it is open', () => {
  test('overwritten by another log: no event of that one is read', async () => {
    const [log, other] = [await logOf(3000), await logOf(3000, 5000)];
    const reader = openSqliteStore(log, { readOnly: true });
    const right = await fds(reader);
    const bytes = readFileSync(log);
    writeFileSync(log, readFileSync(other));
    await expect(fds(reader)).rejects.toThrow(CorruptLogError);
    expect(() => [...(reader.local?.many('a', [2000]) ?? [])]).toThrow(CorruptLogError);
    writeFileSync(log, bytes);
    expect(await fds(reader)).toEqual(right);
    await reader.close();
  });

  test('truncated: what is read is right, and the end is missed', async () => {
    const whole = await logOf(3000);
    const { length } = readFileSync(whole);
    for (const share of [0, 0.01, 0.3, 0.7, 0.99]) {
      const log = newLog();
      copyFileSync(whole, log);
      const reader = openSqliteStore(log, { readOnly: true });
      const { position } = await reader.head('a');
      truncateSync(log, Math.floor(share * length));
      const read: number[] = [];
      const all = (async () => {
        for await (const batch of reader.read('a')) {
          read.push(...batch.map((event) => (event.data as { fd: number }).fd));
        }
      })();
      await expect(all).rejects.toThrow(expect.objectContaining({ code: 'damaged' }));
      expect(position).toBe(2999);
      expect(read).toEqual(Array.from(read, (_, index) => index));
      await reader.close();
    }
  });
});
