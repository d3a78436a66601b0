/**
 * `history`: the ownership intervals of a subject, and what else can be asked of all that is past.
 *
 * @module
 */
import {
  RequestError,
  type Hand,
  type Incarnation,
  type Interval,
  type Ledger,
  type Overlap,
  type Tenure,
  type Wait,
} from '../ledger.ts';
import { columns, type Cell } from '../words/columns.ts';
import { sentence } from '../words/events.ts';
import {
  devicesWords,
  endWords,
  handsWords,
  incarnationsTitle,
  neverAwaitedWords,
  neverOwnedWords,
  neverSharedWords,
  overlapWords,
} from '../words/history.ts';
import { holdersWords, ownerCell, processWords } from '../words/owners.ts';
import { printable } from '../words/printable.ts';
import type { Paint } from '../words/tone.ts';
import { exit } from './failure.ts';
import { readingOptions, readLog } from './log-file.ts';
import { show, verb, type Io } from './verb.ts';

const USAGE = 'history SUBJECT | history [SUBJECT] --by WHO|--waiters|--overlaps';

/** Prints who owned a subject from when to when. */
export const history = verb({
  name: 'history',
  usage: USAGE,
  summary: 'Who owned a subject, from when to when, and what ended it',
  details: [
    'A line an interval, without gaps. It begins with the event at FROM, and that at TO ends it;',
    'holders are those at its beginning. A device has the owner of its group. Where the node of a',
    'group has stood for several in turn, after a boot or when its devices went, that is said first.',
    '--by leaves those intervals in which WHO kept the owner alive, at the beginning or at any time',
    'later: by a fork, a descriptor that was passed, a mapping. WHO is pid:N, the name of a process',
    'as it stands, or any part of the path of a control group. An interval with an owner that is not',
    'known is listed as well. Exit 1 where there is none: it never was theirs.',
    '--waiters lists who waited for a device until its last file was closed: unbinds of a driver.',
    '--overlaps lists where a group had several owners at a time, if all that the evidence says is',
    'taken at its word. Exit 1 where there are any: an invariant does not hold.',
    'With one of these three SUBJECT may be left out: then it is asked of all groups.',
  ],
  options: {
    by: { type: 'string', value: 'WHO', help: 'only intervals in which WHO ever had a hand' },
    waiters: { type: 'boolean', help: 'who waited, from when to when, and for whom' },
    overlaps: { type: 'boolean', help: 'intervals in which two owners were claimed for a group' },
    ...readingOptions,
  },
  operands: [0, 1],
  examples: [
    'vfio-ledger history gpu --log demo.ledger',
    'vfio-ledger history 41 --json --log demo.ledger',
    'vfio-ledger history 26 --by P2 --log demo.ledger',
    'vfio-ledger history 41 --by pid:101 --log demo.ledger || echo "it never was theirs"',
    'vfio-ledger history gpu --waiters --log demo.ledger',
    'vfio-ledger history --overlaps --log demo.ledger',
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
      throw new RequestError(`history: ${named} are questions of their own; ask one at a time`);
    }
    if (asked.length === 0 && subject === undefined) {
      throw new RequestError(`history: an operand is missing; usage: vfio-ledger ${USAGE}`);
    }
    return readLog(values, io, async (ledger) => {
      const query: Query = { ledger, io, json: values.json, subject };
      if (asked.length > 0) io.progress.tell(`${ledger.length} events to look through`);
      if (by !== undefined) return tellTenures(query, by);
      if (waiters) return tellWaits(query);
      if (overlaps) return tellOverlaps(query);
      const intervals = ledger.history(subject ?? '');
      await show(io, values.json, intervals, () => [
        ...meaningLines(ledger.incarnations(subject ?? ''), ledger, io.paint),
        ...historyText(intervals, ledger, io.paint),
      ]);
      return exit.done;
    });
  },
});

/** What a path meant, where it has meant several things. */
function meaningLines(
  incarnations: readonly Incarnation[],
  ledger: Ledger,
  paint: Paint,
): string[] {
  const [first, ...others] = incarnations;
  if (first === undefined || others.length === 0) return [];
  const rows = incarnations.map(({ from, to, boot, devices }): Cell[] => [
    String(from),
    ledger.event(from)?.time ?? '-',
    to === null ? '-' : String(to),
    devicesWords(devices),
    printable(boot ?? '-'),
  ]);
  const heading = ['FROM', 'TIME', 'TO', 'DEVICES', 'BOOT'];
  return [incarnationsTitle(first.group), ...columns(rows, paint, heading), ''];
}

/** What a question is put to, and how its answer is wanted. */
interface Query {
  readonly ledger: Ledger;
  readonly io: Io;
  readonly json: boolean | undefined;
  readonly subject: string | undefined;
}

function historyText(intervals: readonly Interval[], ledger: Ledger, paint: Paint): string[] {
  const { heading, cells } = spanColumns(ledger);
  const rows = intervals.map((interval): Cell[] => [
    ...cells(interval),
    ownerCell(interval.owner),
    holdersWords(interval.owner.holders),
    endWords(interval, ledger),
  ]);
  return columns(rows, paint, [...heading, 'OWNER', 'HELD BY', 'ENDED WHEN']);
}

async function tellTenures({ ledger, io, json, subject }: Query, who: string): Promise<number> {
  const tenures = ledger.everOwned(who, { subject });
  await show(io, json, tenures, () => {
    if (tenures.length === 0) return [neverOwnedWords(who, subject)];
    return tenuresText(tenures, ledger, { named: subject === undefined, paint: io.paint });
  });
  return tenures.length === 0 ? exit.no : exit.done;
}

function tenuresText(
  tenures: readonly Tenure[],
  ledger: Ledger,
  { named, paint }: { readonly named: boolean; readonly paint: Paint },
): string[] {
  const { heading, cells } = spanColumns(ledger);
  const grouped = tenures.some(({ by }) => by.some(({ cgroup }) => cgroup !== null));
  const rows = tenures.map((tenure): Cell[] => [
    ...(named ? [printable(tenure.subject)] : []),
    ...cells(tenure),
    ownerCell(tenure.owner),
    handsWords(tenure),
    ...(grouped ? [cgroupsOf(tenure.by)] : []),
    endWords(tenure, ledger),
  ]);
  return columns(rows, paint, [
    ...(named ? ['GROUP'] : []),
    ...heading,
    'OWNER',
    'BY',
    ...(grouped ? ['CONTROL GROUP'] : []),
    'ENDED WHEN',
  ]);
}

function cgroupsOf(by: readonly Hand[]): string {
  return printable([...new Set(by.map(({ cgroup }) => cgroup ?? '-'))].join(', ') || '-');
}

async function tellWaits({ ledger, io, json, subject }: Query): Promise<number> {
  const waits = ledger.waits(subject);
  await show(io, json, waits, () => {
    if (waits.length > 0) return waitsText(waits, ledger, io.paint);
    return [neverAwaitedWords(subject)];
  });
  return exit.done;
}

function waitsText(waits: readonly Wait[], ledger: Ledger, paint: Paint): string[] {
  const { heading, cells } = spanColumns(ledger);
  const rows = waits.map((wait): Cell[] => [
    printable(wait.subject),
    ...cells(wait),
    processWords(wait.waiter.pid, wait.waiter.comm),
    holdersWords(wait.for),
    endWords(wait, ledger),
  ]);
  return columns(rows, paint, ['DEVICE', ...heading, 'WAITER', 'WAITED FOR', 'ENDED WHEN']);
}

async function tellOverlaps({ ledger, io, json, subject }: Query): Promise<number> {
  const overlaps = ledger.overlaps(subject);
  await show(io, json, overlaps, () => {
    if (overlaps.length > 0) return overlapsText(overlaps, ledger, io.paint);
    return [neverSharedWords(subject)];
  });
  return overlaps.length === 0 ? exit.done : exit.no;
}

function overlapsText(overlaps: readonly Overlap[], ledger: Ledger, paint: Paint): string[] {
  const { heading, cells } = spanColumns(ledger);
  const rows = overlaps.map((overlap): Cell[] => [
    printable(overlap.group),
    ...cells(overlap),
    overlapWords(overlap),
    sentence(ledger, overlap.from),
    endWords(overlap, ledger),
  ]);
  return columns(rows, paint, ['GROUP', ...heading, 'OWNERS', 'BEGAN WHEN', 'ENDED WHEN']);
}

/** From where to where, as every table of this verb begins. */
type FromTo = Pick<Interval, 'from' | 'to'>;

/** The columns of where intervals begin and end; times where the log has any. */
function spanColumns(ledger: Ledger) {
  const timed = ledger.isTimed;
  return {
    heading: ['FROM', ...(timed ? ['TIME'] : []), 'TO'],
    cells: ({ from, to }: FromTo): string[] => [
      from === null ? 'start' : String(from),
      ...(timed ? [timeAt(from, ledger)] : []),
      to === null ? '-' : String(to),
    ],
  };
}

function timeAt(position: Interval['from'], ledger: Ledger): string {
  return (position === null ? null : ledger.event(position)?.time) ?? '-';
}
