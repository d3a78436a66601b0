import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { openLedger, shipLog } from '../../../ledger.ts';
import { main, root, run } from '../../cli/program.ts';
import { temporaryFolder } from '../folder.ts';
import { closedMany } from '../sample.ts';
import { type Cluster, natsServer, startCluster } from './cluster.ts';
import './without-server.ts';

const folder = temporaryFolder();
const env = { XDG_CACHE_HOME: join(folder, 'cache') };
const incident = readFileSync(`${root}examples/incident.truth.jsonl`, 'utf8');

describe.skipIf(natsServer === undefined)('a fleet with one log on a server', () => {
  let server: Cluster;
  let fleet: string;

  beforeAll(async () => {
    server = await startCluster(1);
    fleet = server.address('fleet');
    for (const host of ['a.example', 'b *>']) {
      const from = join(folder, `${host}.ledger`);
      await using ledger = await openLedger(from, { host });
      await ledger.import(incident, { format: 'truth' });
      await shipLog({ from, to: fleet });
    }
  });
  afterAll(async () => {
    await server.stop();
  });

  const vfioLedger = async (...args: string[]) => {
    vi.stubEnv('XDG_CACHE_HOME', env.XDG_CACHE_HOME);
    return run(args);
  };

  test('each host is asked, as from the log that it has pushed', async () => {
    const { code, out } = await vfioLedger('table', '--all-hosts', '--json', '--log', fleet);
    const hosts = JSON.parse(out) as { host: string; answer: unknown }[];
    expect([code, hosts.map(({ host }) => host)]).toEqual([0, ['a.example', 'b *>']]);
    for (const { host, answer } of hosts) {
      const own = await vfioLedger('table', '--json', '--log', join(folder, `${host}.ledger`));
      expect(answer).toEqual(JSON.parse(own.out));
    }
  });

  test('a pull has all hosts with their hashes, and another one nothing more', async () => {
    const pulled = join(folder, 'pulled.ledger');
    const first = await vfioLedger('pull', '--from', fleet, '--json', '--log', pulled);
    const { hosts } = JSON.parse(first.out) as { hosts: { host: string; head: string }[] };
    for (const { host, head } of hosts) {
      const own = await openLedger(join(folder, `${host}.ledger`));
      expect(head).toBe(`${own.head.position}:${own.head.hash}`);
      await own.close();
    }
    const again = await vfioLedger('pull', '--from', fleet, '--json', '--log', pulled);
    expect(JSON.parse(again.out)).toMatchObject({ hosts: [{ shipped: 0 }, { shipped: 0 }] });
  });

  test('verify lists all hosts of the server', async () => {
    const { code, out } = await vfioLedger(
      'verify',
      '--host',
      'a.example',
      '--json',
      '--log',
      fleet,
    );
    const { hosts, faults } = JSON.parse(out) as { hosts: { host: string }[]; faults: unknown[] };
    expect([code, faults]).toEqual([0, []]);
    expect(hosts.map(({ host }) => host)).toEqual(['a.example', 'b *>']);
  });

  /** `tail --json` of an address as a process; resolves when it has told that it is up to date. */
  async function tailed(address: string) {
    const tail = spawn(process.execPath, [main, 'tail', '--json', '--log', address], {
      env: { ...process.env, ...env },
    });
    onTestFinished(() => void tail.kill('SIGKILL'));
    const out = createInterface(tail.stdout)[Symbol.asyncIterator]();
    for await (const line of createInterface(tail.stderr)) {
      if (line.startsWith('vfio-ledger: up to date')) break;
    }
    const next = async () => JSON.parse(String((await out.next()).value)) as unknown;
    return { tail, next };
  }

  test('tail follows what another host appends', async () => {
    const address = server.address('live');
    await using ledger = await openLedger(`${address}?replica=:memory:`, { host: 'a' });
    await ledger.append(-1, closedMany(2));
    const { tail, next } = await tailed(address);
    await ledger.append(1, closedMany(2, 2));
    expect(await next()).toMatchObject({ position: 2, behind: 1 });
    expect(await next()).toMatchObject({ position: 3, behind: 0 });
    tail.kill('SIGINT');
    expect((await once(tail, 'close'))[0]).toBe(0);
  });

  test('tail goes on after the server was away, without a gap', async () => {
    const address = server.address('away');
    await using ledger = await openLedger(`${address}?replica=:memory:`, { host: 'a' });
    await ledger.append(-1, closedMany(2));
    const { tail, next } = await tailed(address);
    for (let head = 1; head < 7; head += 3) {
      await ledger.append(head, closedMany(1, head + 1));
      expect(await next()).toMatchObject({ position: head + 1 });
      await server.servers[0]?.kill();
      await server.servers[0]?.start();
      await server.ready();
      await ledger.append(head + 1, closedMany(2, head + 2));
      expect(await next()).toMatchObject({ position: head + 2 });
      expect(await next()).toMatchObject({ position: head + 3 });
    }
    // It ends at once also while the server is away.
    await server.servers[0]?.kill();
    tail.kill('SIGTERM');
    expect((await once(tail, 'close'))[0]).toBe(0);
    await server.servers[0]?.start();
    await server.ready();
  });
});
