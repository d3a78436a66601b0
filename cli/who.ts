/**
 * `who`: owner, holders and waiters of one subject; what else these hold; what nobody can name.
 *
 * @module
 */
import {
  LedgerError,
  openLedger,
  RequestError,
  type Holding,
  type Ledger,
  type Orphan,
  type Who,
} from '../ledger.ts';
import { hostReading } from '../recorder/snapshot.ts';
import { columns, type Cell } from '../words/columns.ts';
import { momentTitle } from '../words/moments.ts';
import { holdersWords, ownerCell, processWords } from '../words/owners.ts';
import { printable } from '../words/printable.ts';
import type { Paint } from '../words/tone.ts';
import { claimWords, NO_ORPHANS, noHoldingsWords, whoWords } from '../words/who.ts';
import { exit } from './failure.ts';
import { atOption, readingOptions, readLog } from './log-file.ts';
import { rootOption, unseenLines } from './snapshot.ts';
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
    'sh examples/host.sh copy && vfio-ledger who /dev/vfio/26 --now --root copy',
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
      const then = ledger.at(at);
      if (subject === undefined) {
        const found = then.orphans();
        await show(io, json, found, () => [
          momentTitle(then.moment),
          ...orphansLines(found, io.paint),
        ]);
      } else if (holdings) {
        const found = then.holdings(subject);
        await show(io, json, found, () => [
          momentTitle(then.moment),
          ...holdingsLines(found, subject, io.paint),
        ]);
      } else {
        const claimants = ledger.claimants(subject, { at });
        const found = {
          ...then.who(subject),
          ...(claimants.length > 0 && { claimants }),
        };
        await show(io, json, found, () => [
          ...whoWords(found, subject, then.whyUnknown(subject), io.paint),
          ...claimWords(claimants),
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
  const reading = hostReading(root);
  const ledger = await openLedger(':memory:');
  try {
    const options = { time: new Date().toISOString(), source: root ?? '/proc' };
    const { unseen } = await ledger.snapshot(reading, options);
    const found = { ...whoOf(ledger, subject), unseen };
    await show(io, json, found, () => [
      ...whoWords(found, subject, ledger.at('end').whyUnknown(subject), io.paint),
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

function holdingsLines(found: readonly Holding[], subject: string, paint: Paint): string[] {
  if (found.length === 0) return [noHoldingsWords(subject)];
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
  if (found.length === 0) return [NO_ORPHANS];
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
