/**
 * `diff`: prints which groups changed owner between two moments.
 *
 * @module
 */
import type { Diff } from '../ledger.ts';
import { columns, type Cell, type Line } from '../words/columns.ts';
import { sentence, type History } from '../words/events.ts';
import { unchangedWords } from '../words/history.ts';
import { ownerCell } from '../words/owners.ts';
import { exit } from './failure.ts';
import { readingOptions, readLog, sayLogEnds } from './log-file.ts';
import { show, verb } from './verb.ts';

/** Prints each change of owner after the first moment, up to and including the second. */
export const diff = verb({
  name: 'diff',
  usage: 'diff WHEN WHEN',
  summary: 'Lists which groups changed owner between two moments',
  details: [
    'One line for each change after the first moment, up to and including the second: position, group,',
    'the owner before and after, and the event.',
  ],
  options: readingOptions,
  operands: [2, 2],
  examples: [
    'vfio-ledger diff start end --log demo.ledger',
    'vfio-ledger diff 10 26 --json --log demo.ledger',
  ],
  async answer({ values, operands: [from = '', to = ''] }, io) {
    return readLog(values, io, async (ledger) => {
      const found = ledger.diff(from, to);
      sayLogEnds(io, ledger, from, to);
      await show(io, values.json, found, () => diffText(found, ledger));
      return exit.done;
    });
  },
});

function diffText(found: Diff, history: History): Line[] {
  if (found.changes.length === 0) return [unchangedWords(found)];
  const rows = found.changes.map(({ subject, before, after, position }): Cell[] => [
    String(position),
    subject,
    ownerCell(before),
    ownerCell(after),
    sentence(history, position),
  ]);
  return columns(rows, ['POSITION', 'GROUP', 'BEFORE', 'AFTER', 'WHEN']);
}
