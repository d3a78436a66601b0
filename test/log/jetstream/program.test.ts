import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { openLedger } from '../../../ledger.ts';
import { openSqliteStore } from '../../../log/sqlite.ts';
import { root, run, runProgram } from '../../cli/program.ts';
import { newFolderIn, temporaryFolder } from '../folder.ts';
import { closedMany } from '../sample.ts';
import { type Cluster, natsServer, startCluster } from './cluster.ts';
import './without-server.ts';

const folder = temporaryFolder();
const incident = `${root}examples/incident.truth.jsonl`;

test('without the packages of NATS the program says what to install', async () => {
  // The bundled program is in a folder without any packages.
  const { code, out, err } = await runProgram([
    'table',
    '--log',
    'nats://me:s3cret@127.0.0.1:1/log',
  ]);
  expect({ code, out }).toEqual({ code: 4, out: '' });
  expect(err).toContain('npm install @nats-io/jetstream @nats-io/transport-node');
  expect(err).not.toContain('s3cret');
});

describe.skipIf(natsServer === undefined)('the program with a log on a server', () => {
  let server: Cluster;
  let address: string;

  beforeAll(async () => {
    const config = 'authorization { user: me, password: s3cret }';
    server = await startCluster(1, { config, admin: 'me:s3cret' });
    address = server.address('incident').replace('//', '//me:s3cret@');
  });
  afterAll(async () => {
    await server.stop();
  });

  const cache = join(folder, 'cache');
  const vfioLedger = async (...args: string[]) => {
    vi.stubEnv('XDG_CACHE_HOME', cache);
    const answer = await run(args);
    expect(`${answer.out}${answer.err}`).not.toContain('s3cret');
    return answer;
  };

  test('imports into it, answers as from a file, and says that there is one replica', async () => {
    const local = join(folder, 'local.ledger');
    await vfioLedger('import', '--log', local, incident);
    const { code, err } = await vfioLedger('import', '--log', address, incident);
    expect(code).toBe(0);
    const note = /^vfio-ledger: nats:\/\/127\.0\.0\.1:\d+\/incident keeps the log in one replica/gm;
    expect(err.match(note)).toHaveLength(1);
    for (const question of [['table'], ['log'], ['verify'], ['history', '26']]) {
      const [there, here] = [
        await vfioLedger(...question, '--json', '--log', address),
        await vfioLedger(...question, '--json', '--log', local),
      ];
      expect(there.out).toBe(here.out);
      expect(there.code).toBe(here.code);
    }
    // Its text has a command with the address in it.
    const attested = await vfioLedger(
      'attest',
      'never-shared',
      'comm:P1',
      'comm:P2',
      '--log',
      address,
    );
    expect(attested.code).toBe(0);
    // The replica is a cache.
    rmSync(cache, { recursive: true });
    const again = await vfioLedger('import', '--json', '--log', address, incident);
    expect(JSON.parse(again.out)).toMatchObject({ appended: 0 });
  });

  test('does not show the password of an address that is wrong', async () => {
    const wrong = address.replace('s3cret', 's3cret1');
    for (const log of [wrong, `${address}?colour=red`, `${address}/x`]) {
      const { code, out } = await vfioLedger('table', '--log', log);
      expect({ code: code === 2 || code === 4, out }).toEqual({ code: true, out: '' });
    }
  });
});

describe.skipIf(natsServer === undefined)('two accounts of one server', () => {
  const users = ['ann:s3cret-a', 'bob:s3cret-b', 'eve:s3cret-e'] as const;
  const [ann, bob, eve] = users.map((login) => `{ user: ${login.replace(':', ', password: ')}`);
  // Nobody tells the third user, of the first account, which account that is.
  const limits = 'permissions: { publish: ["$JS.>", "fleet.>"], subscribe: ["_INBOX.>"] }';
  const config = `accounts {
    one { jetstream: enabled, users: [${ann} }, ${eve}, ${limits} }] }
    two { jetstream: enabled, users: [${bob} }] }
  }`;
  let server: Cluster;
  afterEach(async () => {
    vi.unstubAllEnvs();
    await server.stop();
  });

  test('never share a replica, whose name shows nothing of who logs in', async () => {
    server = await startCluster(1, { config, admin: users[0] });
    const cache = newFolderIn(folder);
    const ledgerOf = async (login: string, host: string) => {
      vi.stubEnv('XDG_CACHE_HOME', cache);
      const note = (words: string) => expect(words).toMatch(/one replica only$/);
      const address = server.address('fleet').replace('//', `//${login}@`);
      return openLedger(address, { host, create: true, note });
    };
    // They are open at the same time, before there is any log.
    const first = await ledgerOf(users[0], 'a');
    const second = await ledgerOf(users[1], 'b');
    await first.append(-1, closedMany(3));
    await second.append(-1, closedMany(2, 50));
    const third = await ledgerOf(users[2], 'a');
    await first.refresh();
    expect(third.head).toEqual(first.head);
    for (const ledger of [first, second, third]) await ledger.close();

    const replicas = join(cache, 'vfio-ledger/replicas');
    const files = readdirSync(replicas).filter((name) => name.endsWith('.ledger'));
    expect(files.join()).not.toMatch(/ann|bob|eve|s3cret/);
    const held = files.map((name) => {
      const store = openSqliteStore(join(replicas, name), { readOnly: true });
      const hosts = store.local?.streams();
      void store.close();
      return hosts;
    });
    expect(held.map(String).sort()).toEqual(['a', 'a', 'b']);
    expect(files.map((name) => name.replace(/-[0-9a-f]{16}/, ''))).toEqual(
      files.map(
        () => `${server.address('fleet').replace('nats://', '').replaceAll(/[:/]/g, '-')}.ledger`,
      ),
    );
    // Each finds its own again.
    for (const [login, host, position] of [
      [users[0], 'a', 2],
      [users[1], 'b', 1],
    ] as const) {
      const again = await ledgerOf(login, host);
      expect(again.head.position).toBe(position);
      await again.close();
    }
  });
});
