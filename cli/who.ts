/**
 * `who`: owner, holders and waiters of one subject.
 *
 * @module
 */
import type { Owner, Who } from '../ledger.ts';
import { columns, indented } from './columns.ts';
import { exit } from './failure.ts';
import { atOption, readingOptions, readLog } from './log-file.ts';
import { holderRows, ownerWords } from './owners.ts';
import type { Paint } from './paint.ts';
import { printable } from './printable.ts';
import { show, verb } from './verb.ts';

/** Says who owns a subject, who holds it, and who waits for it. */
export const who = verb({
  name: 'who',
  usage: 'who SUBJECT [--at WHEN]',
  summary: 'Who owns one device, group, process or file, who holds it and who waits for it',
  details: [
    'The owner is who has the DMA of the IOMMU group. It is kept alive by every descriptor and',
    'mapping listed; holders are those of the subject itself.',
  ],
  options: { ...atOption, ...readingOptions },
  operands: [1, 1],
  examples: [
    'vfio-ledger who gpu --log demo.ledger',
    'vfio-ledger who 26 --at 18 --log demo.ledger',
    'vfio-ledger who file:f8 --at 19 --json --log demo.ledger',
  ],
  async answer({ values, operands: [subject = ''] }, io) {
    return readLog(values, io, async (ledger) => {
      const found = ledger.who(subject, { at: values.at ?? 'end' });
      await show(io, values.json, found, () => whoText(found, subject, io.paint));
      return exit.done;
    });
  },
});

function whoText(found: Who, subject: string, paint: Paint): string[] {
  const { owner, at, holders, waiters } = found;
  const when = at.position === null ? 'Before the first event' : `At position ${at.position}`;
  const isProcess = subject.startsWith('pid:');
  const [held, free] = isProcess
    ? ['It holds:', 'It holds nothing.']
    : ['It is held by:', 'Nobody holds it.'];
  return [
    `${when}${at.time === null ? '' : `, ${at.time}`}:`,
    paint(ownedWords(owner, named(subject, found)), owner.kind === 'unknown' ? 'unknown' : 'plain'),
    ...listed('The owner is kept alive by:', owner.holders),
    ...(holders.length === 0 ? [free] : listed(held, holders)),
    ...listed('Waiting for it:', waiters),
  ];
}

/** What was asked for, with the name that the log knows it by. */
function named(word: string, { subject }: Who): string {
  if (/^g?\d+$/.test(word)) return `group ${subject}`;
  return printable(word.endsWith(subject) ? word : `${word} (${subject})`);
}

/** A process owns nothing, but may keep an owner alive; a file may lie in the domain of another. */
function ownedWords(owner: Owner, subject: string): string {
  const { kind } = owner;
  const words = (kind === 'container' ? 'the ' : '') + ownerWords(owner);
  if (kind === 'unknown') return `Who owns ${subject} is not known: the evidence has a gap.`;
  if (subject.startsWith('pid:')) {
    return kind === 'none'
      ? `${subject} keeps no owner alive.`
      : `${subject} keeps ${words} alive.`;
  }
  if (!subject.startsWith('file:')) return `${subject} is owned by ${words}.`;
  if (kind === 'none') return `${subject} has no part in the ownership of a group.`;
  return `The group of ${subject} is owned by ${words}.`;
}

function listed(title: string, holders: Who['holders']): string[] {
  if (holders.length === 0) return [];
  return [title, ...indented(columns(holderRows(holders), (text) => text))];
}
