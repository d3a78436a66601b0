/**
 * `log`: the events themselves.
 *
 * @module
 */
import type { RecordedEvent } from '../ledger.ts';
import { columns } from '../words/columns.ts';
import { inferenceRows } from '../words/inferences.ts';
import type { Paint } from '../words/tone.ts';
import { eventJson, eventRow } from './event-row.ts';
import { exit } from './failure.ts';
import { readingOptions, readLog } from './log-file.ts';
import { verb } from './verb.ts';

/** Prints the events that were asked for, ascending. */
export const log = verb({
  name: 'log',
  usage: 'log [SUBJECT] [--from WHEN] [--to WHEN] [--refused]',
  summary: 'Prints the events themselves, all or those that concern a subject',
  details: [
    'A line an event: position, time (UTC), type and data, and of evidence where it was seen and how',
    'surely; below it what the rules say that inferred any. --from and --to are part of it.',
  ],
  options: {
    from: { type: 'string', value: 'WHEN', help: 'begin there' },
    to: { type: 'string', value: 'WHEN', help: 'end there' },
    refused: { type: 'boolean', help: 'attempts that were refused, and nothing else' },
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
      if (values.json === true) await io.out.print(array(events), { ending: '' });
      else {
        await io.out.print(columns(events.map(eventRow), io.paint));
        await io.out.print(rulesIn(events, io.paint));
      }
      return exit.done;
    });
  },
});

/** What the rules say by which some of the events were inferred, each once. */
function rulesIn(events: readonly RecordedEvent[], paint: Paint): string[] {
  const names = new Set(events.flatMap(({ data }) => data.evidence?.rule ?? []));
  const rows = inferenceRows(names);
  return rows.length === 0 ? [] : ['', ...columns(rows, paint)];
}

/** One JSON array in pieces: as a whole it could grow too long for a string. */
function* array(events: readonly RecordedEvent[]): Generator<string> {
  yield '[';
  for (const [index, event] of events.entries()) yield (index === 0 ? '' : ',') + eventJson(event);
  yield ']\n';
}
