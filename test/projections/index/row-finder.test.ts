import fc from 'fast-check';
import { expect, test } from 'vitest';
import { firstStart, SegmentBuilder } from '../../../projections/index/builder.ts';
import { advance, Cursor } from '../../../projections/index/journal.ts';
import { RowFinder, type RowKey } from '../../../projections/index/row-finder.ts';
import type { Standing } from '../../../projections/index/standing.ts';
import { busyHost, randomLogs, type Log } from '../../support/random-logs.ts';

const KEYS: readonly RowKey[] = [
  'fileByOpened',
  'filesByPin',
  'holdsByFile',
  'holdsByProcess',
  'processByPid',
];
/** More than a finder searches before it keeps the rows. */
const MANY = 65;

const logs = fc.oneof(
  fc.integer().map((seed) => busyHost(600, seed)),
  randomLogs.recorded,
);

function partsOf(log: Log) {
  const builder = new SegmentBuilder(firstStart(0), log.length);
  for (const event of log) builder.take(event);
  return builder.finish().parts;
}

/** Everything that a finder finds, by key and value. */
function found(finder: RowFinder, { tables }: Standing) {
  const most = Math.max(...tables.flatMap(({ cells }) => [...cells]));
  return KEYS.map((key) => Array.from({ length: most }, (_, at) => finder.rowsWith(key, at + 1)));
}

test('finds in a standing that moves what a search of each row finds', () => {
  const steps = fc.array(fc.nat(80), { minLength: 1, maxLength: 20 });
  fc.assert(
    fc.property(logs, steps, (log, lengths) => {
      const { journal, start } = partsOf(log);
      const [standing, cursor] = [start.copy(), new Cursor()];
      const finder = new RowFinder(standing);
      for (const length of lengths) {
        for (const key of KEYS) {
          for (let time = 0; time < MANY; time++) finder.rowsWith(key, 1);
          expect(finder.isQuick(key)).toBe(true);
        }
        const before = cursor.copy();
        advance(journal, standing, cursor, Math.min(cursor.event + length, journal.length));
        finder.moved(journal, before, cursor);
        expect(found(finder, standing)).toEqual(found(new RowFinder(standing), standing));
      }
    }),
    { numRuns: 20 },
  );
});
