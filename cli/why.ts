/**
 * `why`: what a refusal was about.
 *
 * @module
 */
import type { Why } from '../ledger.ts';
import { columns, indented } from './columns.ts';
import { exit } from './failure.ts';
import { atOption, readingOptions, readLog } from './log-file.ts';
import { holderRows } from './owners.ts';
import type { Paint } from './paint.ts';
import { printable } from './printable.ts';
import { sentence, type History } from './sentences.ts';
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
      await show(io, values.json, found, () => whyText(found, ledger, io.paint));
      return exit.done;
    });
  },
});

function whyText(found: Why, history: History, paint: Paint): string[] {
  const { position, cause, summary, blocker, because, wouldPassAfter } = found;
  const time = history.event(position)?.time ?? null;
  const tone = cause === 'unknown' ? 'unknown' : 'refusal';
  const reasons = because.map((reason) => [String(reason), sentence(history, reason)]);
  return [
    `position ${position}${time === null ? '' : `, ${time}`}: ${sentence(history, position)}`,
    `cause: ${paint(cause, tone)} (${summary})`,
    ...(blocker === null ? [] : blockerLines(blocker)),
    ...(reasons.length === 0 ? [] : ['because of:', ...indented(columns(reasons, (text) => text))]),
    ...outcomeLines(cause, wouldPassAfter, history),
  ];
}

function blockerLines({ kind, file, driver, holders }: NonNullable<Why['blocker']>): string[] {
  const what = driver === null ? [kind, ...(file === null ? [] : [file])] : ['driver', driver];
  if (holders.length === 0) return [`in the way: ${printable(what.join(' '))}`];
  return [
    `in the way: ${printable(what.join(' '))}, kept alive by`,
    ...indented(columns(holderRows(holders), (text) => text)),
  ];
}

function outcomeLines(cause: string, wouldPassAfter: number | null, history: History): string[] {
  // Nobody can say what would mend what is not explained.
  if (cause === 'unknown') return [];
  if (wouldPassAfter === null) return ['nothing later in this log lets it through'];
  return [`it would pass after ${wouldPassAfter}: ${sentence(history, wouldPassAfter)}`];
}
