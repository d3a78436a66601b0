/**
 * `bisect`: where a history first went wrong.
 *
 * @module
 */
import { RequestError, type Bisection } from '../ledger.ts';
import { invariantNames, invariants } from '../projections/invariants.ts';
import { columns, indented } from './columns.ts';
import { exit } from './failure.ts';
import { readingOptions, readLog } from './log-file.ts';
import type { Paint } from './paint.ts';
import { printable } from './printable.ts';
import { sentence, type History } from './sentences.ts';
import { show, verb } from './verb.ts';

/** Prints the first event after which an invariant does not hold, and the fewest that show it. */
export const bisect = verb({
  name: 'bisect',
  usage: 'bisect --invariant NAME',
  summary: 'The first event at which an invariant is violated, and the fewest that still show it',
  details: [
    'It is judged on what the evidence claims, whether or not the rules would have let it happen.',
    'Exit 1 where it holds throughout. NAME is one of:',
    ...invariantNames.map((name) => `  ${name}: ${invariants[name].summary}`),
  ],
  options: {
    invariant: { type: 'string', value: 'NAME', help: 'the invariant in question' },
    ...readingOptions,
  },
  operands: [0, 0],
  examples: [
    'vfio-ledger bisect --invariant one-context-per-group --log demo.ledger ' +
      '|| echo "it never was violated"',
  ],
  async answer({ values }, io) {
    const { invariant } = values;
    if (invariant === undefined) {
      throw new RequestError(`--invariant NAME is missing; there are ${invariantNames.join(', ')}`);
    }
    return readLog(values, io, async (ledger) => {
      io.progress.tell(`${ledger.length} events to look through`);
      const found = ledger.bisect({ invariant });
      await show(io, values.json, found, () =>
        found === null
          ? [`${invariant} holds at every position`]
          : bisectText(found, ledger, io.paint),
      );
      return found === null ? exit.no : exit.done;
    });
  },
});

function bisectText(found: Bisection, history: History, paint: Paint): string[] {
  const { invariant, position, detail, cause, prefix } = found;
  const events = prefix.map((at) => [String(at), sentence(history, at)]);
  return [
    `${invariant} is violated at position ${position}: ${printable(detail)}`,
    cause === null
      ? 'the rules have nothing against the event'
      : `the rules would have refused it: ${paint(cause, 'refusal')}`,
    'it takes no more than',
    ...indented(columns(events, (text) => text)),
  ];
}
