import { mkdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Engine } from '../../log/engine.ts';
import { genesisOf } from '../../log/hash.ts';
import { memoryStore } from '../../log/memory.ts';
import { headOfRow } from '../../log/row.ts';
import { sealLog } from '../../log/seal.ts';
import { ship } from '../../log/ship.ts';
import { openSqliteStore } from '../../log/sqlite.ts';
import { engineOf } from '../../log/store-engine.ts';
import { breaking, fated, fates, limited } from './faulty-engine.ts';
import { newFolderIn, temporaryFolder } from './folder.ts';
import { appendMany, chained, rowsIn } from './rows.ts';
import { closedMany } from './sample.ts';

const folder = temporaryFolder();
const stream = 'a';
const genesis = { position: -1, hash: genesisOf(stream) };
const memoryEngine = () => engineOf(memoryStore(), 'memory');

async function filled(count: number): Promise<Engine> {
  const engine = memoryEngine();
  await appendMany(engine, stream, count);
  return engine;
}

/** Ships again and again, as one does after each failure, until it succeeds. */
async function shipAll(source: Engine, target: Engine): Promise<void> {
  for (;;) {
    try {
      await ship({ stream, source, target });
      return;
    } catch (error) {
      if ((error as { code?: string }).code !== 'unavailable') throw error;
    }
  }
}

describe('a shipment', () => {
  test('arrives whole, and the next one brings what is new', async () => {
    const source = await filled(3000);
    const target = memoryEngine();
    const arrived: number[] = [];
    const first = await ship({ stream, source, target, arrived: (at) => arrived.push(at) });
    expect(first).toMatchObject({ appended: 3000, isSourceBehind: false });
    expect(arrived.at(-1)).toBe(2999);
    expect(arrived).toEqual(arrived.toSorted((a, b) => a - b));
    await appendMany(source, stream, 2);
    expect(await ship({ stream, source, target })).toMatchObject({ appended: 2 });
    expect(await rowsIn(target, stream)).toEqual(await rowsIn(source, stream));
  });

  test('of any length survives any faults: in order, whole, each event once', async () => {
    const faults = fc.record({
      length: fc.integer({ min: 1, max: 3000 }),
      there: fc.integer({ min: 0, max: 3000 }),
      breaks: fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 5 }),
      schedule: fc.array(fc.constantFrom(...fates), { maxLength: 8 }),
      limit: fc.integer({ min: 60, max: 100_000 }),
    });
    await fc.assert(
      fc.asyncProperty(faults, async ({ length, there, breaks, schedule, limit }) => {
        const source = await filled(length);
        const rows = await rowsIn(source, stream);
        const target = memoryEngine();
        const begun = rows.slice(0, Math.min(there, length));
        if (begun.length > 0) await target.append(stream, genesis, begun);
        await Promise.all([
          shipAll(breaking(source, breaks), limited(fated(target, schedule), limit)),
          shipAll(source, target),
        ]);
        expect(await rowsIn(target, stream)).toEqual(rows);
      }),
      { numRuns: 25 },
    );
  }, 60_000);

  test('between logs that differ appends nothing, and says where they begin to', async () => {
    for (const [own, common] of [
      [5, 40],
      [60, 40],
      [1, 0],
    ] as const) {
      const source = memoryEngine();
      const target = memoryEngine();
      for (const [engine, first] of [
        [source, 1000],
        [target, 2000],
      ] as const) {
        if (common > 0) await appendMany(engine, stream, common);
        const head = await engine.head(stream);
        await engine.append(stream, head, chained(head, closedMany(own, first)));
      }
      const before = await rowsIn(target, stream);
      const shipping = ship({ stream, source, target });
      await expect(shipping).rejects.toMatchObject({ code: 'conflict', position: common });
      expect(await rowsIn(target, stream)).toEqual(before);
    }
  });

  test('to a log that has more of the same appends nothing', async () => {
    const target = await filled(9);
    const source = await filled(4);
    expect(await ship({ stream, source, target })).toMatchObject({
      appended: 0,
      isSourceBehind: true,
    });
    expect((await target.head(stream)).position).toBe(8);
    const nothing = memoryEngine();
    expect(await ship({ stream, source: nothing, target })).toMatchObject({ appended: 0 });
    expect(await ship({ stream, source: nothing, target: nothing })).toMatchObject({ appended: 0 });
  });

  test('of a damaged log brings what is before the damage', async () => {
    const whole = await filled(3000);
    const source: Engine = {
      ...whole,
      isVerified: false,
      async *read(name, from) {
        for await (const rows of whole.read(name, from)) {
          yield rows.map((row) => (row[0] === 1500 ? row.with(5, '{}') : row) as typeof row);
        }
      },
    };
    const target = memoryEngine();
    const shipping = ship({ stream, source, target });
    await expect(shipping).rejects.toMatchObject({ code: 'damaged', position: 1500 });
    await expect(shipping).rejects.toThrow(/in memory$/);
    expect((await target.head(stream)).position).toBe(1499);
  });

  test('of a log that is changed while it is read stops where its batches do not continue', async () => {
    const other = memoryEngine();
    await other.append(stream, genesis, chained(genesis, closedMany(3000, 9000)));
    const whole = await filled(3000);
    const source: Engine = {
      ...whole,
      async *read(name, from) {
        for await (const rows of whole.read(name, from)) {
          if ((rows[0]?.[0] ?? 0) < 1024) yield rows;
        }
        yield* other.read(name, 1024);
      },
    };
    const target = memoryEngine();
    await expect(ship({ stream, source, target })).rejects.toMatchObject({
      code: 'damaged',
      position: 1024,
    });
    expect(await rowsIn(target, stream)).toEqual((await rowsIn(whole, stream)).slice(0, 1024));
  });

  test('of a row that is too large for the target says so', async () => {
    const shipping = ship({
      stream,
      source: await filled(3),
      target: limited(memoryEngine(), 10),
    });
    await expect(shipping).rejects.toMatchObject({ code: 'too-large', limit: 10 });
  });
});

describe('volumes', () => {
  /** A log of three volumes with four events each. */
  async function sealed() {
    const path = join(newFolderIn(folder), 'log.ledger');
    for (let volume = 0; volume < 3; volume++) {
      const engine = engineOf(openSqliteStore(path), path);
      await appendMany(engine, stream, 4);
      await engine.close();
      if (volume < 2) sealLog(path);
    }
    return path;
  }

  const opened = (path: string) => engineOf(openSqliteStore(path, { readOnly: true }), path);

  test('are shipped with their log', async () => {
    const source = opened(await sealed());
    const target = memoryEngine();
    expect(await ship({ stream, source, target })).toMatchObject({ appended: 12 });
    expect(await rowsIn(target, stream)).toEqual(chained(genesis, closedMany(12)));
    await source.close();
  });

  test('that were archived are shipped by their own paths, in order', async () => {
    const path = await sealed();
    const archive = join(newFolderIn(folder), 'archive');
    mkdirSync(archive);
    const archived = join(archive, 'log.ledger');
    renameSync(path, archived);
    renameSync(`${path}.0002`, `${archived}.0002`);
    const target = memoryEngine();
    const rest = opened(path);
    const early = ship({ stream, source: rest, target });
    await expect(early).rejects.toMatchObject({ code: 'bad-request' });
    await expect(early).rejects.toThrow(/begins at position 8 .* ends at -1/);
    const old = opened(archived);
    expect(await ship({ stream, source: old, target })).toMatchObject({ appended: 8 });
    expect(await ship({ stream, source: rest, target })).toMatchObject({ appended: 4 });
    expect(await rowsIn(target, stream)).toEqual(chained(genesis, closedMany(12)));
    await old.close();
    await rest.close();
  });

  test('of another history do not continue the target', async () => {
    const path = await sealed();
    const archived = join(newFolderIn(folder), 'log.ledger');
    renameSync(path, archived);
    renameSync(`${path}.0002`, `${archived}.0002`);
    const target = memoryEngine();
    await target.append(stream, genesis, chained(genesis, closedMany(8, 500)));
    const rest = opened(path);
    const shipping = ship({ stream, source: rest, target });
    await expect(shipping).rejects.toMatchObject({ code: 'conflict' });
    await rest.close();
  });

  test('take what is shipped to a log that was sealed meanwhile', async () => {
    const path = await sealed();
    const source = await filled(30);
    const target = engineOf(openSqliteStore(path), path);
    expect(await ship({ stream, source, target })).toMatchObject({ appended: 18 });
    const [first] = await rowsIn(source, stream);
    // A repeated append is known although its rows are in a sealed volume.
    const again = await target.append(stream, genesis, [first!]);
    expect(again).toMatchObject({ appended: 0 });
    expect(again.head).toEqual(headOfRow((await rowsIn(source, stream)).at(-1)!));
    await target.close();
  });
});
