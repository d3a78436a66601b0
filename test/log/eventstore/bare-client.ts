/**
 * The protocol server as a bare client sees it, with and without faults.
 *
 * @module
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { EventStoreProduct } from '../../../log/eventstore-address.ts';
import { DEADLINE, named } from './named-faults.ts';
import { addressOf, type RemoteServer, type ServerProcess } from './remote-engine.ts';
import { RemoteProcess } from './remote.ts';

const uuid = (n: number) => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;
const startBare = () => new RemoteProcess(import.meta.resolve('./bare-process.ts'));

export function bareClientSuite(product: EventStoreProduct, servers: () => ServerProcess): void {
  describe(`${product}: the bare client`, () => {
    let bare: RemoteProcess;
    beforeAll(() => {
      bare = startBare();
    });
    afterAll(async () => bare.stop());

    async function connect(server: RemoteServer, options = {}): Promise<void> {
      await bare.call('connect', [product, addressOf(product, server, options)]);
    }
    const append = async (stream: string, id: string, expected: unknown, options = {}) =>
      bare.call<number>('append', [stream, id, expected, options]);

    test.each(['one call for all appends', 'a call for each'])(
      'appends, reads and subscribes: %s',
      async (calls) => {
        const options = { isClassic: calls === 'a call for each' };
        const server = await servers().start({ limit: 1000 });
        await connect(server);
        expect(await append('a', uuid(0), 'no_stream', options)).toBe(0);
        expect(await append('a', uuid(1), 0, options)).toBe(1);
        // The server takes it for the same append.
        expect(await append('a', uuid(1), 0, options)).toBe(1);
        await expect(append('a', uuid(2), 0, options)).rejects.toMatchObject({
          type: 'wrong-expected-version',
        });
        await expect(append('a', uuid(3), 1, { ...options, length: 1001 })).rejects.toMatchObject({
          type: 'maximum-append-size-exceeded',
          maxAppendSize: 1000,
        });
        const [first, second] = await bare.call<Record<string, unknown>[]>('read', [
          'a',
          'start',
          'forwards',
          10,
        ]);
        expect(first).toEqual({
          id: uuid(0),
          type: 'said',
          revision: 0,
          data: { text: 'x' },
          metadata: { by: 'test' },
        });
        expect(await bare.call('read', ['a', 'end', 'backwards', 1])).toEqual([second]);
        expect(await bare.call('read', ['a', 1, 'forwards', 1])).toEqual([second]);
        const live = bare.call<{ revision: number }[]>('subscribe', ['a', 0, 3]);
        for (const n of [4, 5]) await append('a', uuid(n), 'any', options);
        expect((await live).map(({ revision }) => revision)).toEqual([1, 2, 3]);
        const { append: classic, batchAppend } = await server.calls();
        expect([classic! > 0, batchAppend! > 0]).toEqual([options.isClassic, !options.isClassic]);
      },
    );

    test('is told of streams that are not there, or were deleted', async () => {
      const server = await servers().start({ tellsInTrailers: true });
      await connect(server);
      const read = async () => bare.call('read', ['a', 'start', 'forwards', 1]);
      await expect(read()).rejects.toMatchObject({ type: 'stream-not-found' });
      await append('a', uuid(0), 'any', { isClassic: true });
      const late = append('a', uuid(1), 7, { isClassic: true });
      await expect(late).rejects.toMatchObject({ type: 'wrong-expected-version' });
      await server.delete('a', true);
      await expect(read()).rejects.toMatchObject({ type: 'stream-deleted' });
      for (const isClassic of [true, false]) {
        const gone = append('a', uuid(1), 'any', { isClassic });
        await expect(gone).rejects.toMatchObject({ type: 'stream-deleted' });
      }
    });

    test('finds the leader of a cluster, and is refused without a password', async () => {
      const options = { isSecure: true, login: 'bert:secret' };
      const leader = await servers().start(options);
      const follower = await servers().start(options, leader);
      await connect(follower, { ...options, discover: true });
      expect(await append('a', uuid(0), 'any')).toBe(0);
      expect(await follower.calls()).toMatchObject({ gossip: 1, append: 0, batchAppend: 0 });
      await connect(leader, { ...options, login: 'bert:wrong' });
      await expect(append('a', uuid(1), 'any')).rejects.toMatchObject({ type: 'access-denied' });
    });
  });
}

/** What each fault does to an adapter that does not think of it. */
export function naiveAdapterSuite(product: EventStoreProduct, servers: () => ServerProcess): void {
  test.concurrent.each(Object.entries(named))(
    `${product}: an adapter that only calls the client fails where %s`,
    async (_, fault) => {
      // Over the one call for all appends, and over a call for each.
      const results = await Promise.all(
        [false, true].map(async (isClassic) => {
          const server = await servers().start();
          const bare = startBare();
          const append = async (n: number, expected: number | 'no_stream') => {
            const call = bare.call<number>('append', [
              'vfioHost-a',
              uuid(n),
              expected,
              { isClassic },
            ]);
            const late = new Promise((resolve) =>
              setTimeout(resolve, 1.25 * DEADLINE, 'no answer'),
            );
            return Promise.race([call.catch((error: Error) => error.message), late]);
          };
          const address = addressOf(product, server, { deadline: DEADLINE });
          await bare.call('connect', [product, address]);
          const before = await append(0, 'no_stream');
          await server.failAppends(fault);
          const during = await append(1, 0);
          await bare.stop();
          return [before, during];
        }),
      );
      expect(results.map(([before]) => before)).toEqual([0, 0]);
      expect(results.filter(([, during]) => during !== 1)).not.toEqual([]);
    },
  );
}
