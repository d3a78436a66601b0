/**
 * What each kind of event does to processes and to what they hold, for whoever asks: which file it
 * opens, which descriptor it fills, whom it names. A kind that has no row does not compile.
 *
 * @module
 */
import type { DataOf, EventType, Fact } from '../events/vocabulary.ts';

/** A descriptor, a mapping, or all that a process holds. */
type Held =
  | { readonly pid: number; readonly fd: number }
  | { readonly pid: number; readonly mapping: number }
  | { readonly pid: number; readonly all: true };

interface Named {
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
  readonly names: ((data: D) => Named | null) | null;
  /** What is behind these has other holders then, or is pushed out of its place. */
  readonly moves: ((data: D) => readonly Held[]) | null;
}

const nothing = { opens: null, fills: null, replaces: null, names: null, moves: null } as const;

/** An open at `fd`. */
function opening<K extends Effect<never>['opens']>(opens: K) {
  const fills = ({ pid, fd }: { readonly pid: number; readonly fd: number }) => ({ pid, fd });
  return { ...nothing, opens, fills, moves: (data: Parameters<typeof fills>[0]) => [fills(data)] };
}

const allOf = (pid: number): Held => ({ pid, all: true });

const effects: { readonly [T in EventType]: Effect<DataOf<T>> } = {
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

  'container.set': nothing,
  'container.unset': nothing,
  'iommu.set': nothing,
  'device.bound': nothing,
  'device.attached': nothing,
  'device.detached': nothing,
  'ioas.allocated': nothing,
  'hwpt.allocated': nothing,
  'object.destroyed': nothing,
  'compat-ioas.set': nothing,
  'compat-ioas.cleared': nothing,
  'device.reset': nothing,
  'device.hot-reset': nothing,
  'operation.refused': nothing,
  'file.released': nothing,

  'host.booted': nothing,
  'device.added': nothing,
  'device.removed': nothing,
  'group.found': nothing,
  'driver.bound': nothing,
  'driver.unbound': nothing,
  'driver.unbind-blocked': nothing,
  'driver.settled': nothing,
  'claim.granted': nothing,
  'claim.released': nothing,
  'claim.refused': nothing,
  'gap.noticed': nothing,
  'snapshot.taken': nothing,
  'evidence.begun': nothing,
  'history.archived': nothing,
  'history.removed': nothing,
};

/** What events of a kind do, for whoever holds one without knowing which kind that is. */
export function effectOf(type: EventType): Effect<Fact['data']> {
  return effects[type] as unknown as Effect<Fact['data']>;
}
