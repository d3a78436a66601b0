/**
 * `who`: prints owner, holders and waiters of one subject; what else these hold; orphaned files.
 *
 * @module
 */
import {
  LedgerError,
  openLedger,
  RequestError,
  type Coverage,
  type Holding,
  type Ledger,
  type Orphan,
  type Subject,
  type When,
  type Who,
} from '../ledger.ts';
import { hostReading } from '../recorder/snapshot.ts';
import { columns, type Cell, type Line } from '../words/columns.ts';
import { momentTitle } from '../words/moments.ts';
import { holdersWords, ownerCell, processWords } from '../words/owners.ts';
import { claimWords, noHoldingsWords, noOrphansWords, whoWords } from '../words/who.ts';
import { allHostsOption, askHosts, type AllHostsValues } from './all-hosts.ts';
import { coverageOption, showCovered } from './coverage.ts';
import { exit } from './failure.ts';
import { atOption, readingOptions, readLog, sayLogEnds } from './log-file.ts';
import { rootOption, unseenLines } from './snapshot.ts';
import { show, verb, type Io } from './verb.ts';

const USAGE = 'who SUBJECT|--orphans [--at WHEN] [--holdings] | who SUBJECT --now [--root DIR]';

/** Prints who owns a subject, who holds it, and who waits for it. */
export const who = verb({
  name: 'who',
  usage: USAGE,
  summary: 'Shows owner, holders and waiters of one device, group, process or file',
  details: [
    'The owner has the DMA of the IOMMU group. Every listed descriptor and mapping keeps it alive.',
    'Holders are the descriptors and mappings of the subject itself. A waiter is a process whose driver',
    'unbind waits until the device is closed. A claimant, such as a VM, was given the device by a manager',
    'such as libvirt. Neither is a holder.',
    '--holdings lists every VFIO descriptor and mapping of the processes that hold SUBJECT or keep its',
    'owner alive; for pid:N, those of this process.',
    '--now reads the running host, answers from that, and keeps nothing.',
    '--orphans lists open files that no process has a descriptor or mapping of: the kernel keeps them.',
    'KEPT BY shows the files that each is kept open by, HELD BY the holders of those.',
  ],
  options: {
    ...atOption,
    holdings: {
      type: 'boolean',
      help: 'list all VFIO descriptors and mappings of the processes that hold it',
    },
    now: { type: 'boolean', help: 'answer for the running host; no log is read' },
    ...rootOption,
    orphans: {
      type: 'boolean',
      help: 'list files that no process has a descriptor for; without SUBJECT',
    },
    ...coverageOption,
    ...allHostsOption,
    ...readingOptions,
  },
  operands: [0, 1],
  examples: [
    'vfio-ledger who gpu --log demo.ledger',
    'vfio-ledger who 26 --at 18 --log demo.ledger',
    'vfio-ledger who file:f8 --at 19 --json --log demo.ledger',
    'vfio-ledger who gpu --at 19 --holdings --log demo.ledger',
    'vfio-ledger who --orphans --log demo.ledger',
    'vfio-ledger who gpu --at 19 --all-hosts --log demo.ledger',
    'sh examples/host.sh copy && vfio-ledger who /dev/vfio/26 --now --root copy',
  ],
  async answer({ values, operands: [subject] }, io) {
    const { orphans = false, holdings = false } = values;
    if (orphans && (holdings || subject !== undefined)) {
      const other = holdings ? '--holdings' : 'a subject';
      throw new RequestError(
        `who: --orphans is about the whole host and cannot be combined with ${other}`,
      );
    }
    if (!orphans && subject === undefined) {
      throw new RequestError(`who: an operand is missing; usage: vfio-ledger ${USAGE}`);
    }
    if (values.coverage === true && !orphans) {
      throw new RequestError('who: --coverage needs --orphans');
    }
    if (values.root !== undefined && values.now !== true) {
      throw new RequestError('who: --root needs --now');
    }
    if (values.now === true && values['all-hosts'] !== true) return tellNow(subject, values, io);
    return askHosts(values, io, async (of, output) => tellThen(subject, of, output));
  },
});

interface ThenValues extends AllHostsValues {
  readonly holdings?: boolean;
  readonly coverage?: boolean;
}

/** Answers for a moment of a log: about a subject, or without one about orphaned files. */
async function tellThen(subject: string | undefined, values: ThenValues, io: Io): Promise<number> {
  return readLog(values, io, async (ledger) => {
    const { at = 'end', json, holdings = false } = values;
    const then = ledger.at(at);
    sayLogEnds(io, ledger, at);
    if (subject === undefined) {
      const found = then.orphans();
      const coverage = coverageAt(ledger, at);
      await showCovered(io, values, found, coverage, () => [
        momentTitle(then.moment),
        ...orphansLines(found, coverage),
      ]);
    } else if (holdings) {
      const found = then.holdings(subject);
      await show(io, json, found, () => [
        momentTitle(then.moment),
        ...holdingsLines(found, then.subject(subject), coverageAt(ledger, at)),
      ]);
    } else {
      const found = then.who(subject);
      await show(io, json, found, () => [
        ...whoWords(found, subject, {
          unknown: then.whyUnknown(subject),
          coverage: coverageAt(ledger, at),
        }),
        ...claimWords(found.claimants),
      ]);
    }
    return exit.done;
  });
}

/** Reads the running host into a log in memory, and answers from that. */
async function tellNow(
  subject: string | undefined,
  { at, root, json, holdings = false }: NowValues,
  io: Io,
): Promise<number> {
  if (subject === undefined || at !== undefined || holdings) {
    throw new RequestError('who: --now takes one SUBJECT, and no option but --root and --json');
  }
  const reading = hostReading(root);
  const ledger = await openLedger(':memory:');
  try {
    const options = { time: new Date().toISOString(), source: root ?? '/proc' };
    const { unseen } = await ledger.snapshot(reading, options);
    // The reading does not show since when.
    const found = { ...whoOf(ledger, subject), since: null, sinceTime: null, unseen };
    await show(io, json, found, () => [
      ...whoWords(found, subject, {
        unknown: ledger.at('end').whyUnknown(subject),
        coverage: coverageAt(ledger, 'end'),
      }),
      ...unseenLines(unseen),
    ]);
    return exit.done;
  } finally {
    await ledger.close();
  }
}

/** Whether all processes of the host were seen at a moment. */
function coverageAt(ledger: Ledger, at: When): Coverage {
  return ledger.coverage({ from: at, to: at });
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
    throw new RequestError(`'${subject}' is not on this host, which has ${there}`);
  }
}

function holdingsLines(
  found: readonly Holding[],
  { kind: of }: Subject,
  coverage: Coverage,
): Line[] {
  if (found.length === 0) return [noHoldingsWords(of, coverage)];
  const rows = found.map(({ pid, comm, fd, file, kind, group, device, keepsOwnerOf }): Cell[] => [
    processWords(pid, comm),
    fd === null ? 'mapping' : `fd ${fd}`,
    file ?? '-',
    kind,
    group ?? '-',
    device ?? '-',
    keepsOwnerOf.join(', ') || '-',
  ]);
  const heading = ['PROCESS', 'BY', 'FILE', 'KIND', 'GROUP', 'DEVICE', 'KEEPS OWNER OF'];
  return columns(rows, heading);
}

function orphansLines(found: readonly Orphan[], coverage: Coverage): Line[] {
  if (found.length === 0) return [noOrphansWords(coverage)];
  const rows = found.map(({ file, kind, groups, owner, holders, devices, keptThrough }): Cell[] => [
    file,
    kind,
    groups.join(', ') || '-',
    ownerCell(owner),
    holdersWords(holders),
    devices.join(', ') || '-',
    holdersWords(keptThrough),
  ]);
  const heading = ['FILE', 'KIND', 'GROUP', 'OWNER', 'KEPT BY', 'DEVICE', 'HELD BY'];
  return columns(rows, heading);
}
