/**
 * `history`: the ownership intervals of a subject.
 *
 * @module
 */
import type { Interval, Ledger } from '../ledger.ts';
import { columns, type Cell } from './columns.ts';
import { exit } from './failure.ts';
import { readingOptions, readLog } from './log-file.ts';
import { holdersWords, ownerCell } from './owners.ts';
import type { Paint } from './paint.ts';
import { sentence } from './sentences.ts';
import { show, verb } from './verb.ts';

/** Prints who owned a subject from when to when. */
export const history = verb({
  name: 'history',
  usage: 'history SUBJECT',
  summary: 'Who owned a subject, from when to when, and what ended it',
  details: [
    'A line an interval, without gaps. It begins with the event at FROM, and that at TO ends it;',
    'holders are those at its beginning. A device has the owner of its group.',
  ],
  options: readingOptions,
  operands: [1, 1],
  examples: [
    'vfio-ledger history gpu --log demo.ledger',
    'vfio-ledger history 41 --json --log demo.ledger',
  ],
  async answer({ values, operands: [subject = ''] }, io) {
    return readLog(values, io, async (ledger) => {
      const intervals = ledger.history(subject);
      await show(io, values.json, intervals, () => historyText(intervals, ledger, io.paint));
      return exit.done;
    });
  },
});

function historyText(intervals: readonly Interval[], ledger: Ledger, paint: Paint): string[] {
  const timed = ledger.events.some(({ time }) => time !== null);
  const rows = intervals.map(({ from, to, owner }): Cell[] => [
    from === null ? 'start' : String(from),
    ...(timed ? [timeAt(from, ledger)] : []),
    to === null ? '-' : String(to),
    ownerCell(owner),
    holdersWords(owner.holders),
    to === null ? '-' : sentence(ledger, to),
  ]);
  const heading = ['FROM', ...(timed ? ['TIME'] : []), 'TO', 'OWNER', 'HELD BY', 'ENDED WHEN'];
  return columns(rows, paint, heading);
}

function timeAt(position: Interval['from'], ledger: Ledger): string {
  return (position === null ? null : ledger.event(position)?.time) ?? '-';
}
