import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { LedgerEvent } from '../../events/vocabulary.ts';
import { openLedger, type Ledger } from '../../ledger.ts';
import { questionsOf } from '../goldens/questions.ts';
import { anyLog, type Log } from '../support/random-logs.ts';
import { timeKeys } from '../support/times-beside.ts';

/** Every second of an event; a third of the events has none, and the clock goes back. */
const timeOf = (position: number): string | null =>
  position % 3 === 1
    ? null
    : `2026-06-01T00:${String((position * 7) % 60).padStart(2, '0')}:00.000001Z`;

async function ledgerOf(log: Log): Promise<Ledger> {
  const ledger = await openLedger(':memory:');
  const events = log.map(({ type, data, id, position }) => {
    return { type, data, id, time: timeOf(position) } as LedgerEvent;
  });
  await ledger.append(-1, events);
  await ledger.refresh();
  return ledger;
}

/** Positions in an answer whose time is missing or wrong, by their path. `met` counts all. */
function untimed(value: unknown, met: Record<string, number>, path = ''): string[] {
  if (typeof value !== 'object' || value === null) return [];
  if (Array.isArray(value)) return value.flatMap((each) => untimed(each, met, `${path}[]`));
  const object = value as Readonly<Record<string, unknown>>;
  // The data of an event are not ours to add to.
  if ('schema' in object) return [];
  return Object.entries(object).flatMap(([key, child]) => {
    const below = untimed(child, met, `${path}.${key}`);
    const timeKey = timeKeys[key];
    if (timeKey === undefined) return below;
    met[key] = (met[key] ?? 0) + 1;
    const time = object[timeKey];
    const expected = child === null ? null : timeOf(child as number);
    return time === expected
      ? below
      : [...below, `${path}.${key} ${String(child)}: ${String(time)}`];
  });
}

test('every position of every answer has the time of its event beside it', async () => {
  const met: Record<string, number> = {};
  await fc.assert(
    fc.asyncProperty(anyLog, async (log) => {
      const ledger = await ledgerOf(log.slice(0, 200));
      for (const { verb, asked, ask } of questionsOf(ledger)) {
        if (verb === 'log') continue;
        for (const { value } of ask()) {
          expect(untimed(value, met), `${verb} ${asked}`).toEqual([]);
        }
      }
      const { head } = ledger;
      expect(untimed(ledger.between(0, head.position), met)).toEqual([]);
      expect(untimed(ledger.diff(0, head.position), met)).toEqual([]);
      for (const { group } of ledger.at().table().groups) {
        expect(untimed(ledger.at().owner(`/dev/vfio/${group}`), met)).toEqual([]);
        expect(untimed(ledger.at().whyUnknown(`/dev/vfio/${group}`), met)).toEqual([]);
      }
    }),
    { numRuns: 12 },
  );
  expect(Object.keys(timeKeys).filter((key) => (met[key] ?? 0) < 5)).toEqual([]);
});
