/**
 * What each kind of event does to processes and to what they hold, for whoever asks: which file it
 * opens, which descriptor it fills, whom it names. A kind that is in neither list does not compile; that
 * a call's does what its row says is a law (`test/operations/rows.test.ts`).
 *
 * @module
 */
import type { CallEvent, DataOf, EventType, Fact } from '../events/vocabulary.ts';

/** A descriptor, a mapping, or all that a process holds. */
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
  /** The kind of the file that it opens; `path` where it is none of VFIO's. */
  readonly opens: 'group' | 'container' | 'iommufd' | 'device' | 'path' | null;
  /** The descriptor that stands for another file from then on. */
  readonly fills: ((data: D) => { readonly pid: number; readonly fd: number }) | null;
  /** The process that begins with it, or ends. */
  readonly replaces: ((data: D) => number) | null;
  /** Whom it gives a name; null where it is the name that it had. */
  readonly names: ((data: D) => NamedProcess | null) | null;
  /** What is behind these has other holders then, or is pushed out of its place. */
  readonly moves: ((data: D) => readonly Moved[]) | null;
}

const nothing = { opens: null, fills: null, replaces: null, names: null, moves: null } as const;

/** An open at `fd`. */
function opening<K extends Effect<never>['opens']>(opens: K) {
  const fills = ({ pid, fd }: { readonly pid: number; readonly fd: number }) => ({ pid, fd });
  return { ...nothing, opens, fills, moves: (data: Parameters<typeof fills>[0]) => [fills(data)] };
}

const allOf = (pid: number): Moved => ({ pid, all: true });

/** Kinds of events that open a file. */
export type OpeningEvent =
  | 'group.opened'
  | 'container.opened'
  | 'iommufd.opened'
  | 'device.opened'
  | 'path.opened'
  | 'device.obtained';

/** Kinds of events after which every process holds what it held before. */
export type OfNoProcess =
  | Exclude<CallEvent, OpeningEvent>
  | 'operation.refused'
  | 'file.released'
  | 'device.added'
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
  'process.found': { ...nothing, names: (data) => data },
  'process.forked': {
    ...nothing,
    replaces: ({ child }) => child,
    // It is in the control group of its parent.
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

/** What events of a kind do, for whoever holds one without knowing which kind that is. */
export function effectOf(type: EventType): Effect<Fact['data']> {
  return (known[type] ?? nothing) as Effect<Fact['data']>;
}
