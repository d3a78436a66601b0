/**
 * What a server, or this process, refuses: each a sentence, with nothing written and no secret in it.
 *
 * @module
 */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { inCampaigns, isCampaign } from '../../support/effort.ts';
import type { EventStoreProduct } from '../../../log/eventstore-address.ts';
import type { Engine } from '../../../log/engine.ts';
import { genesisOf } from '../../../log/hash.ts';
import type { Row } from '../../../log/row.ts';
import { CorruptLogError } from '../../../log/store.ts';
import { appendMany, chained, rowsIn } from '../rows.ts';
import { closedMany } from '../sample.ts';
import { addressOf, EngineProcess, type TestProcesses } from './remote-engine.ts';

const genesis = { position: -1, hash: genesisOf('a') };

/** Each question to an engine about stream `a`. */
const questions: Readonly<Record<string, (engine: Engine) => Promise<unknown>>> = {
  head: async (engine) => engine.head('a'),
  read: async (engine) => rowsIn(engine, 'a'),
  append: async (engine) => engine.append('a', genesis, chained(genesis, closedMany(1))),
  follow: async (engine) => {
    const rows = engine.follow('a', 0, new AbortController().signal);
    return rows[Symbol.asyncIterator]().next();
  },
};

/** The error of each question. */
async function refusals(engine: Engine): Promise<Error[]> {
  return Promise.all(
    Object.values(questions).map(async (ask) =>
      ask(engine).then(
        (answer) => expect.fail(`answered: ${JSON.stringify(answer)}`),
        (error: Error) => error,
      ),
    ),
  );
}

export function refusalsSuite(
  product: EventStoreProduct,
  { servers, engines }: TestProcesses,
): void {
  const other = product === 'esdb' ? 'kurrentdb' : 'esdb';

  function expectSentences(errors: readonly Error[], sentence: RegExp): void {
    for (const error of errors) {
      expect(error).toMatchObject({ code: 'unavailable' });
      expect(error.message).toMatch(sentence);
      expect(inspect(error) + JSON.stringify(error)).not.toMatch(/secret|bert/);
    }
  }

  describe(`${product}: what is refused`, () => {
    test('a wrong password; the right one is taken', async () => {
      const options = { isSecure: true, login: 'bert:secret%25' };
      const server = await servers().start({ isSecure: true, login: 'bert:secret%' });
      for (const login of ['bert:secret', '']) {
        const engine = await engines().open(addressOf(product, server, { ...options, login }));
        expectSentences(await refusals(engine), /refuses access/);
        await engine.close();
      }
      const engine = await engines().open(addressOf(product, server, options));
      expect(await engine.streams()).toEqual([]);
      await appendMany(engine, 'a', 2);
      expect(await rowsIn(engine, 'a')).toHaveLength(2);
      expect(engine.name).toBe(`${product}://localhost:${server.port}`);
      await engine.close();
    });

    test.each(inCampaigns)('a certificate of an authority that is not named: %s', async () => {
      const server = await servers().start({ isSecure: true });
      const address = `${product}://bert:secret@localhost:${server.port}?defaultDeadline=1000`;
      const engine = await engines().open(address);
      expectSentences(await refusals(engine), /cannot be reached/);
      await engine.close();
    });

    test('a password without encryption is not sent, and this is said', async () => {
      const server = await servers().start();
      const engine = await engines().open(addressOf(product, server, { login: 'bert:secret' }));
      expect(engine.notes.join()).toMatch(/not sent.*tls=false/);
      expect(engine.notes.join()).not.toMatch(/secret|bert/);
      await appendMany(engine, 'a', 1);
      await engine.close();
    });

    // It waits for deadlines; the test of the program asks such a host as well.
    test.each(isCampaign ? [product, `${product}+discover`] : [])(
      'a host that is not there: %s',
      async (scheme) => {
        const closed = await servers().start();
        await closed.close();
        const silent = createServer();
        const sockets: Socket[] = [];
        silent.on('connection', (socket) => sockets.push(socket));
        silent.listen(0, '127.0.0.1');
        await once(silent, 'listening');
        for (const port of [closed.port, (silent.address() as AddressInfo).port]) {
          const address = `${scheme}://bert:secret@127.0.0.1:${port}?tls=false&defaultDeadline=1000`;
          const engine = await engines().open(address);
          expectSentences(await refusals(engine), /cannot be reached/);
          await engine.close();
        }
        for (const socket of sockets) socket.destroy();
        silent.close();
      },
    );

    test.each([true, false])('a stream that was deleted; for good: %s', async (forGood) => {
      const server = await servers().start();
      const engine = await engines().open(addressOf(product, server));
      await appendMany(engine, 'a', 2);
      await server.delete('vfioHost-a', forGood);
      expectSentences(await refusals(engine), /^stream vfioHost-a was deleted on/);
      expect(await server.events('vfioHost-a')).toEqual([]);
      await engine.close();
    });

    test('an address of the other server in the same process', async () => {
      const server = await servers().start();
      const engine = await engines().open(addressOf(product, server));
      const second = engines().open(addressOf(other, server));
      const sentence = `has opened an address of ${product}://, and the clients`;
      await expect(second).rejects.toThrow(sentence);
      await expect(second).rejects.toMatchObject({ code: 'unavailable' });
      await appendMany(engine, 'a', 1);
      await engine.close();
    });

    test('a client that is not installed', async () => {
      const hook = import.meta.resolve('./without-clients.ts');
      const without = new EngineProcess([`--import=${hook}`]);
      const opened = without.open(`${product}://localhost`);
      await expect(opened).rejects.toThrow(`${product}:// needs a package that is not installed`);
      await expect(opened).rejects.toMatchObject({ code: 'unavailable' });
      await without.stop();
    });

    test('what is no event of a log, after the events before it', async () => {
      const server = await servers().start();
      const engine = await engines().open(addressOf(product, server));
      await appendMany(engine, 'a', 2);
      await server.put('vfioHost-a', 'said', '{"text":"x"}');
      const rows: Row[] = [];
      const reading = (async () => {
        for await (const batch of engine.read('a', 0)) rows.push(...batch);
      })();
      await expect(reading).rejects.toThrow(CorruptLogError);
      await expect(reading).rejects.toMatchObject({ code: 'damaged', position: 2 });
      expect(rows).toHaveLength(2);
      await engine.close();
    });
  });

  test(`${product}: others can read the events on the server`, async () => {
    const server = await servers().start();
    const engine = await engines().open(addressOf(product, server));
    const [row] = chained(genesis, closedMany(1));
    await engine.append('a', genesis, [row!]);
    const [position, time, id, schema, type, data, hash] = row!;
    const [event] = await server.events('vfioHost-a');
    expect(event).toMatchObject({ revision: 0, type, data });
    expect(event?.id).toMatch(/^[\da-f]{8}-[\da-f]{4}-8[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/);
    expect(event?.id.slice(0, 8)).toBe(hash.slice(0, 8));
    expect(JSON.parse(event!.metadata)).toEqual({ position, time, id, schema, hash });
    await engine.close();
  });

  test(`${product}: the leader of a cluster takes the appends`, async () => {
    const leader = await servers().start();
    const follower = await servers().start({}, leader);
    const address = addressOf(product, follower, { discover: true });
    const engine = await engines().open(`${address}&nodePreference=follower`);
    await appendMany(engine, 'a', 2);
    expect(await rowsIn(engine, 'a')).toHaveLength(2);
    expect(await leader.events('vfioHost-a')).toHaveLength(2);
    await engine.close();
  });
}
