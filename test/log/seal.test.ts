import { spawn } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import { describe, expect, test } from 'vitest';
import { openLedger, type Ledger } from '../../ledger.ts';
import { retainLog } from '../../log/retention.ts';
import { sealLog } from '../../log/seal.ts';
import { openSqliteStore } from '../../log/sqlite.ts';
import {
  CorruptLogError,
  NotALogError,
  type Store,
  StoreUnavailableError,
} from '../../log/store.ts';
import { countOf } from '../support/effort.ts';
import { storeContract } from './contract.ts';
import { newFolderIn, temporaryFolder } from './folder.ts';
import { closed, closedMany, readAll } from './sample.ts';

const root = temporaryFolder();
const KILLS = countOf('kills as it seals', { test: 6, soak: 20, full: 60 });
const newLog = () => join(newFolderIn(root), 'host.ledger');

/** A store whose log is sealed after every append. */
function sealedEachTime(): Store {
  const log = newLog();
  const store = openSqliteStore(log);
  return {
    ...store,
    async append(...call) {
      const result = await store.append(...call);
      if (result.appended > 0) sealLog(log);
      return result;
    },
  };
}

storeContract('sqlite, sealed after every append', sealedEachTime);

/** A log of `count` files of two events each, the last of them open. */
async function logOf(count: number): Promise<string> {
  const log = newLog();
  const store = openSqliteStore(log);
  for (let number = 0; number < count; number++) {
    if (number > 0) sealLog(log);
    await store.append('a', number * 2 - 1, closedMany(2, number * 2));
  }
  await store.close();
  return log;
}

const ids = async (store: Store) => (await readAll(store, 'a')).map(({ id }) => id);

describe('a log that is sealed', () => {
  test('takes no more events in that file, whoever asks', async () => {
    const log = await logOf(2);
    const db = new DatabaseSync(log);
    const values = "'a', 2, NULL, 'x', 2, 'descriptor.closed', '{}', ''";
    expect(() => db.exec(`INSERT INTO events VALUES (${values})`)).toThrow('the log is sealed');
    expect(() => db.exec("UPDATE seal SET hash = ''")).toThrow('never changed');
    expect(() => db.exec('DELETE FROM seal')).toThrow('never deleted');
    db.close();
  });

  test('goes on in the next for those who have it open to write and to read', async () => {
    const log = newLog();
    const [one, other] = [openSqliteStore(log), openSqliteStore(log)];
    await one.append('a', -1, closedMany(2));
    const reader = openSqliteStore(log, { readOnly: true });
    expect(await ids(reader)).toHaveLength(2);
    const seal = sealLog(log);
    expect(seal).toMatchObject({ sealed: log, next: `${log}.0002` });
    await one.append('a', 1, closedMany(1, 2));
    await other.append('a', 2, closedMany(1, 3));
    await other.append('b', -1, closedMany(1));
    expect(await ids(reader)).toEqual(['e0', 'e1', 'e2', 'e3']);
    expect(await reader.streams()).toEqual(['a', 'b']);
    for (const store of [reader, one, other]) await store.close();
    for (const file of [log, `${log}.0002`]) expect(existsSync(`${file}-wal`)).toBe(false);
  });

  test('is not sealed again before there is something to seal, nor where there is no log', async () => {
    const log = await logOf(1);
    expect(sealLog(log)).not.toBeNull();
    expect(sealLog(log)).toBeNull();
    expect(existsSync(`${log}.0003`)).toBe(false);
    expect(() => sealLog(newLog())).toThrow(NotALogError);
    expect(() => sealLog(`${log}.0002`)).toThrow(`is a volume of ${log}`);
  });

  test('one that is damaged is not sealed', async () => {
    const log = await logOf(1);
    const db = new DatabaseSync(log);
    db.exec("DROP TRIGGER events_are_not_changed; UPDATE events SET id = 'x' WHERE position = 1");
    db.close();
    expect(() => sealLog(log)).toThrow(CorruptLogError);
    expect(existsSync(`${log}.0002`)).toBe(false);
  });

  test('what a seal that did not come about left behind is passed over, and written over', async () => {
    const log = await logOf(1);
    const lasting = await logOf(2);
    copyFileSync(await emptySuccessor(), `${log}.0002`);
    const store = openSqliteStore(log);
    await store.append('a', 1, closedMany(1, 2));
    expect(await ids(store)).toEqual(['e0', 'e1', 'e2']);
    sealLog(log);
    await store.append('a', 2, closedMany(1, 3));
    expect(await ids(store)).toEqual(['e0', 'e1', 'e2', 'e3']);
    await store.close();
    // With events in the next file there was a seal, and somebody has taken it away.
    const db = new DatabaseSync(lasting);
    db.exec('DROP TABLE seal; DROP TRIGGER events_end_here');
    db.close();
    expect(() => openSqliteStore(lasting)).toThrow(CorruptLogError);
  });

  test('the file alone can be read, and appended to only where the log goes on', async () => {
    const log = await logOf(2);
    rmSync(`${log}.0002`);
    const reader = openSqliteStore(log, { readOnly: true });
    expect(await ids(reader)).toEqual(['e0', 'e1']);
    await reader.close();
    const writer = openSqliteStore(log);
    const append = writer.append('a', 1, [closed('x')]);
    await expect(append).rejects.toThrow(StoreUnavailableError);
    await expect(append).rejects.toThrow('is sealed, and host.ledger.0002');
    await writer.close();
  });

  test('its end cannot be cut off unnoticed', async () => {
    const log = await logOf(2);
    const db = new DatabaseSync(log);
    db.exec('DROP TRIGGER events_are_not_deleted; DELETE FROM events WHERE position = 1');
    db.close();
    const reader = openSqliteStore(log, { readOnly: true });
    await expect(readAll(reader, 'a')).rejects.toMatchObject({ position: 1 });
    const { faults } = await reader.examine();
    expect(faults).toMatchObject([{ position: 1 }]);
    await reader.close();
    rmSync(`${log}.0002`);
    const alone = openSqliteStore(log, { readOnly: true });
    await expect(readAll(alone, 'a')).rejects.toMatchObject({ position: 1 });
    await alone.close();
  });

  test('a file from another log does not go on from it', async () => {
    const log = await logOf(2);
    const other = newLog();
    const store = openSqliteStore(other);
    await store.append('a', -1, closedMany(3, 7));
    await store.close();
    sealLog(other);
    copyFileSync(`${other}.0002`, `${log}.0002`);
    expect(() => openSqliteStore(log)).toThrow(CorruptLogError);
    expect(() => openSqliteStore(log)).toThrow("does not continue stream 'a' from the end of");
  });
});

async function emptySuccessor(): Promise<string> {
  const log = await logOf(1);
  sealLog(log);
  return `${log}.0002`;
}

describe('files that are moved away', () => {
  test('leave the rest readable from where it begins, and come back as if never gone', async () => {
    const log = await logOf(3);
    const away = join(log, '..', 'away');
    renameSync(log, away);
    const rest = openSqliteStore(log);
    expect(await rest.origin('a')).toMatchObject({ position: 1 });
    expect(await ids(rest)).toEqual(['e2', 'e3', 'e4', 'e5']);
    expect(
      (await readAll(rest, 'a', { direction: 'backwards' })).map(({ position }) => position),
    ).toEqual([5, 4, 3, 2]);
    expect((await rest.append('a', 5, [closed('x')])).head.position).toBe(6);
    await rest.close();
    renameSync(away, log);
    const whole = openSqliteStore(log);
    expect(await ids(whole)).toEqual(['e0', 'e1', 'e2', 'e3', 'e4', 'e5', 'x']);
    await whole.close();
  });

  test('one from the middle takes those before it along', async () => {
    const log = await logOf(3);
    renameSync(`${log}.0002`, join(log, '..', 'away'));
    const store = openSqliteStore(log, { readOnly: true });
    expect(await ids(store)).toEqual(['e4', 'e5']);
    await store.close();
  });
});

describe('retention', () => {
  const topology = {
    kernel: '6.12.1',
    iommufd: true,
    devices: [{ name: 'd0', bdf: '0000:01:00.0', group: 1, driver: 'vfio-pci', cdev: 'vfio0' }],
  };
  const at = '2026-11-25T10:00:00Z';

  /** A log of so many sealed files, in each of which the host has booted and a device was bound. */
  async function booted(count: number): Promise<string> {
    const log = newLog();
    for (let number = 0; number < count; number++) {
      const ledger = await openLedger(log);
      await ledger.simulate('open_iommufd I\nopen_cdev A d0\nbind A I\n', { topology });
      await ledger.close();
      sealLog(log);
    }
    return log;
  }

  async function withLedger<T>(log: string, use: (ledger: Ledger) => T | Promise<T>): Promise<T> {
    const ledger = await openLedger(log, { readOnly: true });
    try {
      return await use(ledger);
    } finally {
      await ledger.close();
    }
  }

  test('removes the oldest, whole, and the log says so', async () => {
    const log = await booted(3);
    const before = await withLedger(log, (ledger) => ledger.at('end').table().groups);
    const gone = await retainLog(log, { keep: 1, at });
    expect(gone).toEqual({
      gone: [
        { file: log, to: null },
        { file: `${log}.0002`, to: null },
      ],
      needed: [],
    });
    expect(existsSync(log) || existsSync(`${log}.0002`)).toBe(false);
    await withLedger(log, (ledger) => {
      const { position, hash } = ledger.event(ledger.first)!;
      expect(ledger.event(position)?.type).toBe('host.booted');
      const data = { to: position - 1, hash: expect.stringMatching(/^[\da-f]{64}$/), at };
      expect(ledger.events.at(-1)).toMatchObject({ type: 'history.removed', data });
      expect(hash).not.toBe('');
      expect(ledger.at('end').table().groups).toEqual(before);
      const { faults, notes } = ledger.verify();
      expect(faults).toEqual([]);
      const kept = `0:${'0'.repeat(64)}`;
      expect(ledger.verify({ head: kept }).faults).toMatchObject([
        { position: 0, detail: expect.stringContaining('its part of the log is missing') },
      ]);
      expect(notes).toEqual([
        expect.stringMatching(
          /^positions 0 to \d+ are missing: position \d+ records that they were removed/,
        ),
      ]);
      expect(() => ledger.at(position - 1)).toThrow(
        'is not in this log: its first event is at position',
      );
      expect(ledger.history('1')[0]).toMatchObject({ from: null, owner: { kind: 'unknown' } });
    });
  });

  test('archives, and what is brought back is read again', async () => {
    const log = await booted(2);
    const whole = await withLedger(log, (ledger) => ledger.events.slice());
    const archive = join(log, '..', 'archive');
    mkdirSync(archive);
    const { gone } = await retainLog(log, { keep: 1, archive, at });
    expect(gone).toEqual([{ file: log, to: join(archive, 'host.ledger') }]);
    await withLedger(log, (ledger) => expect(ledger.first).toBeGreaterThan(0));
    renameSync(join(archive, 'host.ledger'), log);
    await withLedger(log, (ledger) => {
      expect(ledger.events.slice(0, -1)).toEqual(whole);
      expect(ledger.events.at(-1)?.type).toBe('history.archived');
      expect(ledger.verify().faults).toEqual([]);
    });
    // Once more says nothing new.
    await retainLog(log, { keep: 1, archive, at: '2026-11-26T10:00:00Z' });
    await withLedger(log, (ledger) => {
      expect(ledger.events.filter(({ type }) => type === 'history.archived')).toHaveLength(1);
      expect(ledger.verify().faults).toEqual([]);
    });
  });

  test('has the time of the event before it, so that older evidence is still refused', async () => {
    const log = await booted(2);
    const later = { type: 'process.started', data: { pid: 9, comm: 'late', cgroup: null } };
    const evidence = (id: string, time: string) =>
      [{ position: 0, id, time, schema: 1, ...later }, { end: { events: 1 } }]
        .map((line) => JSON.stringify(line))
        .join('\n');
    const ledger = await openLedger(log);
    await ledger.import(evidence('one', '2026-11-24T10:00:00Z'), { format: 'events' });
    await ledger.close();
    await retainLog(log, { keep: 1, at });
    const again = await openLedger(log);
    expect(again.events.at(-1)).toMatchObject({
      type: 'history.removed',
      time: '2026-11-24T10:00:00.000000Z',
    });
    const older = again.import(evidence('two', '2026-11-23T10:00:00Z'), { format: 'events' });
    await expect(older).rejects.toThrow('before the last event');
    await again.close();
  });

  test('what somebody has taken away without a word is a fault', async () => {
    const log = await booted(2);
    rmSync(log);
    await withLedger(log, (ledger) => {
      expect(ledger.verify().faults).toMatchObject([
        { kind: 'absent', position: ledger.first - 1 },
      ]);
      expect(ledger.at('end').group('1').owner.kind).toBe('iommufd');
    });
  });

  test('keeps what the boot that is running needs, and what is in use', async () => {
    const log = await booted(2);
    const { gone, needed } = await retainLog(log, { keep: 0, at });
    expect({ gone: gone.length, needed }).toEqual({ gone: 1, needed: [`${log}.0002`] });
    const used = await booted(2);
    const db = new DatabaseSync(used);
    db.exec('PRAGMA journal_mode = WAL; BEGIN; SELECT * FROM events');
    await expect(retainLog(used, { keep: 1, at })).rejects.toThrow(StoreUnavailableError);
    db.close();
    await withLedger(used, (ledger) => {
      expect(ledger.first).toBe(0);
      expect(ledger.events.some(({ type }) => type === 'history.removed')).toBe(false);
    });
  });

  test('keeps everything where there is nothing to let go', async () => {
    const log = await booted(1);
    const before = readFileSync(log);
    expect(await retainLog(log, { keep: 1, at })).toEqual({ gone: [], needed: [] });
    expect(readFileSync(log).equals(before)).toBe(true);
    const archive = join(log, '..', 'none');
    await retainLog(await booted(2), { keep: 5, archive, at });
    const missing = retainLog(await booted(2), { keep: 1, archive, at });
    await expect(missing).rejects.toThrow(`there is no folder ${archive}`);
  });
});

describe('what comes before the first event that is here', () => {
  test('is unknown until the host boots again', async () => {
    const log = newLog();
    const topology = {
      kernel: '6.12.1',
      iommufd: true,
      devices: [{ name: 'd0', bdf: '0000:01:00.0', group: 1, driver: 'vfio-pci', cdev: 'vfio0' }],
    };
    const evidence = await openLedger(':memory:');
    await evidence.simulate('open_iommufd I\nopen_cdev A d0\nbind A I\nopen_group G d0\n', {
      topology,
    });
    await evidence.simulate('open_container C\n', { topology });
    const lines = evidence.events.map((event) => JSON.stringify(event));
    const cut = evidence.events.findIndex(({ type }) => type === 'device.bound');
    const part = (from: number, to?: number) => {
      const some = lines.slice(from, to);
      return [...some, JSON.stringify({ end: { events: some.length } })].join('\n');
    };
    const first = await openLedger(log);
    await first.import(part(0, cut), { format: 'events' });
    await first.close();
    sealLog(log);
    const second = await openLedger(log);
    await second.import(part(cut), { format: 'events' });
    await second.close();
    rmSync(log);

    const ledger = await openLedger(log, { readOnly: true });
    const boot = ledger.events.find(({ type }) => type === 'host.booted')!.position;
    expect([ledger.first, boot > cut]).toEqual([cut, true]);
    const then = ledger.at(cut + 1);
    expect(then.group('1').owner.kind).toBe('unknown');
    expect(then.device('d0')).toMatchObject({ state: 'unknown', owner: { kind: 'unknown' } });
    expect(then.table().groups).toMatchObject([{ group: '1', owner: { kind: 'unknown' } }]);
    expect(then.who('1').owner.kind).toBe('unknown');
    expect(then.who('pid:101').owner.kind).toBe('unknown');
    expect(ledger.why(cut + 1).cause).toBe('unknown');
    expect(ledger.history('d0')[0]).toMatchObject({ from: null, owner: { kind: 'unknown' } });
    expect(ledger.diff('start', 'end').changes[0]).toMatchObject({ before: { kind: 'unknown' } });
    expect(ledger.at('end').group('1').owner.kind).toBe('none');
    // Nobody can say what would have been right; only that the beginning is missing is a fault.
    expect(ledger.verify().faults.map(({ kind }) => kind)).toEqual(['absent']);
    expect(ledger.log().map(({ position }) => position)[0]).toBe(cut);
    expect(ledger.at('start').table().groups).toEqual([]);
    await ledger.close();
  });
});

test('killed while it appends and seals, it has lost nothing', async () => {
  const log = newLog();
  const module = (name: string) => pathToFileURL(join(import.meta.dirname, '../../log', name)).href;
  const program = `
    import { openSqliteStore } from '${module('sqlite.ts')}';
    import { sealLog } from '${module('seal.ts')}';
    const store = openSqliteStore(process.argv[1]);
    let { position } = await store.head('a');
    console.log('open');
    for (let count = 1; ; count++) {
      const events = [position + 1, position + 2].map((fd) => (
        { id: 'e' + fd, time: null, type: 'descriptor.closed', data: { pid: 1, fd } }));
      const { head } = await store.append('a', position, events);
      position = head.position;
      console.log(head.position + ':' + head.hash);
      if (count % 3 === 0) sealLog(process.argv[1]);
    }`;
  const acknowledged: string[] = [];
  for (let kill = 0; kill < KILLS; kill++) {
    const child = spawn(process.execPath, ['--input-type=module', '-e', program, log], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let appends = 0;
    for await (const line of createInterface({ input: child.stdout })) {
      if (line !== 'open') acknowledged.push(line);
      // Each time one append later: during the next append, or during a seal.
      if (appends++ === kill) child.kill('SIGKILL');
    }
    const store = openSqliteStore(log, { readOnly: true });
    const events = await readAll(store, 'a');
    const heads = new Set(events.map(({ position, hash }) => `${position}:${hash}`));
    expect(acknowledged.filter((head) => !heads.has(head))).toEqual([]);
    expect(events.length % 2).toBe(0);
    expect((await store.examine()).faults).toEqual([]);
    await store.close();
  }
  expect(existsSync(`${log}.0003`)).toBe(true);
  await openSqliteStore(log).close();
  const beside = readdirSync(join(log, '..')).filter(
    (name) => !/^host\.ledger(\.\d+)?$/.test(name),
  );
  expect(beside.filter((name) => !/\.new(-journal)?$/.test(name))).toEqual([]);
});
