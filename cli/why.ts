/**
 * `why`: what a refusal was about.
 *
 * @module
 */
import { whyWords } from '../words/why.ts';
import { exit } from './failure.ts';
import { atOption, readingOptions, readLog } from './log-file.ts';
import { show, verb } from './verb.ts';

/** Explains the refusal at a position, or the latest one that concerns a subject. */
export const why = verb({
  name: 'why',
  usage: 'why POSITION|SUBJECT [--at WHEN]',
  summary: 'Why an attempt was refused, who stood in the way, and what let it through',
  details: [
    "Digits are a position; of a SUBJECT its latest refusal is explained (group 26 is 'g26' here).",
    'It would have passed without any one of the events listed as reasons. Whether a later event',
    'lets the same call through is asked with the files of the call taken as still open.',
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
      const found = ledger.why(attempt, { at: values.at ?? 'end' });
      await show(io, values.json, found, () => whyWords(found, ledger, io.paint));
      return exit.done;
    });
  },
});
