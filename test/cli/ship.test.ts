import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { beforeAll, describe, expect, test } from 'vitest';
import { openLedger, sealLog, shipLog } from '../../ledger.ts';
import { newFolderIn, temporaryFolder } from '../log/folder.ts';
import { closed, closedMany } from '../log/sample.ts';
import { checkout, hostTopology, loadedBy, run, twoContexts } from './program.ts';

const folder = temporaryFolder();
const newPath = (name = 'other.ledger') => join(newFolderIn(folder), name);
const log = join(folder, 'demo.ledger');

const eventsIn = async (path: string) => (await run(['log', '--log', path, '--json'])).out;

beforeAll(async () => {
  await run(['simulate', '--topology', hostTopology, '--log', log, twoContexts]);
});

describe('push and pull', () => {
  test('bring a log to another file and back, event for event, and once', async () => {
    const [there, back] = [newPath(), newPath()];
    const pushed = await run(['push', '--to', there, '--log', log]);
    expect(pushed).toMatchObject({ code: 0, err: '' });
    expect(pushed.out).toMatch(/^39 events shipped from .* to .*\nHOST +SHIPPED +HEAD\n/);
    const pulled = await run(['pull', '--from', there, '--log', back, '--json']);
    const { hosts } = JSON.parse(pulled.out) as { hosts: { shipped: number; head: string }[] };
    expect(hosts).toMatchObject([{ host: 'host', shipped: 39 }]);
    expect(await eventsIn(back)).toBe(await eventsIn(log));
    const again = await run(['push', '--to', there, '--log', log]);
    expect(again.out).toMatch(/ has all events of /);
    const { out } = await run(['verify', '--log', back, '--head', hosts[0]!.head]);
    expect(out).toMatch(/^head +38:/m);
  });

  test('ship all hosts, or the one that is named', async () => {
    const [several, one, all] = [newPath(), newPath(), newPath()];
    for (const host of ['a', 'b']) {
      await using ledger = await openLedger(several, { host });
      await ledger.append(-1, closedMany(3));
    }
    expect((await run(['push', '--to', one, '--host', 'b', '--log', several])).code).toBe(0);
    expect((await run(['push', '--to', all, '--log', several])).code).toBe(0);
    const hostsIn = async (path: string) => {
      const { out } = await run(['verify', '--host', 'b', '--json', '--log', path]);
      return (JSON.parse(out) as { hosts: { host: string }[] }).hosts.map(({ host }) => host);
    };
    expect(await hostsIn(one)).toEqual(['b']);
    expect(await hostsIn(all)).toEqual(['a', 'b']);
    const wrong = await run(['push', '--to', one, '--host', 'c', '--log', several]);
    expect(wrong).toMatchObject({ code: 2 });
    expect(wrong.err).toMatch(/holds no host 'c'/);
  });

  test('continue in a log that both have begun, and refuse one with other events', async () => {
    const [from, to] = [newPath(), newPath()];
    await using ledger = await openLedger(from, { host: 'a' });
    await ledger.append(-1, closedMany(4));
    await shipLog({ from, to });
    await ledger.append(3, closedMany(2, 4));
    sealLog(from);
    await ledger.append(5, closedMany(2, 6));
    expect(await shipLog({ from, to })).toMatchObject({ hosts: [{ host: 'a', shipped: 4 }] });
    await using other = await openLedger(to, { host: 'a' });
    await other.append(7, [closed('own')]);
    await ledger.append(7, [closed('another')]);
    const refused = await run(['push', '--to', to, '--log', from]);
    expect(refused).toMatchObject({ code: 4, out: '' });
    expect(refused.err).toMatch(/stream 'a' at position 8: .* have different events/);
  });

  test('say what is missing', async () => {
    const none = newPath('none.ledger');
    expect(await run(['push', '--log', log])).toMatchObject({ code: 2 });
    expect(await run(['pull', '--log', none])).toMatchObject({ code: 2 });
    const pulled = await run(['pull', '--from', none, '--log', newPath()]);
    expect(pulled).toMatchObject({ code: 2 });
    expect(pulled.err).toMatch(/no log at .*none\.ledger/);
    expect(existsSync(none)).toBe(false);
  });

  test('ship the other hosts if one cannot be shipped, and then say of which host it is', async () => {
    const [from, to] = [newPath(), newPath()];
    for (const host of ['a', 'b', 'c', 'd']) {
      await using ledger = await openLedger(from, { host });
      await ledger.append(-1, closedMany(3));
    }
    await using other = await openLedger(to, { host: 'a' });
    await other.append(-1, [closed('own')]);
    const db = new DatabaseSync(from);
    db.exec(`DROP TRIGGER events_are_not_changed;
      UPDATE events SET data = replace(data, '100', '200') WHERE stream = 'c' AND position = 2`);
    db.close();
    const pushed = await run(['push', '--to', to, '--log', from, '--json']);
    expect(pushed.code).toBe(3);
    expect(pushed.err).toMatch(/^vfio-ledger: stream 'a' at position 0: .* different events$/m);
    expect(pushed.err).toMatch(/host 'c', position 2: /);
    const { hosts } = JSON.parse(pushed.out) as { hosts: unknown };
    expect(hosts).toMatchObject([
      { host: 'b', shipped: 3 },
      { host: 'c', shipped: 2 },
      { host: 'd', shipped: 3 },
    ]);
  });

  test('leave no log behind if nothing arrives', async () => {
    const [from, to] = [newPath(), newPath()];
    await using ledger = await openLedger(from, { host: 'a' });
    await ledger.append(-1, closedMany(3));
    sealLog(from);
    await ledger.append(2, closedMany(2, 3));
    const pushed = await run(['push', '--log', `${from}.0002`, '--to', to]);
    expect(pushed).toMatchObject({ code: 2, out: '' });
    expect(pushed.err).toMatch(/begins at position 3/);
    expect(existsSync(to)).toBe(false);
  });

  test('show no credentials of an address', async () => {
    const secret = 'hunter2';
    for (const address of [
      `other://admin:${secret}@a.example:2113?tls=false`,
      `other://admin:a/${secret}@a.example`,
      `esdb://admin:a?${secret}@a.example`,
      `esdb://a.example?token=${secret}`,
      `NATS://admin:${secret}@a.example?foo=1`,
      `esdb-discover://admin:${secret}@a.example`,
    ]) {
      for (const args of [
        ['push', '--to', address, '--log', log],
        ['pull', '--from', address, '--log', newPath()],
        ['table', '--log', address],
        ['table', '--json', '--host', 'nobody', '--log', address],
      ]) {
        const { code, out, err } = await run(args);
        expect(code).toBe(2);
        expect(out + err).not.toContain(secret);
      }
    }
  }, 60_000);
});

test('a log in a file is read without the module of any engine', async () => {
  const loaded = await loadedBy(checkout, 'table', '--log', log);
  expect(
    loaded.filter((file) => /nats|jetstream|eventstore|kurrent|replica-file|engines/.test(file)),
  ).toEqual([]);
  expect(loaded.some((file) => file.endsWith('/log/sqlite.ts'))).toBe(true);
});
