/**
 * `who`: owner, holders and waiters of one subject; what else these hold; what nobody can name.
 *
 * @module
 */
import {
  LedgerError,
  openLedger,
  RequestError,
  type Claimant,
  type Holding,
  type Ledger,
  type Moment,
  type Orphan,
  type Owner,
  type When,
  type Who,
} from '../ledger.ts';
import { columns, indented, type Cell } from './columns.ts';
import { doubtWords } from './doubt-words.ts';
import { exit } from './failure.ts';
import { atOption, readingOptions, readLog } from './log-file.ts';
import { holderRows, holdersWords, ownerCell, ownerWords, processWords } from './owners.ts';
import type { Paint } from './paint.ts';
import { printable } from './printable.ts';
import { readingOf, rootOption, unseenLines } from './snapshot.ts';
import { show, verb, type Io } from './verb.ts';

const USAGE = 'who SUBJECT|--orphans [--at WHEN] [--holdings] | who SUBJECT --now [--root DIR]';

/** Says who owns a subject, who holds it, and who waits for it. */
export const who = verb({
  name: 'who',
  usage: USAGE,
  summary: 'Who owns one device, group, process or file, who holds it and who waits for it',
  details: [
    'The owner is who has the DMA of the IOMMU group. It is kept alive by every descriptor and',
    'mapping listed; holders are those of the subject itself. A waiter holds nothing, and who was',
    'given a device by a manager such as libvirt has a claim: neither is a holder.',
    '--holdings goes on from these: a line for each descriptor and mapping of a VFIO file that the',
    'processes have which hold SUBJECT or keep its owner alive, or which pid:N itself has.',
    '--now reads the running host into a log that is thrown away, and answers from that.',
    '--orphans lists the files that are alive although no process has a descriptor or mapping of',
    'them: the files in the kernel that keep them (KEPT BY), and who holds those (HELD BY).',
  ],
  options: {
    ...atOption,
    holdings: {
      type: 'boolean',
      help: 'what else of VFIO the processes held that have to do with it',
    },
    now: { type: 'boolean', help: 'on this host, as it is now; no log is read' },
    ...rootOption,
    orphans: { type: 'boolean', help: 'files that no process can name; without SUBJECT' },
    ...readingOptions,
  },
  operands: [0, 1],
  examples: [
    'vfio-ledger who gpu --log demo.ledger',
    'vfio-ledger who 26 --at 18 --log demo.ledger',
    'vfio-ledger who file:f8 --at 19 --json --log demo.ledger',
    'vfio-ledger who gpu --at 19 --holdings --log demo.ledger',
    'vfio-ledger who --orphans --log demo.ledger',
    'vfio-ledger who /dev/vfio/26 --now --root examples/host',
  ],
  async answer({ values, operands: [subject] }, io) {
    const { orphans = false, holdings = false } = values;
    if (orphans && (holdings || subject !== undefined)) {
      const other = holdings ? '--holdings' : 'a subject';
      throw new RequestError(`who: --orphans is asked of the whole host, and not with ${other}`);
    }
    if (!orphans && subject === undefined) {
      throw new RequestError(`who: an operand is missing; usage: vfio-ledger ${USAGE}`);
    }
    if (values.root !== undefined && values.now !== true) {
      throw new RequestError('who: --root is for --now');
    }
    if (values.now === true) return tellNow(subject, values, io);
    return readLog(values, io, async (ledger) => {
      const { at = 'end', json } = values;
      if (subject === undefined) {
        const then = ledger.at(at);
        const found = then.orphans();
        await show(io, json, found, () => [
          momentWords(then.moment),
          ...orphansLines(found, io.paint),
        ]);
      } else if (holdings) {
        const then = ledger.at(at);
        const found = then.holdings(subject);
        await show(io, json, found, () => [
          momentWords(then.moment),
          ...holdingsLines(found, subject, io.paint),
        ]);
      } else {
        const claimants = ledger.claimants(subject, { at });
        const found = {
          ...ledger.who(subject, { at }),
          ...(claimants.length > 0 && { claimants }),
        };
        await show(io, json, found, () => [
          ...whoText(found, subject, io.paint, doubtOf(ledger, found, subject, at)),
          ...claimLines(claimants),
        ]);
      }
      return exit.done;
    });
  },
});

/** Answers from the running host, and keeps nothing of it. */
async function tellNow(
  subject: string | undefined,
  { at, root, json, holdings = false }: NowValues,
  io: Io,
): Promise<number> {
  if (subject === undefined || at !== undefined || holdings) {
    throw new RequestError('who: --now is asked of one subject, and with nothing but --root');
  }
  const reading = readingOf(root);
  const ledger = await openLedger(':memory:');
  try {
    const options = { time: new Date().toISOString(), source: root ?? '/proc' };
    const { unseen } = await ledger.snapshot(reading, options);
    const found = { ...whoOf(ledger, subject), unseen };
    await show(io, json, found, () => [
      ...whoText(found, subject, io.paint, doubtOf(ledger, found, subject)),
      ...unseenLines(unseen),
    ]);
    return exit.done;
  } finally {
    await ledger.close();
  }
}

interface NowValues {
  readonly at?: string;
  readonly root?: string;
  readonly json?: boolean;
  readonly holdings?: boolean;
}

function whoOf(ledger: Ledger, subject: string): Who {
  try {
    return ledger.who(subject);
  } catch (error) {
    if (!(error instanceof LedgerError && error.code === 'unknown-subject')) throw error;
    const groups = ledger
      .at('end')
      .table()
      .groups.map(({ group }) => group);
    const there = groups.length === 0 ? 'no IOMMU groups' : `the groups ${groups.join(', ')}`;
    throw new RequestError(`'${subject}' is nothing on this host, which has ${there}`);
  }
}

/** Who was given it, in somebody's book: that is no owner. */
function claimLines(claimants: readonly Claimant[]): string[] {
  if (claimants.length === 0) return [];
  const rows = claimants.map(({ claimant, device, manager, since }): Cell[] => [
    printable(claimant),
    printable(device),
    printable(`by ${manager}`),
    `since ${since}`,
  ]);
  return [
    'It was given to, which the kernel knows nothing of:',
    ...indented(columns(rows, (t) => t)),
  ];
}

/** Why the owner is unknown, where the log says so. */
function doubtOf(ledger: Ledger, { owner }: Who, subject: string, at: When = 'end') {
  return owner.kind === 'unknown' ? doubtWords(ledger, subject, at) : null;
}

function whoText(found: Who, subject: string, paint: Paint, doubt: string | null): string[] {
  const { owner, at, holders, waiters } = found;
  const isProcess = subject.startsWith('pid:');
  const [held, free] = isProcess
    ? ['It holds:', 'It holds nothing.']
    : [
        'It is held by:',
        owner.kind === 'unknown' ? 'Nobody was seen to hold it.' : 'Nobody holds it.',
      ];
  return [
    momentWords(at),
    paint(
      ownedWords(owner, named(subject, found), doubt),
      owner.kind === 'unknown' ? 'unknown' : 'plain',
    ),
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
function ownedWords(owner: Owner, subject: string, doubt: string | null): string {
  const { kind } = owner;
  const words = (kind === 'container' ? 'the ' : '') + ownerWords(owner);
  if (kind === 'unknown') {
    const reason = doubt === null ? 'the evidence has a gap' : printable(doubt);
    return `Who owns ${subject} is not known: ${reason}.`;
  }
  if (subject.startsWith('pid:')) {
    return kind === 'none'
      ? `${subject} keeps no owner alive.`
      : `${subject} keeps ${words} alive.`;
  }
  if (!subject.startsWith('file:')) return `${subject} is owned by ${words}.`;
  if (kind === 'none') return `${subject} has no part in the ownership of a group.`;
  return `The group of ${subject} is owned by ${words}.`;
}

/** A moment as the beginning of an answer: `At position 41, 2026-11-22T12:03:00.000000Z:`. */
function momentWords({ position, time }: Moment): string {
  const when = position === null ? 'Before the first event' : `At position ${position}`;
  return `${when}${time === null ? '' : `, ${time}`}:`;
}

function holdingsLines(found: readonly Holding[], subject: string, paint: Paint): string[] {
  if (found.length === 0) {
    const isProcess = subject.startsWith('pid:');
    return [isProcess ? 'It holds nothing.' : 'Nobody holds it, or keeps its owner alive.'];
  }
  const rows = found.map(({ pid, comm, fd, file, kind, group, device, keepsOwnerOf }): Cell[] => [
    processWords(pid, comm),
    fd === null ? 'mapping' : `fd ${fd}`,
    file ?? '-',
    kind,
    printable(group ?? '-'),
    printable(device ?? '-'),
    printable(keepsOwnerOf.join(', ') || '-'),
  ]);
  const heading = ['PROCESS', 'BY', 'FILE', 'KIND', 'GROUP', 'DEVICE', 'KEEPS OWNER OF'];
  return columns(rows, paint, heading);
}

function orphansLines(found: readonly Orphan[], paint: Paint): string[] {
  if (found.length === 0) return ['No file is alive that no process can name.'];
  const rows = found.map(({ file, kind, groups, owner, holders, devices, keptThrough }): Cell[] => [
    file,
    kind,
    printable(groups.join(', ') || '-'),
    ownerCell(owner),
    holdersWords(holders),
    printable(devices.join(', ') || '-'),
    holdersWords(keptThrough),
  ]);
  const heading = ['FILE', 'KIND', 'GROUP', 'OWNER', 'KEPT BY', 'DEVICE', 'HELD BY'];
  return columns(rows, paint, heading);
}

function listed(title: string, holders: Who['holders']): string[] {
  if (holders.length === 0) return [];
  return [title, ...indented(columns(holderRows(holders), (text) => text))];
}
