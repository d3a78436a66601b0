/**
 * Faults of servers and networks: each append is made once, whatever happens to it.
 *
 * @module
 */
import { describe, expect, test } from 'vitest';
import type { EventStoreProduct } from '../../../log/eventstore-address.ts';
import { type Engine, LostAnswerError } from '../../../log/engine.ts';
import { genesisOf } from '../../../log/hash.ts';
import { headOfRow, type Row } from '../../../log/row.ts';
import { appendMany, chained, rowsIn } from '../rows.ts';
import { closedMany } from '../sample.ts';
import { DEADLINE, named } from './named-faults.ts';
import type { ReadFault } from './faults.ts';
import { addressOf, type RemoteServer, type TestProcesses } from './remote-engine.ts';

const ENDS: readonly ReadFault['end'][] = ['none', 'ok', 'error', 'reset', 'cut'];
const expectedRows = (count: number) =>
  chained({ position: -1, hash: genesisOf('a') }, closedMany(count));

export function faultsSuite(product: EventStoreProduct, { servers, engines }: TestProcesses): void {
  async function opened(): Promise<[Engine, RemoteServer]> {
    const server = await servers().start();
    return [await engines().open(addressOf(product, server, { deadline: DEADLINE })), server];
  }

  describe(`${product}: an append is made once`, () => {
    test.concurrent.each(Object.entries(named))('where %s', async (_, fault) => {
      const [engine, server] = await opened();
      const before = await appendMany(engine, 'a', 1);
      await server.failAppends(fault);
      const rows = chained(before, closedMany(3, 1));
      const head = headOfRow(rows.at(-1)!);
      expect(await engine.append('a', before, rows)).toEqual({ head, appended: 3 });
      await appendMany(engine, 'a', 1);
      expect(await rowsIn(engine, 'a')).toEqual(expectedRows(5));
      // Whatever arrives late has arrived.
      await new Promise((resolve) => setTimeout(resolve, DEADLINE));
      expect(await server.events('vfioHost-a')).toHaveLength(5);
      await engine.close();
    });

    test('over a call of its own, also where the server has one call for all', async () => {
      const [engine, server] = await opened();
      await appendMany(engine, 'a', 2);
      const { batchAppend, append } = await server.calls();
      expect({ batchAppend, append }).toEqual({ batchAppend: 0, append: 2 });
      await engine.close();
    });
  });

  test.concurrent.each(ENDS)(
    `${product}: reads go on where a call ends in the middle: %s`,
    async (end) => {
      const [engine, server] = await opened();
      await appendMany(engine, 'a', 1200);
      for (const after of [0, 7]) {
        // The read of the head may be the one that ends.
        await server.failReads({ after, end });
        expect(await rowsIn(engine, 'a')).toEqual(expectedRows(1200));
      }
      await engine.close();
    },
  );

  test.concurrent.each(ENDS)(`${product}: following goes on where a call ends: %s`, async (end) => {
    const [engine, server] = await opened();
    const [writer] = [await engines().open(addressOf(product, server))];
    await appendMany(writer, 'a', 3);
    const ending = new AbortController();
    const rows: Row[] = [];
    const following = (async () => {
      for await (const batch of engine.follow('a', 1, ending.signal)) {
        rows.push(...batch);
        if (rows.length >= 22) ending.abort();
      }
    })();
    while (rows.length < 2) await new Promise((resolve) => setTimeout(resolve, 5));
    for (let count = 0; count < 4; count++) {
      // A call without an answer takes as long as a call may take.
      if (end !== 'none' || count === 0) await server.failReads({ after: count % 3, end });
      await server.cutAll();
      await appendMany(writer, 'a', 5);
    }
    await following;
    expect(rows).toEqual(expectedRows(23).slice(1));
    await engine.close();
    await writer.close();
  });

  test(`${product}: an append that is under way when the engine is closed is not said to be unmade`, async () => {
    const [engine, server] = await opened();
    const before = await appendMany(engine, 'a', 1);
    await server.failAppends({ written: 'yes', end: 'none' });
    const append = engine.append('a', before, chained(before, closedMany(1, 1)));
    const rejected = expect(append).rejects.toThrow(LostAnswerError);
    while ((await server.events('vfioHost-a')).length < 2);
    await engine.close();
    await rejected;
  });
}
