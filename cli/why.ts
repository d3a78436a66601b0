/**
 * `why`: explains a refusal.
 *
 * @module
 */
import { whyWords } from '../words/why.ts';
import { exit } from './failure.ts';
import { atOption, readingOptions, readLog, sayLogEnds } from './log-file.ts';
import { show, verb } from './verb.ts';

/** Explains the refusal at a position, or the latest refusal that concerns a subject. */
export const why = verb({
  name: 'why',
  usage: 'why POSITION|SUBJECT [--at WHEN]',
  summary:
    'Explains why an attempt was refused, what was in the way, and what would have let it pass',
  details: [
    'Digits are a position. Of a SUBJECT, the latest refusal is explained; group 26 is g26 here.',
    'because of: without any one of these events, the attempt would have passed.',
    'it would pass after: the next event after which the same call passes, if its files are still open.',
    'Where the evidence leaves several causes open, it lists them, each with a command that tells.',
  ],
  options: { ...atOption, ...readingOptions },
  operands: [1, 1],
  examples: [
    'vfio-ledger why 24 --log demo.ledger',
    'vfio-ledger why gpu-audio --at 17 --log demo.ledger',
    'vfio-ledger why g41 --json --log demo.ledger',
  ],
  async answer({ values, operands: [attempt = ''] }, io) {
    return readLog(values, io, async (ledger) => {
      const { at = 'end' } = values;
      const found = ledger.why(attempt, { at });
      sayLogEnds(io, ledger, at);
      await show(io, values.json, found, () => whyWords(found, ledger));
      return exit.done;
    });
  },
});
