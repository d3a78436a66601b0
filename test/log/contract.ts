/**
 * What every store keeps, whatever it stores in.
 *
 * @module
 */
import * as fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import { DecodeError } from '../../events/codec.ts';
import { SCHEMA, type LedgerEvent } from '../../events/vocabulary.ts';
import { genesisOf, hashOf } from '../../log/hash.ts';
import { type ReadOptions, RevisionConflictError, type Store } from '../../log/store.ts';
import { countOf } from '../support/effort.ts';
import { closed, closedMany, readAll } from './sample.ts';

const WRITERS = countOf('writers that start together', { test: 8, soak: 64 });
const ids = (events: readonly { id: string }[]) => events.map(({ id }) => id);

/** `make` gives an empty store, which the suite closes. */
export function storeContract(name: string, make: () => Store): void {
  const opened: Store[] = [];
  const open = () => {
    const store = make();
    opened.push(store);
    return store;
  };
  afterEach(async () => {
    for (const store of opened.splice(0)) await store.close();
  });

  describe(`${name}: appending`, () => {
    test('an empty stream has its head before the first position', async () => {
      const store = open();
      expect(await store.head('a')).toEqual({ position: -1, hash: genesisOf('a') });
      expect(await readAll(store, 'a')).toEqual([]);
      expect(await store.streams()).toEqual([]);
    });

    test('events come back in order, in their places, each chained to the one before', async () => {
      const store = open();
      const first = await store.append('a', -1, [closed('x', 3, '2026-01-02T03:04:05Z')]);
      const second = await store.append('a', 0, [closed('y', 4), closed('z', 5)]);
      const events = await readAll(store, 'a');
      expect(events.map(({ id, position }) => [id, position])).toEqual([
        ['x', 0],
        ['y', 1],
        ['z', 2],
      ]);
      const time = '2026-01-02T03:04:05.000000Z';
      const x = hashOf(
        genesisOf('a'),
        0,
        time,
        'x',
        SCHEMA,
        'descriptor.closed',
        '{"pid":100,"fd":3}',
      );
      const y = hashOf(x, 1, null, 'y', SCHEMA, 'descriptor.closed', '{"pid":100,"fd":4}');
      expect(events[0]).toEqual({ ...closed('x', 3, time), position: 0, schema: SCHEMA, hash: x });
      expect(events[1]?.hash).toBe(y);
      expect(first).toEqual({ head: { position: 0, hash: x }, appended: 1 });
      expect(second).toEqual({ head: { position: 2, hash: events[2]?.hash }, appended: 2 });
      expect(await store.head('a')).toEqual(second.head);
    });

    test('an append that expects another head is refused and writes nothing', async () => {
      const store = open();
      await store.append('a', -1, closedMany(2));
      for (const expected of [-1, 0, 2]) {
        const late = store.append('a', expected, [closed('late')]);
        await expect(late).rejects.toThrow(RevisionConflictError);
        await expect(late).rejects.toMatchObject({ expected, actual: 1 });
      }
      expect(ids(await readAll(store, 'a'))).toEqual(['e0', 'e1']);
    });

    test('the same append twice adds nothing the second time', async () => {
      const store = open();
      const { head } = await store.append('a', -1, closedMany(2));
      expect(await store.append('a', -1, closedMany(2))).toEqual({ head, appended: 0 });
      expect(await store.append('a', 1, closedMany(2))).toEqual({ head, appended: 0 });
      await expect(store.append('a', -1, closedMany(3))).rejects.toThrow(RevisionConflictError);
      expect(await store.head('a')).toEqual(head);
    });

    test('events that are in the stream already are passed over', async () => {
      const store = open();
      await store.append('a', -1, closedMany(2));
      const { head, appended } = await store.append('a', 1, closedMany(3, 1));
      expect([head.position, appended]).toEqual([3, 2]);
      expect(ids(await readAll(store, 'a'))).toEqual(['e0', 'e1', 'e2', 'e3']);
    });

    test('of two events with one id in the same append the first is kept', async () => {
      const store = open();
      expect(await store.append('a', -1, [closed('x', 3), closed('x', 4)])).toMatchObject({
        appended: 1,
      });
      expect(await readAll(store, 'a')).toMatchObject([{ id: 'x', data: { fd: 3 } }]);
    });

    test('streams do not see each other', async () => {
      const store = open();
      await store.append('b', -1, [closed('x')]);
      await store.append('a', -1, [closed('y'), closed('x')]);
      expect(await store.append('none', -1, [])).toEqual({
        head: { position: -1, hash: genesisOf('none') },
        appended: 0,
      });
      expect(await store.streams()).toEqual(['a', 'b']);
      expect(ids(await readAll(store, 'a'))).toEqual(['y', 'x']);
      expect(ids(await readAll(store, 'b'))).toEqual(['x']);
    });

    test('an event that is not one of ours keeps the whole append out', async () => {
      const store = open();
      const wrong: [string, LedgerEvent][] = [
        ['type', { ...closed('x'), type: 'descriptor.lost' } as unknown as LedgerEvent],
        ['data.fd', { ...closed('x'), data: { pid: 1, fd: 'three' } } as unknown as LedgerEvent],
        ['time', closed('x', 3, 'yesterday')],
        ['id', closed('')],
        ['id', closed('a\nb')],
        ['id', closed('a\ud800')],
      ];
      for (const [path, event] of wrong) {
        const append = store.append('a', -1, [closed('fine'), event]);
        await expect(append).rejects.toThrow(DecodeError);
        await expect(append).rejects.toMatchObject({ path });
      }
      await expect(store.append('a\0', -1, [closed('fine')])).rejects.toThrow(DecodeError);
      expect(await store.streams()).toEqual([]);
    });

    test('an event that is changed after its append is not changed in the log', async () => {
      const store = open();
      const data = { pid: 1, fd: 3, groups: [5] };
      const event: LedgerEvent = { id: 'x', time: null, type: 'device.hot-reset', data };
      const appending = store.append('a', -1, [event]);
      data.groups.push(6);
      await appending;
      data.fd = 4;
      expect(await readAll(store, 'a')).toMatchObject([{ data: { pid: 1, fd: 3, groups: [5] } }]);
    });
  });

  describe(`${name}: concurrent appends`, () => {
    test('appends in flight together follow each other in the order of the calls', async () => {
      const store = open();
      const results = await Promise.all(
        closedMany(64).map((event, index) => store.append('a', index - 1, [event])),
      );
      expect(results.map(({ head }) => head.position)).toEqual(results.map((_, index) => index));
      expect(await readAll(store, 'a')).toHaveLength(64);
    });

    test(`${WRITERS} writers that start together end gapless, each event acknowledged once`, async () => {
      const store = open();
      const acknowledged = await Promise.all(
        closedMany(WRITERS).map(async (event) => {
          let expected = -1;
          for (;;) {
            try {
              const { head, appended } = await store.append('a', expected, [event]);
              expect(appended).toBe(1);
              return { id: event.id, position: head.position };
            } catch (error) {
              if (!(error instanceof RevisionConflictError)) throw error;
              expected = error.actual;
            }
          }
        }),
      );
      const events = await readAll(store, 'a');
      expect(events.map(({ id, position }) => ({ id, position }))).toEqual(
        acknowledged.sort((a, b) => a.position - b.position),
      );
      expect(events.map(({ position }) => position)).toEqual(events.map((_, index) => index));
    });

    test('a conflict or an invalid event among them harms none of the others', async () => {
      const store = open();
      const results = await Promise.allSettled([
        store.append('a', -1, [closed('a0')]),
        store.append('a', -1, [closed('late')]),
        store.append('a', 0, [closed('')]),
        store.append('b', -1, [closed('b0')]),
        store.append('a', 0, [closed('a1')]),
      ]);
      expect(results.map(({ status }) => status)).toEqual([
        'fulfilled',
        'rejected',
        'rejected',
        'fulfilled',
        'fulfilled',
      ]);
      expect(ids(await readAll(store, 'a'))).toEqual(['a0', 'a1']);
      expect(ids(await readAll(store, 'b'))).toEqual(['b0']);
    });
  });

  describe(`${name}: reading`, () => {
    test('a long stream comes in batches, forwards and backwards, from anywhere', async () => {
      const store = open();
      await store.append('a', -1, closedMany(2500));
      const all = ids(closedMany(2500));
      const read = async (options?: ReadOptions) => ids(await readAll(store, 'a', options));
      expect(await read()).toEqual(all);
      expect(await read({ direction: 'backwards' })).toEqual(all.toReversed());
      for (const from of [0, 1, 1023, 1024, 1025, 2047, 2048, 2499]) {
        expect(await read({ from })).toEqual(all.slice(from));
        const before = all.slice(0, from + 1).toReversed();
        expect(await read({ from, direction: 'backwards' })).toEqual(before);
      }
    });

    test('from past the head there is nothing forwards and everything backwards', async () => {
      const store = open();
      await store.append('a', -1, closedMany(2));
      expect(await readAll(store, 'a', { from: 2 })).toEqual([]);
      expect(await readAll(store, 'a', { from: -1, direction: 'backwards' })).toEqual([]);
      const backwards = await readAll(store, 'a', { from: 9, direction: 'backwards' });
      expect(ids(backwards)).toEqual(['e1', 'e0']);
      expect(await readAll(store, 'none', { direction: 'backwards' })).toEqual([]);
    });

    test('what is appended during a read is not part of it', async () => {
      const store = open();
      await store.append('a', -1, closedMany(1500));
      for (const direction of ['forwards', 'backwards'] as const) {
        const { position } = await store.head('a');
        let count = 0;
        for await (const batch of store.read('a', { direction })) {
          count += batch.length;
          const head = await store.head('a');
          await store.append('a', head.position, [closed(`${direction} ${count}`)]);
        }
        expect(count).toBe(position + 1);
      }
    });

    test('a read can be left half-way', async () => {
      const store = open();
      await store.append('a', -1, closedMany(1500));
      for await (const batch of store.read('a')) {
        expect(batch[0]?.id).toBe('e0');
        break;
      }
      expect((await store.append('a', 1499, [closed('next')])).head.position).toBe(1500);
    });
  });

  describe(`${name}: following`, () => {
    test('what is there comes first, and then what is appended, each once and in order', async () => {
      const store = open();
      await store.append('a', -1, closedMany(1500));
      const ending = new AbortController();
      const found: string[] = [];
      const following = (async () => {
        for await (const batch of store.follow('a', 3, ending.signal)) {
          expect(batch).not.toHaveLength(0);
          found.push(...ids(batch));
          if (found.length === 1505) ending.abort();
        }
      })();
      for (let head = 1499; head < 1507; head += 2) {
        await store.append('b', -1, [closed('other')]);
        await store.append('a', head, closedMany(2, head + 1));
      }
      await following;
      expect(found).toEqual(ids(closedMany(1508)).slice(3));
      expect(ids(await readAll(store, 'a'))).toEqual(ids(closedMany(1508)));
    });

    test('of a stream that is not there yet ends without an error when it is aborted', async () => {
      const store = open();
      const ending = new AbortController();
      const first = store.follow('a', 0, ending.signal)[Symbol.asyncIterator]().next();
      ending.abort();
      expect((await first).done).toBe(true);
      expect(await store.streams()).toEqual([]);
    });
  });

  describe(`${name}: its local events`, () => {
    /** The local events of a store of two streams, and all events of stream `a`. */
    async function localEvents() {
      const store = open();
      for (let first = 0; first < 2500; first += 500) {
        await store.append('a', first - 1, closedMany(500, first));
      }
      await store.append('b', -1, closedMany(3));
      return { local: store.local, events: await readAll(store, 'a') };
    }

    test('is the same as what is read, from one position to another', async () => {
      const { local, events } = await localEvents();
      if (local === null) return;
      const spans = [
        [0, 0],
        [0, 2499],
        [499, 500],
        [700, 1800],
        [1023, 1024],
        [2499, 2499],
      ];
      for (const [from = 0, to = 0] of spans) {
        expect([...local.between('a', from, to)]).toEqual(events.slice(from, to + 1));
      }
      expect(ids([...local.between('b', 1, 2)])).toEqual(['e1', 'e2']);
      expect([...local.between('a', 5, 4)]).toEqual([]);
    });

    test('are the same as what is read, at any positions', async () => {
      const { local, events } = await localEvents();
      if (local === null) return;
      const every = (step: number) =>
        Array.from({ length: Math.ceil(2500 / step) }, (_, index) => index * step);
      for (const positions of [[], [0], [2499], [1, 499, 500, 1700], every(1), every(7)]) {
        const wanted = positions.map((position) => events[position]);
        expect([...local.many('a', positions)]).toEqual(wanted);
      }
      expect(ids([...local.many('b', [0, 2])])).toEqual(['e0', 'e2']);
    });

    test('is there as soon as it has been appended', async () => {
      const store = open();
      await store.append('a', -1, closedMany(2));
      expect(ids([...(store.local?.between('a', 0, 1) ?? [])])).toEqual(['e0', 'e1']);
      const { head } = await store.append('a', 1, closedMany(2, 2));
      expect(ids([...(store.local?.between('a', 1, 3) ?? [])])).toEqual(['e1', 'e2', 'e3']);
      expect(store.local?.hashAt('a', 3)).toBe(head.hash);
    });

    test('has the hashes from before the first event to the head, and none beyond', async () => {
      const store = open();
      const { local } = store;
      if (local === null) return;
      expect(local.hashAt('a', -1)).toBe(genesisOf('a'));
      expect(local.hashAt('a', 0)).toBeUndefined();
      for (let first = 0; first < 6; first += 2) {
        await store.append('a', first - 1, closedMany(2, first));
      }
      await store.append('b', -1, closedMany(1));
      const events = await readAll(store, 'a');
      expect(events.map(({ position }) => local.hashAt('a', position))).toEqual(
        events.map(({ hash }) => hash),
      );
      expect(local.hashAt('a', -1)).toBe(genesisOf('a'));
      expect(local.hashAt('b', -1)).toBe(genesisOf('b'));
      expect(local.hashAt('b', 0)).toBe((await store.head('b')).hash);
      const { position, hash } = await store.head('a');
      expect(local.hashAt('a', position)).toBe(hash);
      expect(local.hashAt('a', position + 1)).toBeUndefined();
      expect(local.hashAt('b', 1)).toBeUndefined();
      expect(local.hashAt('none', 0)).toBeUndefined();
    });
  });

  describe(`${name}: ids`, () => {
    test('are known where an event of the stream has them', async () => {
      const store = open();
      expect(await store.known('a', ['e0'])).toEqual(new Set());
      await store.append('a', -1, closedMany(2));
      await store.append('a', 1, closedMany(2, 2));
      await store.append('b', -1, [closed('x')]);
      const asked = ['e3', 'x', 'e0', 'e9', 'e0', ''];
      expect(await store.known('a', asked)).toEqual(new Set(['e3', 'e0']));
      expect(await store.known('b', asked)).toEqual(new Set(['x']));
      expect(await store.known('none', asked)).toEqual(new Set());
      expect(await store.known('a', [])).toEqual(new Set());
    });
  });

  describe(`${name}: laws`, () => {
    /** Ids from a small pool, so that repetitions and conflicts come up. */
    const appends = fc.array(
      fc.record({
        stream: fc.constantFrom('a', 'b'),
        offset: fc.constantFrom(0, 0, 0, -1, 1),
        ids: fc.array(fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'), { maxLength: 4 }),
      }),
      { maxLength: 12 },
    );

    test('appends do to the store what they would do to plain lists of ids', async () => {
      await fc.assert(
        fc.asyncProperty(appends, async (calls) => {
          const store = open();
          const model = new Map<string, string[]>();
          for (const { stream, offset, ids: given } of calls) {
            const list = model.get(stream) ?? [];
            const actual = list.length - 1;
            const fresh = [...new Set(given)].filter((id) => !list.includes(id));
            const append = store.append(
              stream,
              actual + offset,
              given.map((id) => closed(id)),
            );
            if (offset !== 0 && fresh.length > 0) {
              await expect(append).rejects.toMatchObject({ actual });
            } else {
              expect((await append).appended).toBe(fresh.length);
              if (fresh.length > 0) model.set(stream, [...list, ...fresh]);
            }
          }
          expect(await store.streams()).toEqual([...model.keys()].sort());
          for (const [stream, list] of model)
            expect(ids(await readAll(store, stream))).toEqual(list);
        }),
        { numRuns: countOf('appends beside lists', { test: 8, soak: 25 }) },
      );
    });
  });
}
