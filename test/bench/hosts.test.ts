import { expect, test } from 'vitest';
import { historyOf, hostKinds } from '../../bench/hosts.ts';
import type { LedgerEvent, Placed } from '../../events/vocabulary.ts';
import { entryOf } from '../../log/row.ts';
import { LiveHost } from '../../machines/live-host.ts';

const COUNT = 10_000;
const histories = new Map(
  await Promise.all(
    hostKinds.map(async (kind) => [kind, [...(await historyOf(kind, COUNT))]] as const),
  ),
);
const of = (kind: (typeof hostKinds)[number]) => histories.get(kind) ?? [];

/** How many boots there are, how many refusals, and what the rules make of them. */
function judged(events: readonly LedgerEvent[]) {
  const host = new LiveHost();
  const found = { boots: 0, refused: 0, unexplained: 0, inDoubt: 0 };
  for (const [position, event] of events.entries()) {
    if (event.type === 'host.booted') found.boots++;
    if (event.type === 'operation.refused') {
      found.refused++;
      if (host.explain(event.data).cause === 'unknown') found.unexplained++;
    }
    host.take({ ...event, position } as Placed<LedgerEvent>);
  }
  for (const { unknownSince } of host.groups()) if (unknownSince !== null) found.inDoubt++;
  return { ...found, isAssumed: host.isAssumed, contradictions: host.contradictions };
}

test.each(hostKinds)('a host of a kind has the same valid events every time: %s', async (kind) => {
  const events = of(kind);
  expect(events).toHaveLength(COUNT);
  expect([...(await historyOf(kind, 1000))]).toEqual(events.slice(0, 1000));
  expect(new Set(events.map((event) => entryOf(event).id)).size).toBe(COUNT);
});

test('a host that is seen whole, or boots often, holds no secret', () => {
  const known = { unexplained: 0, inDoubt: 0, isAssumed: false, contradictions: [] };
  expect(judged(of('whole'))).toMatchObject({ ...known, boots: 1 });
  const often = judged(of('short boots'));
  expect(often).toMatchObject(known);
  expect(often.boots).toBeGreaterThan(COUNT / 100);
  expect(often.refused).toBeGreaterThan(COUNT / 10);
});

test('of a host whose boot is unseen some owners are unknown, and nothing contradicts the rules', () => {
  const found = judged(of('boot unseen'));
  expect(found).toMatchObject({ boots: 1, isAssumed: true, contradictions: [] });
  expect(found.inDoubt).toBeGreaterThan(0);
  expect(found.unexplained).toBeGreaterThan(found.refused / 50);
  expect(found.unexplained).toBeLessThan(found.refused / 4);
  for (const { data } of of('boot unseen')) expect(data).toHaveProperty('evidence.source');
});
