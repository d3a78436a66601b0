/**
 * `history`: prints ownership intervals, waits and overlaps of the whole log.
 *
 * @module
 */
import {
  RequestError,
  type Coverage,
  type Hand,
  type Incarnation,
  type Interval,
  type Ledger,
  type Overlap,
  type Tenure,
  type Wait,
} from '../ledger.ts';
import { columns, type Cell, type Line } from '../words/columns.ts';
import { durationWords } from '../words/durations.ts';
import { sentence } from '../words/events.ts';
import {
  devicesWords,
  endWords,
  handsOfProcesses,
  incarnationsTitle,
  neverAwaitedWords,
  neverOwnedWords,
  neverSharedWords,
  overlapWords,
  ownedCell,
} from '../words/history.ts';
import { holdersWords, ownerCell, processWords } from '../words/owners.ts';
import { allHostsOption, askHosts, type AllHostsValues } from './all-hosts.ts';
import { coverageOption, coveredValue, showCovered, type CoveredForm } from './coverage.ts';
import { claimedWords } from '../words/who.ts';
import { exit } from './failure.ts';
import { readingOptions, readLog } from './log-file.ts';
import { show, verb, type Io } from './verb.ts';

const USAGE = 'history SUBJECT | history [SUBJECT] --by WHO|--waiters|--overlaps';

/** Prints who owned a subject, from when to when; or what one of its options asks for. */
export const history = verb({
  name: 'history',
  usage: USAGE,
  summary:
    'Lists the ownership intervals of a subject: who owned it, from when to when, what ended it',
  details: [
    'One line for each interval. The event at FROM begins it, the event at TO ends it; intervals have no',
    'gaps between them. The owner of a device is that of its group. Below an interval, a line for each',
    'process that kept the owner alive in it, from when to when; if the owner is unknown, for each process',
    'that was seen to hold a file of the group. A claim is what a manager such as libvirt says.',
    'If /dev/vfio/N was the node of several groups over time (after a boot, or after its devices were',
    'removed), a list of these comes first.',
    '--by shows only the intervals in which WHO kept the owner alive, at FROM or at any time later, also',
    'by a fork, a passed descriptor or a mapping, and only the lines of WHO. WHO is pid:N, qemu[4711], the',
    'exact name of a process, or a part of the path of a control group. Intervals with an unknown owner',
    'are listed as well. Exit 1 if there are none: WHO never owned it.',
    '--waiters lists the driver unbinds that waited until the last file of a device was closed.',
    '--overlaps lists where a group had two owners at a time, if everything in the evidence is taken as',
    'true. Exit 1 if there are any: an invariant is violated.',
    'With --by, --waiters or --overlaps, SUBJECT may be left out. The answer is then about all groups.',
    'These answers say "none seen" instead of "none" if processes of the host may not have been seen.',
  ],
  options: {
    by: {
      type: 'string',
      value: 'WHO',
      help: 'show only intervals in which WHO kept the owner alive',
    },
    waiters: { type: 'boolean', help: 'list who waited, from when to when, and for whom' },
    overlaps: { type: 'boolean', help: 'list intervals in which a group had two owners' },
    ...coverageOption,
    ...allHostsOption,
    ...readingOptions,
  },
  operands: [0, 1],
  examples: [
    'vfio-ledger history gpu --log demo.ledger',
    'vfio-ledger history 41 --json --log demo.ledger',
    'vfio-ledger history 26 --by P2 --log demo.ledger',
    'vfio-ledger history 41 --by pid:101 --log demo.ledger || echo "it was never theirs"',
    'vfio-ledger history gpu --waiters --log demo.ledger',
    'vfio-ledger history --overlaps --log demo.ledger',
    'vfio-ledger history gpu --all-hosts --json --log demo.ledger',
  ],
  async answer({ values, operands: [subject] }, io) {
    const { by, waiters = false, overlaps = false } = values;
    const asked = [
      ...(by === undefined ? [] : ['--by']),
      ...(waiters ? ['--waiters'] : []),
      ...(overlaps ? ['--overlaps'] : []),
    ];
    if (asked.length > 1) {
      const named = asked.join(' and ');
      throw new RequestError(`history: ${named} cannot be combined`);
    }
    if (asked.length === 0 && subject === undefined) {
      throw new RequestError(`history: an operand is missing; usage: vfio-ledger ${USAGE}`);
    }
    return askHosts(values, io, async (of, output) => tell(subject, of, output));
  },
});

interface HistoryValues extends AllHostsValues {
  readonly by?: string;
  readonly waiters?: boolean;
  readonly overlaps?: boolean;
  readonly coverage?: boolean;
}

async function tell(subject: string | undefined, values: HistoryValues, io: Io): Promise<number> {
  const { by, waiters = false, overlaps = false } = values;
  return readLog(values, io, async (ledger) => {
    const query: Query = { ledger, io, form: values, subject };
    if (by !== undefined || waiters || overlaps)
      io.progress.tell(`searching ${ledger.length} events`);
    if (by !== undefined) return tellTenures(query, by);
    if (waiters) return tellWaits(query);
    if (overlaps) return tellOverlaps(query);
    const intervals = ledger.history(subject ?? '');
    const coverage = ledger.coverage({ subject });
    await show(io, values.json, coveredValue(values, intervals, coverage), () => [
      ...meaningLines(ledger.incarnations(subject ?? ''), ledger),
      ...historyText(intervals, ledger, isProcess(subject, ledger) ? coverage : null),
    ]);
    return exit.done;
  });
}

/** The groups that a path was the node of, in order; no lines if it was only one. */
function meaningLines(incarnations: readonly Incarnation[], ledger: Ledger): Line[] {
  const [first, ...others] = incarnations;
  if (first === undefined || others.length === 0) return [];
  const { heading, cells } = spanColumns(ledger);
  const rows = incarnations.map(({ boot, devices, ...span }): Cell[] => [
    ...cells(span),
    devicesWords(devices),
    boot ?? '-',
  ]);
  const table = columns(rows, [...heading, 'DEVICES', 'BOOT']);
  return [incarnationsTitle(first.group), ...table, ''];
}

/** The log that a question is about, and the form of its answer. */
interface Query {
  readonly ledger: Ledger;
  readonly io: Io;
  readonly form: CoveredForm;
  readonly subject: string | undefined;
}

function isProcess(subject: string | undefined, ledger: Ledger): boolean {
  return subject !== undefined && ledger.who(subject).kind === 'process';
}

/** `ofProcess`: the coverage of a process; null for another subject, of whose owner the log tells. */
function historyText(
  intervals: readonly Interval[],
  ledger: Ledger,
  ofProcess: Coverage | null,
): Line[] {
  const { heading, cells } = spanColumns(ledger);
  const rows = intervals.flatMap((interval): Cell[][] => [
    [...cells(interval), ownedCell(interval, ofProcess), endWords(interval, ledger)],
    ...handsOfProcesses(interval.owner, interval.hands).map((hands) => [
      ...cells(hands),
      `  ${hands.words}`,
      endWords(hands, ledger),
    ]),
    ...interval.claimants.map((claim) => [
      ...cells({ ...claim, from: claim.since, fromTime: claim.sinceTime }),
      `  ${claimedWords(claim)}`,
      endWords(claim, ledger),
    ]),
  ]);
  return columns(rows, [...heading, 'OWNER', 'ENDED WHEN']);
}

async function tellTenures({ ledger, io, form, subject }: Query, who: string): Promise<number> {
  const tenures = ledger.everOwned(who, { subject });
  const coverage = ledger.coverage({ subject });
  await showCovered(io, form, tenures, coverage, () => {
    if (tenures.length === 0) return [neverOwnedWords(coverage, who, subject)];
    return tenuresText(tenures, ledger, { named: subject === undefined });
  });
  return tenures.length === 0 ? exit.no : exit.done;
}

function tenuresText(
  tenures: readonly Tenure[],
  ledger: Ledger,
  { named }: { readonly named: boolean },
): Line[] {
  const { heading, cells } = spanColumns(ledger);
  const grouped = tenures.some(({ by }) => by.some(({ cgroup }) => cgroup !== null));
  const rows = tenures.flatMap((tenure): Cell[][] => {
    const group = named ? [tenure.subject] : [];
    const owned = [...group, ...cells(tenure), ownerCell(tenure.owner)];
    const hands = handsOfProcesses(tenure.owner, handsBy(tenure));
    return [
      [...owned, ...(grouped ? ['-'] : []), endWords(tenure, ledger)],
      ...hands.map((held) => [
        ...group,
        ...cells(held),
        `  ${held.words}`,
        ...(grouped ? [held.cgroup ?? '-'] : []),
        endWords(held, ledger),
      ]),
    ];
  });
  return columns(rows, [
    ...(named ? ['GROUP'] : []),
    ...heading,
    'OWNER',
    ...(grouped ? ['CONTROL GROUP'] : []),
    'ENDED WHEN',
  ]);
}

/** All hands of the processes asked about. */
function handsBy({ by, hands }: Tenure): Hand[] {
  const nameOf = ({ pid, comm, cgroup }: Hand) => JSON.stringify([pid, comm, cgroup]);
  const names = new Set(by.map(nameOf));
  return hands.filter((hand) => names.has(nameOf(hand)));
}

async function tellWaits({ ledger, io, form, subject }: Query): Promise<number> {
  const waits = ledger.waits(subject);
  const coverage = ledger.coverage({ subject });
  await showCovered(io, form, waits, coverage, () => {
    if (waits.length > 0) return waitsText(waits, ledger);
    return [neverAwaitedWords(coverage, subject)];
  });
  return exit.done;
}

function waitsText(waits: readonly Wait[], ledger: Ledger): Line[] {
  const { heading, cells } = spanColumns(ledger);
  const rows = waits.map((wait): Cell[] => [
    wait.subject,
    ...cells(wait),
    processWords(wait.waiter.pid, wait.waiter.comm),
    holdersWords(wait.for),
    endWords(wait, ledger),
  ]);
  return columns(rows, ['DEVICE', ...heading, 'WAITER', 'WAITED FOR', 'ENDED WHEN']);
}

async function tellOverlaps({ ledger, io, form, subject }: Query): Promise<number> {
  const overlaps = ledger.overlaps(subject);
  const coverage = ledger.coverage({ subject });
  await showCovered(io, form, overlaps, coverage, () => {
    if (overlaps.length > 0) return overlapsText(overlaps, ledger);
    return [neverSharedWords(coverage, subject)];
  });
  return overlaps.length === 0 ? exit.done : exit.no;
}

function overlapsText(overlaps: readonly Overlap[], ledger: Ledger): Line[] {
  const { heading, cells } = spanColumns(ledger);
  const rows = overlaps.map((overlap): Cell[] => [
    overlap.group,
    ...cells(overlap),
    overlapWords(overlap),
    sentence(ledger, overlap.from),
    endWords(overlap, ledger),
  ]);
  return columns(rows, ['GROUP', ...heading, 'OWNERS', 'BEGAN WHEN', 'ENDED WHEN']);
}

/** The columns with which every table of this verb begins. */
type FromTo = Pick<Interval, 'from' | 'fromTime' | 'to' | 'toTime'>;

/** The columns FROM and TO of an interval; their times and how long it lasted, if the log has times. */
function spanColumns({ isTimed }: Ledger) {
  const cells = ({ from, fromTime, to, toTime }: FromTo): string[] => {
    const [begun, ended] = [String(from ?? 'start'), String(to ?? '-')];
    if (!isTimed) return [begun, ended];
    return [begun, fromTime ?? '-', ended, toTime ?? '-', durationWords(fromTime, toTime) ?? '-'];
  };
  const heading = isTimed ? ['FROM', 'TIME', 'TO', 'TIME', 'FOR'] : ['FROM', 'TO'];
  return { heading, cells };
}
