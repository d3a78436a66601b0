/**
 * What `export --format csv` has: the columns of each table, and its rows.
 *
 * @module
 */
import type { Holder, Ledger, When } from '../ledger.ts';
import { eventShown } from '../words/event-data.ts';
import type { CsvCell, CsvTable } from './csv.ts';

/**
 * Of a log, the intervals of ownership (`history`), the events (`log`), or the ownership table at a moment
 * (`table`). Throws `bad-when`.
 */
export function csvTable(
  ledger: Ledger,
  of: 'history' | 'log' | 'table',
  at: When = 'end',
): CsvTable {
  switch (of) {
    case 'history':
      return { heading: intervalHeading, rows: intervalRows(ledger) };
    case 'log':
      return { heading: eventHeading, rows: eventRows(ledger) };
    case 'table':
      return { heading: tableHeading, rows: tableRows(ledger, at) };
  }
}

const eventHeading = [
  'position',
  'time',
  'type',
  'pid',
  'device',
  'group',
  'operation',
  'errno',
  'event',
  'data',
  'id',
  'hash',
];

/** The keys of an event's data that have columns of their own. */
interface EventColumns {
  readonly pid?: CsvCell;
  readonly device?: CsvCell;
  readonly group?: CsvCell;
  readonly operation?: CsvCell;
  readonly errno?: CsvCell;
}

function* eventRows(ledger: Ledger): Generator<readonly CsvCell[]> {
  for (const event of ledger.each()) {
    const { position, time, type, data, id, hash } = eventShown(event);
    const { pid, device, group, operation, errno }: EventColumns = data as object;
    const named = [pid, device, group, operation, errno];
    const words = ledger.describe(event);
    yield [position, time, type, ...named, words, JSON.stringify(data), id, hash];
  }
}

/** The columns of a descriptor, a mapping or a reference in the kernel that holds a file. */
const handHeading = ['pid', 'comm', 'cgroup', 'via', 'fd', 'held_file'];
const noHand: readonly CsvCell[] = handHeading.map(() => null);

function handCells({ pid, comm, cgroup, via, fd, file }: Holder): CsvCell[] {
  return [pid, comm, cgroup, via, fd, file];
}

const intervalHeading = [
  'subject',
  'from',
  'from_time',
  'to',
  'to_time',
  'owner',
  'owner_file',
  'ended_by',
  ...handHeading,
  'hand_from',
  'hand_from_time',
  'hand_to',
  'hand_to_time',
];

/** A row for each hand in each interval; one without a hand for an interval that has none. */
function* intervalRows(ledger: Ledger): Generator<readonly CsvCell[]> {
  for (const subject of subjectsOf(ledger)) {
    for (const { from, fromTime, to, toTime, owner, endedBy, hands } of ledger.history(subject)) {
      const span = [from, fromTime, to, toTime];
      const interval = [subject, ...span, owner.kind, owner.file, endedBy];
      if (hands.length === 0) yield [...interval, ...noHand, null, null, null, null];
      for (const hand of hands) {
        const held = [hand.from, hand.fromTime, hand.to, hand.toTime];
        yield [...interval, ...handCells(hand), ...held];
      }
    }
  }
}

/** Every group, and the devices whose group is not known: the others have the history of their group. */
function subjectsOf(ledger: Ledger): string[] {
  const lanes = ledger.lanes({ from: 'end' });
  return lanes.flatMap(({ kind, id, group }) => {
    if (kind === 'group') return /^\d+$/.test(id) ? `g${id}` : id;
    return group === null ? id : [];
  });
}

const tableHeading = [
  'position',
  'time',
  'kind',
  'id',
  'name',
  'group',
  'driver',
  'state',
  'viable',
  'owner',
  'owner_file',
  'since',
  'since_time',
  'opener',
  ...handHeading,
];

/**
 * A row for each group with each hand that keeps its owner alive, and for each device with each hand on
 * its open files; one without a hand where there is none.
 */
function* tableRows(ledger: Ledger, at: When): Generator<readonly CsvCell[]> {
  const { groups, devices, at: moment } = ledger.at(at).table();
  const when = [moment.position, moment.time];
  for (const { group, owner, since, sinceTime, viable, opener } of groups) {
    const owned = [owner.kind, owner.file, since, sinceTime, opener?.file];
    const row = [...when, 'group', group, null, group, null, null, viable, ...owned];
    yield* withHands(row, owner.holders);
  }
  for (const { device, name, group, driver, state, owner, since, sinceTime, files } of devices) {
    const owned = [owner.kind, owner.file, since, sinceTime, null];
    const row = [...when, 'device', device, name, group, driver, state, null, ...owned];
    yield* withHands(
      row,
      files.flatMap(({ holders }) => holders),
    );
  }
}

function* withHands(
  row: readonly CsvCell[],
  holders: readonly Holder[],
): Generator<readonly CsvCell[]> {
  if (holders.length === 0) yield [...row, ...noHand];
  for (const holder of holders) yield [...row, ...handCells(holder)];
}
