/**
 * What is appended: the worked example, played over and over, each time with other ids.
 *
 * @module
 */
import { readFileSync } from 'node:fs';
import type { LedgerEvent } from '../events/vocabulary.ts';
import { profileFor, topologyFrom } from '../ledger/settings.ts';
import { parseScenario, simulate } from '../host/simulation.ts';
import { sha256 } from '../log/hash.ts';
import { entryOf, type Row, rowOf } from '../log/row.ts';
import { openSqliteStore } from '../log/sqlite.ts';

/** In ms, a second for a thousand events. */
const BEGIN = Date.UTC(2026, 0, 2);

/** An event, and the row that it becomes when it is appended in its turn. */
export interface Item {
  readonly event: LedgerEvent;
  readonly row: Row;
}

type Items = Generator<Item, never>;

/** What follows on each other after the hash: without end, and every time the same. */
function* history(previous: string): Items {
  const topology = topologyFrom(example('host.topology.json'));
  const scenario = parseScenario(example('two-contexts.scenario'));
  const profile = profileFor(undefined, topology);
  let hash = previous;
  for (let position = 0; ;) {
    const time = new Date(BEGIN + position).toISOString();
    const start = { position, pid: 101 + position, time };
    for (const { events } of simulate(scenario, topology, profile, {
      seed: String(position),
      digest: sha256,
      start,
    })) {
      for (const event of events) {
        const row = rowOf(entryOf(event), position++, hash);
        hash = row[6];
        yield { event, row };
      }
    }
  }
}

/** The next so many of them. */
export function take(items: Items, count: number): readonly Item[] {
  return Array.from({ length: count }, () => items.next().value);
}

/** Writes a log of so many events; gives the position of its head, and what is to come after it. */
export async function begin(path: string, count = 20_000) {
  const store = openSqliteStore(path);
  const items = history((await store.head('host')).hash);
  const events = take(items, count).map(({ event }) => event);
  const { head } = await store.append('host', -1, events);
  await store.close();
  return { position: head.position, items };
}

function example(name: string): string {
  return readFileSync(new URL(`../examples/${name}`, import.meta.url), 'utf8');
}
