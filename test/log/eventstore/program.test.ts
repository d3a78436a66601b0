import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { EventStoreProduct } from '../../../log/eventstore-address.ts';
import { openLedger } from '../../../ledger.ts';
import { hostTopology, main, run, runCommand, twoContexts } from '../../cli/program.ts';
import { newFolderIn, temporaryFolder } from '../folder.ts';
import { closedMany } from '../sample.ts';
import { addressOf, type RemoteServer, ServerProcess } from './remote-engine.ts';
import { isCampaign } from '../../support/effort.ts';

const folder = temporaryFolder();
const log = join(folder, 'demo.ledger');
/** The other takes as long again, and differs in its client alone. */
const products: readonly EventStoreProduct[] = isCampaign ? ['esdb', 'kurrentdb'] : ['esdb'];
let servers: ServerProcess;

beforeAll(async () => {
  servers = new ServerProcess();
  await run(['simulate', '--topology', hostTopology, '--log', log, twoContexts]);
});
afterAll(async () => servers.stop());

/** Runs the program where it finds the clients, with a cache folder of its own. */
async function ledger(...args: readonly string[]) {
  const cache = newFolderIn(folder);
  return runCommand(process.execPath, [main, ...args], { env: { XDG_CACHE_HOME: cache } });
}

const hostEvents = async (server: RemoteServer) => server.events('vfioHost-host');

test.each(products)('a log is pushed to %s, and read there', async (product) => {
  const server = await servers.start();
  const address = addressOf(product, server);
  const pushed = await ledger('push', '--to', address, '--log', log);
  expect(pushed).toMatchObject({ code: 0, err: '' });
  expect(await hostEvents(server)).toHaveLength(39);
  const asked = ['who', '26', '--json', '--log'];
  expect(await ledger(...asked, address)).toEqual(await run([...asked, log]));
});

test.each(products)('what %s refuses is a sentence and exit code 4', async (product) => {
  const server = await servers.start({ isSecure: true, login: 'bert:right' });
  const closed = await servers.start();
  const deleted = await servers.start();
  await closed.close();
  await ledger('push', '--to', addressOf(product, deleted), '--log', log);
  await deleted.delete('vfioHost-host', false);
  const cases: readonly (readonly [string, RegExp])[] = [
    [addressOf(product, server, { isSecure: true, login: 'bert:secret' }), /refuses access to/],
    [addressOf(product, closed, { deadline: 1000, login: 'bert:secret' }), /cannot be reached/],
    [addressOf(product, deleted), /stream vfioHost-host was deleted/],
  ];
  const commands = cases.flatMap(([address, sentence]) =>
    [
      ['table', '--log', address],
      ['push', '--to', address, '--log', log],
    ].map((args) => ({ args, sentence })),
  );
  // Some of them wait for deadlines.
  await Promise.all(
    commands.map(async ({ args, sentence }) => {
      const { code, out, err } = await ledger(...args);
      expect({ args, code, out }).toEqual({ args, code: 4, out: '' });
      expect(err).toMatch(sentence);
      expect(err).not.toMatch(/secret|bert/);
    }),
  );
  for (const each of [server, deleted]) expect(await hostEvents(each)).toEqual([]);
});

test.each(products)('a stream deleted on %s does not hide the other hosts', async (product) => {
  const server = await servers.start();
  const address = addressOf(product, server);
  const fleet = join(newFolderIn(folder), 'fleet.ledger');
  for (const host of ['a', 'b']) {
    await using of = await openLedger(fleet, { host });
    await of.append(-1, closedMany(2));
  }
  await ledger('push', '--to', address, '--log', fleet);
  await server.delete('vfioHost-a', false);
  const all = await ledger('table', '--all-hosts', '--json', '--log', address);
  expect(all.code).toBe(4);
  expect(JSON.parse(all.out)).toMatchObject([
    { host: 'a', answer: null, error: { code: 'unavailable' } },
    { host: 'b', answer: {} },
  ]);
  const verified = await ledger('verify', '--host', 'b', '--json', '--log', address);
  expect(verified.code).toBe(3);
  const detail = expect.stringMatching(/^host 'a', position 0: stream vfioHost-a was deleted on /);
  expect(JSON.parse(verified.out)).toMatchObject({
    events: 2,
    faults: [{ position: 0, kind: 'bytes', detail }],
    hosts: [{ host: 'b', events: 2 }],
  });
  const gone = await ledger('verify', '--host', 'a', '--log', address);
  expect(gone.code).toBe(3);
  expect(gone.out).toMatch(/bytes +stream vfioHost-a was deleted on /);
  const pulled = await ledger('pull', '--from', address, '--log', fleet.replace('fleet', 'back'));
  expect(pulled.code).toBe(4);
  expect(pulled.out).toMatch(/^b +2 +1:/m);
  expect(pulled.err).toMatch(/stream vfioHost-a was deleted/);
});

test.each(products)('nothing is pulled from %s without a log', async (product) => {
  const to = join(newFolderIn(folder), 'pulled.ledger');
  const from = addressOf(product, await servers.start());
  const { code, out, err } = await ledger('pull', '--from', from, '--log', to);
  expect({ code, out }).toEqual({ code: 2, out: '' });
  expect(err).toMatch(/no log at /);
  expect(existsSync(to)).toBe(false);
});

test('two servers of which each needs its own client are refused in one process', async () => {
  const [one, other] = [await servers.start(), await servers.start()];
  await ledger('push', '--to', addressOf('esdb', one), '--log', log);
  const from = addressOf('esdb', one);
  const { code, err } = await ledger('push', '--log', from, '--to', addressOf('kurrentdb', other));
  expect(code).toBe(4);
  expect(err).toMatch(/the clients of the two do not work in one process/);
  expect(await hostEvents(other)).toEqual([]);
});

test.each(products)('without the client of %s it is said what to install', async (product) => {
  const hook = import.meta.resolve('./without-clients.ts');
  const args = [`--import=${hook}`, main, 'table', '--log', `${product}://localhost`];
  const { code, err } = await runCommand(process.execPath, args);
  expect(code).toBe(4);
  expect(err).toMatch(/needs a package that is not installed: npm install @/);
});
