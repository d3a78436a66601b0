/**
 * `export`: prints the log as JSON lines.
 *
 * @module
 */
import { RequestError, type Ledger } from '../ledger.ts';
import { eventJson } from './event-row.ts';
import { exit } from './failure.ts';
import { readingOptions, readLog } from './log-file.ts';
import { verb } from './verb.ts';

const formats: readonly string[] = ['events'];

/** Prints all events in order, then an end marker, which shows a reader that nothing was cut off. */
export const exportLog = verb({
  name: 'export',
  usage: 'export [--format events]',
  summary: 'Prints the log as JSON lines, which import reads back',
  details: [
    'One line for each event, in order, then {"end":{"events":N,"head":"POSITION:HASH"}}. Importing',
    'it into a new log gives the same events and the same head.',
  ],
  options: {
    format: { type: 'string', value: 'F', help: `${formats.join(', ')} (default)` },
    ...readingOptions,
    json: { type: 'boolean' },
  },
  operands: [0, 0],
  examples: ['vfio-ledger export --format events --log demo.ledger > demo.events.jsonl'],
  async answer({ values }, io) {
    const { format = 'events' } = values;
    if (!formats.includes(format)) {
      throw new RequestError(`no format '${format}' to export; there is ${formats.join(', ')}`);
    }
    return readLog(values, io, async (ledger) => {
      await io.out.printJson(lines(ledger));
      return exit.done;
    });
  },
});

function* lines(ledger: Ledger): Generator<string> {
  const { length, head } = ledger;
  for (const event of ledger.each()) yield eventJson(event);
  const end = { events: length, head: `${head.position}:${head.hash}` };
  yield JSON.stringify({ end });
}
