/**
 * The kinds of change that an event can make: the columns of each kind, and how it is applied to a
 * standing.
 *
 * @module
 */
import type { Cells } from './columns.ts';
import { DEVICE, FILE, GROUP, HOLD, PROCESS, UNKNOWN, type Standing } from './standing.ts';

/**
 * Called when the owner of a group changed, how surely it is known, or whether the group exists;
 * after the whole row was applied. `group` is its code.
 */
export type OwnerObserver = (position: number, group: number) => void;

interface ChangeDefinition {
  readonly columns: readonly string[];
  /** Applies row `at` of the columns to a standing; the event at `position` wrote this row. */
  readonly take: (
    standing: Standing,
    columns: readonly Cells[],
    at: number,
    position: number,
    observer: OwnerObserver | null,
  ) => void;
}

/** The index of a kind in `changeKinds` is its code in a journal. */
export type ChangeKind = (typeof changeKinds)[number];
export const changeKinds = [
  'booted',
  'deviceSet',
  'deviceMoved',
  'groupSet',
  'fileOpened',
  'fileSet',
  'fileClosed',
  'processStarted',
  'processEnded',
  'held',
  'dropped',
  'waiting',
  'refused',
] as const;

export const changes: Readonly<Record<ChangeKind, ChangeDefinition>> = {
  booted: {
    columns: [],
    take(standing, _columns, _at, position, observer) {
      for (const gone of standing.boot(position)) observer?.(position, gone);
    },
  },
  deviceSet: {
    columns: ['device', 'state', 'group', 'name', 'driver', 'cdev', 'isUnknown'],
    take({ devices }, [device, state, group, name, driver, cdev, isUnknown], at) {
      const cell = devices.reach(device![at]!);
      const { cells } = devices;
      cells[cell] = state![at]!;
      cells[cell + DEVICE.group] = group![at]!;
      cells[cell + DEVICE.name] = name![at]!;
      cells[cell + DEVICE.driver] = driver![at]!;
      cells[cell + DEVICE.cdev] = cdev![at]!;
      cells[cell + DEVICE.isUnknown] = isUnknown![at]!;
    },
  },
  deviceMoved: {
    columns: ['device', 'state'],
    take({ devices }, [device, state], at) {
      devices.cells[device![at]! * devices.width] = state![at]!;
    },
  },
  groupSet: {
    columns: ['group', 'kind', 'owner', 'claims', 'unclaimed', 'opener', 'certainty', 'busy'],
    take(standing, columns, at, position, observer) {
      const [group, kind, owner, claims, unclaimed, opener, certainty, busy] = columns;
      const { groups } = standing;
      const index = group![at]!;
      const cell = groups.reach(index);
      const { cells } = groups;
      // An unknown owner stays the same owner, whichever file made it unknown.
      const isFile = cells[cell + GROUP.owner] === owner![at]! || kind![at] === UNKNOWN;
      const isSame = standing.ownerKind(index) === kind![at]! && isFile;
      const isEqual =
        cells[cell] === kind![at]! &&
        cells[cell + GROUP.owner] === owner![at]! &&
        cells[cell + GROUP.certainty] === certainty![at]!;
      cells[cell] = kind![at]!;
      cells[cell + GROUP.owner] = owner![at]!;
      cells[cell + GROUP.claims] = claims![at]!;
      cells[cell + GROUP.unclaimed] = unclaimed![at]!;
      cells[cell + GROUP.opener] = opener![at]!;
      cells[cell + GROUP.certainty] = certainty![at]!;
      if (busy![at] === 0) cells[cell + GROUP.busy] = 0;
      else if (cells[cell + GROUP.busy] === 0) cells[cell + GROUP.busy] = position + 1;
      if (!isSame) cells[cell + GROUP.since] = position + 1;
      if (!isEqual) observer?.(position, index);
    },
  },
  fileOpened: {
    columns: ['file', 'kind', 'subject'],
    take({ files }, [file, kind, subject], at, position) {
      const cell = files.reach(file![at]!);
      const { cells } = files;
      cells[cell] = position + 1;
      cells[cell + FILE.kind] = kind![at]!;
      cells[cell + FILE.subject] = subject![at]!;
      cells[cell + FILE.isGone] = 0;
      cells[cell + FILE.tie] = 0;
      cells[cell + FILE.pins] = 0;
    },
  },
  fileSet: {
    columns: ['file', 'isGone', 'tie', 'pins'],
    take({ files }, [file, isGone, tie, pins], at) {
      const cell = file![at]! * files.width;
      const { cells } = files;
      cells[cell + FILE.isGone] = isGone![at]!;
      cells[cell + FILE.tie] = tie![at]!;
      cells[cell + FILE.pins] = pins![at]!;
    },
  },
  fileClosed: {
    columns: ['file'],
    take({ files }, [file], at) {
      const cell = file![at]! * files.width;
      files.cells[cell] = 0;
      files.cells[cell + FILE.pins] = 0;
    },
  },
  processStarted: {
    columns: ['process', 'pid', 'comm', 'cgroup', 'vm'],
    take({ processes }, [process, pid, comm, cgroup, vm], at) {
      const cell = processes.reach(process![at]!);
      const { cells } = processes;
      cells[cell] = pid![at]!;
      cells[cell + PROCESS.comm] = comm![at]!;
      cells[cell + PROCESS.cgroup] = cgroup![at]!;
      cells[cell + PROCESS.vm] = vm![at]!;
    },
  },
  processEnded: {
    columns: ['process'],
    take({ processes }, [process], at) {
      processes.cells[process![at]! * processes.width] = 0;
    },
  },
  held: {
    columns: ['hold', 'file', 'process', 'fd', 'from'],
    take(standing, [hold, file, process, fd, from], at, position) {
      const { holds } = standing;
      const cell = holds.reach(hold![at]!);
      const { cells } = holds;
      cells[cell] = file![at]! + 1;
      cells[cell + HOLD.process] = process![at]!;
      cells[cell + HOLD.fd] = fd![at]!;
      cells[cell + HOLD.since] = position;
      cells[cell + HOLD.from] = from![at]!;
      cells[cell + HOLD.number] = standing.held++;
    },
  },
  dropped: {
    columns: ['hold'],
    take({ holds }, [hold], at) {
      holds.cells[hold![at]! * holds.width] = 0;
    },
  },
  waiting: {
    columns: ['device', 'pid', 'comm'],
    take(standing, [device, pid, comm], at) {
      standing.waiter = { device: device![at]!, pid: pid![at]!, comm: comm![at]! };
    },
  },
  /**
   * The cause of a refused attempt, whether the rules refuse it on the host as it is known, and when
   * it would pass (`open-refusals.ts`). It changes nothing.
   */
  refused: {
    columns: ['cause', 'operation', 'errno', 'kind', 'file', 'driver', 'isByTheRules', 'passes'],
    take() {},
  },
};

export const changeCodes = Object.fromEntries(
  changeKinds.map((kind, code) => [kind, code]),
) as Readonly<Record<ChangeKind, number>>;
