/**
 * Appends by many hosts, through faults that are drawn by chance.
 *
 * @module
 */
import { expect, test } from 'vitest';
import type { EventStoreProduct } from '../../../log/eventstore-address.ts';
import { ServerAwayError } from '../../../log/eventstore-errors.ts';
import { genesisOf } from '../../../log/hash.ts';
import { headOfRow } from '../../../log/row.ts';
import { appendSurely } from '../../../log/ship.ts';
import type { Head } from '../../../log/store.ts';
import { drawFrom } from '../../support/draw.ts';
import { countOf } from '../../support/effort.ts';
import { SEED } from '../../support/seed.ts';
import { appendMany, chained, rowsIn } from '../rows.ts';
import { closedMany } from '../sample.ts';
import { anyAppendFault } from './faults.ts';
import { DEADLINE } from './named-faults.ts';
import { addressOf, type TestProcesses } from './remote-engine.ts';

const FAULTS = countOf('random faults of appends', { test: 20, soak: 500 });
const ROUNDS = countOf('appends of each of 16 hosts', { test: 6, soak: 40 });
/** Servers that have faults at the same time. */
const LANES = 10;
/** How often all connections are cut, in ms. */
const CUT_EVERY = 1000;

const seed = Number(process.env[SEED] ?? 0);
const genesis = (stream: string): Head => ({ position: -1, hash: genesisOf(stream) });
const lanes = (count: number) => Array.from({ length: count }, (_, index) => index);

/** Asks again while the server is away: a busy machine may take longer than the deadline of a call. */
async function untilReached<Result>(ask: () => Promise<Result>): Promise<Result> {
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof ServerAwayError)) throw error;
    }
  }
}

export function randomFaults(
  product: EventStoreProduct,
  { servers, engines }: TestProcesses,
): void {
  test(`${product}: ${FAULTS} appends with any fault are each made once`, async () => {
    await Promise.all(
      lanes(LANES).map(async (lane) => {
        const random = drawFrom(seed + lane);
        const server = await servers().start();
        const engine = await engines().open(addressOf(product, server, { deadline: DEADLINE }));
        let head = await untilReached(async () => appendMany(engine, 'a', 1));
        for (let fault = lane; fault < FAULTS; fault += LANES) {
          const given = anyAppendFault(random, DEADLINE);
          await server.failAppends(given);
          const rows = chained(head, closedMany(1 + (fault % 3), head.position + 1));
          const result = await engine.append('a', head, rows).catch(String);
          head = headOfRow(rows.at(-1)!);
          expect({ given, result }).toEqual({ given, result: { head, appended: rows.length } });
        }
        // Whatever arrives late has arrived.
        await new Promise((resolve) => setTimeout(resolve, 3 * DEADLINE));
        expect(await rowsIn(engine, 'a')).toEqual(
          chained(genesis('a'), closedMany(head.position + 1)),
        );
        expect(await server.events('vfioHost-a')).toHaveLength(head.position + 1);
        await engine.close();
        await server.close();
      }),
    );
  });

  test(`${product}: 16 hosts append through a server that drops connections`, async () => {
    const chance = { share: 0.2, seed, deadline: DEADLINE };
    const server = await servers().start({ chance });
    const cutting = setInterval(() => void server.cutAll(), CUT_EVERY);
    const hosts = lanes(16).map((index) => `host-${index}`);
    const acknowledged = await Promise.all(
      hosts.map(async (host) => {
        const engine = await engines().open(addressOf(product, server, { deadline: DEADLINE }));
        let head = genesis(host);
        for (let round = 0; round < ROUNDS; round++) {
          const rows = chained(head, closedMany(1 + (round % 3), head.position + 1));
          await untilReached(async () => appendSurely(engine, host, head, rows));
          head = headOfRow(rows.at(-1)!);
        }
        await engine.close();
        return head;
      }),
    );
    clearInterval(cutting);
    const engine = await engines().open(addressOf(product, server));
    expect(await engine.streams()).toEqual(hosts.toSorted());
    for (const [index, host] of hosts.entries()) {
      const { position } = acknowledged[index]!;
      expect(await rowsIn(engine, host)).toEqual(chained(genesis(host), closedMany(position + 1)));
    }
    await engine.close();
  });
}
