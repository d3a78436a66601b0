/**
 * `log`: prints the events themselves.
 *
 * @module
 */
import type { RecordedEvent } from '../ledger.ts';
import { columns, type Line } from '../words/columns.ts';
import { inferenceRows } from '../words/inferences.ts';
import { eventJson, eventRow } from './event-row.ts';
import { exit } from './failure.ts';
import { readingOptions, readLog, sayLogEnds } from './log-file.ts';
import { verb } from './verb.ts';

/** Prints the events that the options select, in order. */
export const log = verb({
  name: 'log',
  usage: 'log [SUBJECT] [--from WHEN] [--to WHEN] [--refused]',
  summary: 'Prints the events themselves: all of them, or those that concern a subject',
  details: [
    'One line for each event: position, time (UTC), type and data. Events of evidence also show where',
    'they were seen, and whether they are inferred or assumed; the rules that inferred them are explained',
    'below. The events at --from and --to are included.',
  ],
  options: {
    from: {
      type: 'string',
      value: 'WHEN',
      help: 'print the events from this moment on; default: start',
    },
    to: { type: 'string', value: 'WHEN', help: 'print the events up to this moment; default: end' },
    refused: { type: 'boolean', help: 'print only refused attempts' },
    ...readingOptions,
  },
  operands: [0, 1],
  examples: [
    'vfio-ledger log --log demo.ledger',
    'vfio-ledger log gpu --refused --from 10 --log demo.ledger',
    'vfio-ledger log pid:102 --json --log demo.ledger',
  ],
  async answer({ values, operands: [subject] }, io) {
    return readLog(values, io, async (ledger) => {
      const { from, to, refused } = values;
      const events = ledger.log({ subject, from, to, refused });
      sayLogEnds(io, ledger, from ?? 'start', to ?? 'end');
      if (values.json === true) {
        await io.out.printJson(array(events), { ending: '' });
        await io.out.print(['']);
      } else {
        await io.out.print(columns(events.map(eventRow)));
        await io.out.print(rulesIn(events));
      }
      return exit.done;
    });
  },
});

/** A line for each rule by which one of the events was inferred. */
function rulesIn(events: readonly RecordedEvent[]): Line[] {
  const names = new Set(events.flatMap(({ data }) => data.evidence?.rule ?? []));
  const rows = inferenceRows(names);
  return rows.length === 0 ? [] : ['', ...columns(rows)];
}

/** One JSON array in pieces: as one string it could become too long. */
function* array(events: readonly RecordedEvent[]): Generator<string> {
  yield '[';
  for (const [index, event] of events.entries()) yield (index === 0 ? '' : ',') + eventJson(event);
  yield ']';
}
