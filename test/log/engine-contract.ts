/**
 * What every engine keeps, whatever server is behind it.
 *
 * @module
 */
import { setImmediate } from 'node:timers/promises';
import * as fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import { AppendTooLargeError, DivergedError, type Engine } from '../../log/engine.ts';
import { genesisOf, hashOf } from '../../log/hash.ts';
import { headOfRow, isStreamName, type Row } from '../../log/row.ts';
import { type Head, RevisionConflictError, StoreUnavailableError } from '../../log/store.ts';
import { countOf } from '../support/effort.ts';
import { appendMany, chained, rowsIn } from './rows.ts';
import { closed, closedMany } from './sample.ts';

/** A server without logs, and connections to it. */
export interface EmptyServer {
  readonly connect: () => Promise<Engine>;
  /** The most bytes that it takes in one append; null if it takes any number. */
  readonly limit: number | null;
}

const HOSTS = countOf('hosts that append together', { test: 6, soak: 64 });
const WRITERS = countOf('writers of one host', { test: 4, soak: 32 });
const LONG = countOf('events of a long stream', { test: 2500, soak: 50_000 });
const NAMES = countOf('names of hosts', { test: 10, soak: 400 });

/** `make` gives a server of its own to each test, which closes its connections. */
export function engineContract(name: string, make: () => Promise<EmptyServer>): void {
  const opened: Engine[] = [];

  async function server() {
    const { connect, limit } = await make();
    const another = async () => {
      const engine = await connect();
      opened.push(engine);
      return engine;
    };
    return { engine: await another(), another, limit };
  }

  afterEach(async () => {
    for (const engine of opened.splice(0)) await engine.close();
  });

  const genesis = (stream: string): Head => ({ position: -1, hash: genesisOf(stream) });

  describe(`${name}: appending`, () => {
    test('a stream that does not exist is empty', async () => {
      const { engine } = await server();
      expect(await engine.head('a')).toEqual(genesis('a'));
      expect(await rowsIn(engine, 'a')).toEqual([]);
      expect(await engine.streams()).toEqual([]);
    });

    test('rows come back as they were appended, on every connection', async () => {
      const { engine, another } = await server();
      const events = [closed('x', 3, '2026-01-02T03:04:05.000000Z'), closed('ÿ 日本 🚀', 4)];
      // They may be of an older schema than this release writes.
      let previous = genesisOf('a');
      const old = chained(genesis('a'), events).map(([position, time, id, , type, data]): Row => {
        previous = hashOf(previous, position, time, id, 1, type, data);
        return [position, time, id, 1, type, data, previous];
      });
      const result = await engine.append('a', genesis('a'), old);
      expect(result).toEqual({ head: headOfRow(old[1]!), appended: 2 });
      for (const each of [engine, await another()]) {
        expect(await rowsIn(each, 'a')).toEqual(old);
        expect(await rowsIn(each, 'a', 1)).toEqual(old.slice(1));
        expect(await rowsIn(each, 'a', 2)).toEqual([]);
        expect(await each.head('a')).toEqual(result.head);
        expect(await each.streams()).toEqual(['a']);
      }
    });

    test('an append after another head is refused and writes nothing', async () => {
      const { engine } = await server();
      const head = await appendMany(engine, 'a', 3);
      const [, second] = await rowsIn(engine, 'a');
      const ahead = { position: 7, hash: head.hash };
      for (const expected of [genesis('a'), headOfRow(second!), ahead]) {
        const late = engine.append('a', expected, chained(expected, [closed('late')]));
        await expect(late).rejects.toThrow(RevisionConflictError);
        await expect(late).rejects.toMatchObject({ expected: expected.position, actual: 2 });
      }
      expect(await rowsIn(engine, 'a')).toHaveLength(3);
    });

    test('an append after another history is refused, with the position of its head', async () => {
      const { engine } = await server();
      await appendMany(engine, 'a', 3);
      const other = chained(genesis('a'), closedMany(4, 100));
      for (const position of [0, 2]) {
        const rows = other.slice(position + 1);
        const append = engine.append('a', headOfRow(other[position]!), rows);
        await expect(append).rejects.toThrow(DivergedError);
        await expect(append).rejects.toMatchObject({ position });
      }
      expect(await rowsIn(engine, 'a')).toHaveLength(3);
    });

    test('the same append again, however late and on whatever connection, adds nothing', async () => {
      const { engine, another } = await server();
      const begin = await appendMany(engine, 'a', 2);
      const rows = chained(begin, closedMany(3, 2));
      await engine.append('a', begin, rows);
      const repeat = async (each: Engine) => {
        const head = await each.head('a');
        expect(await each.append('a', begin, rows)).toEqual({ head, appended: 0 });
      };
      await repeat(engine);
      await repeat(await another());
      await appendMany(engine, 'a', 2);
      await appendMany(engine, 'b', 2);
      await repeat(engine);
      await repeat(await another());
      expect((await rowsIn(engine, 'a')).map(([position]) => position)).toEqual([
        0, 1, 2, 3, 4, 5, 6,
      ]);
    });

    test('an append of which only the first rows are there is refused', async () => {
      const { engine } = await server();
      const rows = chained(genesis('a'), closedMany(4));
      await engine.append('a', genesis('a'), rows.slice(0, 2));
      const append = engine.append('a', genesis('a'), rows);
      await expect(append).rejects.toMatchObject({ code: 'conflict', actual: 1 });
      expect(await rowsIn(engine, 'a')).toEqual(rows.slice(0, 2));
    });

    test('an append over the limit is refused whole, and the limit is named', async () => {
      const { engine, limit } = await server();
      if (limit === null) return;
      const long = { ...closed('long'), data: { pid: 1, fd: 3, comm: 'x'.repeat(limit) } };
      const [row] = chained(genesis('a'), [closed('e0')]);
      const tooLong: Row = [0, null, 'long', 1, long.type, JSON.stringify(long.data), row![6]];
      const append = engine.append('a', genesis('a'), [tooLong]);
      await expect(append).rejects.toThrow(AppendTooLargeError);
      await expect(append).rejects.toMatchObject({ code: 'too-large', limit });
      await expect(append).rejects.toThrow(String(limit));
      expect(await engine.streams()).toEqual([]);
      expect((await engine.append('a', genesis('a'), [row!])).appended).toBe(1);
    });
  });

  describe(`${name}: many writers`, () => {
    test(`${HOSTS} hosts append at the same time, each at its own positions`, async () => {
      const { engine, another } = await server();
      const connections = [engine, await another(), await another()];
      const hosts = Array.from({ length: HOSTS }, (_, index) => `host-${index}`);
      await Promise.all(
        hosts.map(async (host, index) => {
          for (const count of [1, 3, 2, 5]) {
            await appendMany(connections[index % 3]!, host, count);
          }
        }),
      );
      expect(await engine.streams()).toEqual(hosts.toSorted());
      for (const host of hosts) {
        expect(await rowsIn(engine, host)).toEqual(chained(genesis(host), closedMany(11)));
      }
    });

    test(`${WRITERS} writers of one host end gapless, each acknowledged once`, async () => {
      const { engine, another } = await server();
      const connections = [engine, await another()];
      const acknowledged = await Promise.all(
        closedMany(WRITERS).map(async (event, index) => {
          const mine = connections[index % 2]!;
          for (;;) {
            const head = await mine.head('a');
            try {
              const { appended } = await mine.append('a', head, chained(head, [event]));
              expect(appended).toBe(1);
              return [head.position + 1, event.id] as const;
            } catch (error) {
              if (!(error instanceof RevisionConflictError)) throw error;
            }
          }
        }),
      );
      const rows = await rowsIn(engine, 'a');
      expect(rows.map(([position, , id]) => [position, id])).toEqual(
        acknowledged.toSorted(([a], [b]) => a - b),
      );
      expect(rows.map(([position]) => position)).toEqual(rows.map((_, index) => index));
    });

    test('readers see all rows of an append or none', async () => {
      const { engine, another } = await server();
      const reader = await another();
      let writing = true;
      const seen = new Set<number>();
      const reading = (async () => {
        while (writing) {
          seen.add((await rowsIn(reader, 'a')).length);
          await setImmediate();
        }
      })();
      for (let count = 0; count < 12; count++) await appendMany(engine, 'a', 50);
      writing = false;
      await reading;
      expect([...seen].filter((length) => length % 50 !== 0)).toEqual([]);
      expect(await rowsIn(reader, 'a')).toHaveLength(600);
    });
  });

  describe(`${name}: reading`, () => {
    test('a long stream can be read from any position', async () => {
      const { engine } = await server();
      for (let length = 0, count = 1; length < LONG; length += count, count = (count * 7) % 701) {
        await appendMany(engine, 'a', count);
        if (length % 5 === 0) await appendMany(engine, 'b', 1);
      }
      const { position: last } = await engine.head('a');
      for (const from of [0, 1, 7, 8, 1023, 1024, 2049, last - 1, last, last + 1]) {
        const positions = (await rowsIn(engine, 'a', from)).map(([position]) => position);
        const expected = Array.from({ length: last + 1 - from }, (_, index) => from + index);
        expect(positions).toEqual(expected);
      }
    });

    test('a read ends although more is appended, and can be left half-way', async () => {
      const { engine } = await server();
      for (let count = 0; count < 5; count++) await appendMany(engine, 'a', 500);
      let length = 0;
      for await (const rows of engine.read('a', 0)) {
        length += rows.length;
        await appendMany(engine, 'a', 1);
      }
      expect(length).toBe(2500);
      for await (const rows of engine.read('a', 0)) {
        expect(rows[0]?.[0]).toBe(0);
        break;
      }
      expect((await appendMany(engine, 'a', 1)).position).toBeGreaterThan(2500);
    });
  });

  describe(`${name}: following`, () => {
    /** Follows a stream of another connection until it has `count` rows. */
    async function followed(engine: Engine, from: number, count: number, act: () => Promise<void>) {
      const ending = new AbortController();
      const rows: Row[] = [];
      const following = (async () => {
        for await (const batch of engine.follow('a', from, ending.signal)) {
          expect(batch).not.toHaveLength(0);
          rows.push(...batch);
          if (rows.length >= count) ending.abort();
        }
      })();
      await act();
      await following;
      return rows;
    }

    test('what is there comes first, and then what is appended, each once and in order', async () => {
      const { engine, another } = await server();
      await appendMany(engine, 'a', 30);
      const rows = await followed(await another(), 10, 60, async () => {
        for (let count = 0; count < 8; count++) {
          await appendMany(engine, 'a', 5);
          await appendMany(engine, 'b', 1);
        }
      });
      expect(rows).toEqual(chained(genesis('a'), closedMany(70)).slice(10));
    });

    test('a stream can be followed before its first event', async () => {
      const { engine, another } = await server();
      const rows = await followed(await another(), 0, 2, async () => {
        await appendMany(engine, 'b', 2);
        await appendMany(engine, 'a', 2);
      });
      expect(rows).toEqual(chained(genesis('a'), closedMany(2)));
    });

    test('it ends without an error when it is aborted, also before anything came', async () => {
      const { engine } = await server();
      const ending = new AbortController();
      const first = engine.follow('a', 0, ending.signal)[Symbol.asyncIterator]().next();
      ending.abort();
      expect((await first).done).toBe(true);
      const another = engine.follow('a', 0, ending.signal)[Symbol.asyncIterator]().next();
      expect((await another).done).toBe(true);
    });
  });

  describe(`${name}: names of hosts`, () => {
    const odd = [
      'a.b',
      'a b',
      '*',
      '>',
      'a.*.>',
      '$SYS',
      '..',
      '/',
      '\\',
      "'",
      '"',
      '%2e',
      '=?',
      'ä',
      'a\u0308',
      '日本',
      '👩‍🚀',
      'A',
      'a',
      'x'.repeat(255),
    ];

    test('have any characters, and no two of them are one', async () => {
      const { engine, another } = await server();
      for (const [index, stream] of odd.entries()) await appendMany(engine, stream, index + 1);
      const reader = await another();
      expect(await reader.streams()).toEqual(odd.toSorted());
      for (const [index, stream] of odd.entries()) {
        expect((await reader.head(stream)).position).toBe(index);
        expect(await rowsIn(reader, stream)).toEqual(
          chained(genesis(stream), closedMany(index + 1)),
        );
      }
    });

    test('any text that a host can be called', async () => {
      const { engine } = await server();
      const names = fc
        .string({ unit: 'grapheme', minLength: 1, maxLength: 40 })
        .filter((text) => isStreamName(text) && Buffer.byteLength(text) <= 255);
      await fc.assert(
        fc.asyncProperty(names, async (stream) => {
          const before = await engine.head(stream);
          const head = await appendMany(engine, stream, 1);
          expect(head.position).toBe(before.position + 1);
          expect(await engine.head(stream)).toEqual(head);
          expect(await engine.streams()).toContain(stream);
        }),
        { numRuns: NAMES },
      );
    });
  });

  test(`${name}: after close nothing is answered`, async () => {
    const { engine } = await server();
    await appendMany(engine, 'a', 1);
    await engine.close();
    await engine.close();
    const unavailable = { code: 'unavailable' };
    await expect(engine.head('a')).rejects.toMatchObject(unavailable);
    await expect(engine.streams()).rejects.toThrow(StoreUnavailableError);
    await expect(rowsIn(engine, 'a')).rejects.toMatchObject(unavailable);
    const rows = chained(genesis('b'), [closed('x')]);
    await expect(engine.append('b', genesis('b'), rows)).rejects.toMatchObject(unavailable);
  });
}
