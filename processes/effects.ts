/**
 * The effect of each event type on processes and on what they hold: the file it opens, the descriptor
 * it fills, the process it names. An event type must be in `effects` or in `OfNoProcess`, or the code
 * does not compile. `test/operations/rows.test.ts` tests that the event of each call has its effect.
 *
 * @module
 */
import type { CallEvent, DataOf, EventType, Fact } from '../events/vocabulary.ts';

/** A descriptor, a mapping, or everything that a process holds. */
type Moved =
  | { readonly pid: number; readonly fd: number }
  | { readonly pid: number; readonly mapping: number }
  | { readonly pid: number; readonly all: true };

interface NamedProcess {
  readonly pid: number;
  readonly comm: string;
  readonly cgroup: string | null;
}

interface Effect<D> {
  /** The kind of file that the event opens; `path`: a file that is not VFIO's. */
  readonly opens: 'group' | 'container' | 'iommufd' | 'device' | 'path' | null;
  /** The descriptor that refers to another file afterwards. */
  readonly fills: ((data: D) => { readonly pid: number; readonly fd: number }) | null;
  /** The pid of the process that the event starts or ends. */
  readonly replaces: ((data: D) => number) | null;
  /** The process that gets a name; null if its name does not change. */
  readonly names: ((data: D) => NamedProcess | null) | null;
  /** Descriptors and mappings whose files gain or lose a holder. */
  readonly moves: ((data: D) => readonly Moved[]) | null;
}

const nothing = { opens: null, fills: null, replaces: null, names: null, moves: null } as const;

/** The effect of an event that opens a file at `fd`. */
function opening<K extends Effect<never>['opens']>(opens: K) {
  const fills = ({ pid, fd }: { readonly pid: number; readonly fd: number }) => ({ pid, fd });
  return { ...nothing, opens, fills, moves: (data: Parameters<typeof fills>[0]) => [fills(data)] };
}

const allOf = (pid: number): Moved => ({ pid, all: true });

/** The event types that open a file. */
export type OpeningEvent =
  | 'group.opened'
  | 'container.opened'
  | 'iommufd.opened'
  | 'device.opened'
  | 'path.opened'
  | 'device.obtained';

/** The event types that change nothing of any process. */
export type OfNoProcess =
  | Exclude<CallEvent, OpeningEvent>
  | 'operation.refused'
  | 'file.released'
  | 'device.added'
  | 'host.died'
  | 'device.removed'
  | 'group.found'
  | 'driver.bound'
  | 'driver.unbound'
  | 'driver.unbind-blocked'
  | 'driver.settled'
  | 'claim.granted'
  | 'claim.released'
  | 'claim.refused'
  | 'gap.noticed'
  | 'snapshot.taken'
  | 'evidence.begun'
  | 'history.archived'
  | 'history.removed';

const effects: { readonly [T in Exclude<EventType, OfNoProcess>]: Effect<DataOf<T>> } = {
  'host.booted': nothing,
  'process.started': {
    ...nothing,
    replaces: ({ pid }) => pid,
    names: (data) => data,
    moves: ({ pid }) => [allOf(pid)],
  },
  'process.found': {
    ...nothing,
    names: ({ pid, comm, cgroup }) => (comm === null ? null : { pid, comm, cgroup }),
  },
  'process.forked': {
    ...nothing,
    replaces: ({ child }) => child,
    // Null: the child stays in the control group of its parent.
    names: ({ child, comm }) => ({ pid: child, comm, cgroup: null }),
    moves: ({ pid, child }) => [allOf(pid), allOf(child)],
  },
  'process.executed': {
    ...nothing,
    names: ({ pid, comm }) => (comm === undefined ? null : { pid, comm, cgroup: null }),
    moves: ({ pid }) => [allOf(pid)],
  },
  'process.exited': { ...nothing, replaces: ({ pid }) => pid, moves: ({ pid }) => [allOf(pid)] },
  'descriptor.duplicated': {
    ...nothing,
    fills: ({ pid, as }) => ({ pid, fd: as }),
    moves: ({ pid, fd, as }) => [
      { pid, fd },
      { pid, fd: as },
    ],
  },
  'descriptor.passed': {
    ...nothing,
    fills: ({ to, as }) => ({ pid: to, fd: as }),
    moves: ({ pid, fd, to, as }) => [
      { pid, fd },
      { pid: to, fd: as },
    ],
  },
  'descriptor.flagged': nothing,
  'descriptor.closed': { ...nothing, moves: ({ pid, fd }) => [{ pid, fd }] },
  'mapping.created': {
    ...nothing,
    moves: ({ pid, fd, mapping }) => [
      { pid, fd },
      { pid, mapping },
    ],
  },
  'mapping.removed': { ...nothing, moves: ({ pid, mapping }) => [{ pid, mapping }] },

  'group.opened': opening('group'),
  'container.opened': opening('container'),
  'iommufd.opened': opening('iommufd'),
  'device.opened': opening('device'),
  'path.opened': opening('path'),
  'device.obtained': {
    ...nothing,
    opens: 'device',
    fills: ({ pid, as }) => ({ pid, fd: as }),
    moves: ({ pid, as }) => [{ pid, fd: as }],
  },
};

const known: { readonly [T in EventType]?: unknown } = effects;

/** The pid of the process whose address space an event ends, by an exec too; null if none. */
export function addressSpaceEndedBy({ type, data }: Fact): number | null {
  return type === 'process.executed' ? data.pid : (effectOf(type).replaces?.(data) ?? null);
}

/** The effect of events of a type that is not known at compile time. */
export function effectOf(type: EventType): Effect<Fact['data']> {
  return (known[type] ?? nothing) as Effect<Fact['data']>;
}

/** The pids that an event or a call names: of its process, of a child, and of who gets a descriptor. */
export function pidsIn(data: object): number[] {
  const { pid, child, to }: { readonly [key in 'pid' | 'child' | 'to']?: unknown } = data;
  return [pid, child, to].filter((id) => typeof id === 'number');
}
