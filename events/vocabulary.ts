/**
 * The vocabulary of the log: every kind of fact that it can hold, as data.
 *
 * These names and shapes are what lies on disk. A change to any of them is a new schema version and
 * needs an upcaster (`upcasters.ts`); what is already written is never rewritten.
 *
 * @module
 */
import * as v from 'valibot';
import { clocks, evidence, pointer, type Evidence } from './evidence.ts';
import {
  count,
  fd,
  given,
  number,
  operations,
  optional,
  pid,
  shown,
  text,
  type Arguments,
  type Operation,
} from './operations.ts';

export { certainties, type Certainty, type Clock, type Evidence } from './evidence.ts';
export type { Attempt, Call, CallOf, Operation, RecordedAttempt } from './operations.ts';
export { SCHEMA } from './upcasters.ts';

const errno = v.pipe(v.string(), v.regex(/^E[A-Z0-9]+$/));

const refusals = Object.entries(operations).map(([operation, { entries }]) =>
  v.strictObject({
    operation: v.literal(operation),
    errno,
    ...entries,
    /** The cause that the evidence itself shows, in the words of the causes. */
    cause: v.optional(text),
    evidence: v.optional(evidence),
  }),
);

const claimed = {
  claimant: text,
  /** Of the claimant, where it has one: a VM's UUID. */
  uuid: v.nullable(text),
  /** Who keeps the book: libvirt. */
  manager: text,
  reason: v.nullable(text),
};

const gone = v.strictObject({
  to: count,
  hash: v.pipe(v.string(), v.regex(/^[\da-f]{64}$/)),
  at: v.pipe(v.string(), v.isoTimestamp()),
});

/** What a call on a file of VFIO's or iommufd's comes to, where it passes; machines take these. */
const calls = {
  // Files opened. `fd` is the new descriptor.
  'group.opened': v.strictObject({ pid, fd, group: text, cloexec: v.boolean(), pointer }),
  'container.opened': v.strictObject({ pid, fd, cloexec: v.boolean(), pointer }),
  'iommufd.opened': v.strictObject({ pid, fd, cloexec: v.boolean(), pointer }),
  'device.opened': v.strictObject({ pid, fd, device: text, cloexec: v.boolean(), pointer }),
  'path.opened': v.strictObject({ pid, fd, path: text, cloexec: v.boolean() }),

  // Groups and containers.
  'container.set': v.strictObject({ pid, fd, container: shown(fd) }),
  'container.unset': v.strictObject({ pid, fd }),
  'iommu.set': v.strictObject({ pid, fd, iommu: shown(number) }),
  'device.obtained': v.strictObject({ pid, fd, device: shown(text), as: fd, pointer }),

  // Devices and iommufd objects. Ids are what the kernel handed out, null where the evidence does
  // not say.
  'device.bound': v.strictObject({ pid, fd, iommufd: shown(fd), id: given }),
  'device.attached': v.strictObject({ pid, fd, pt: shown(number), hwpt: given }),
  'device.detached': v.strictObject({ pid, fd }),
  'ioas.allocated': v.strictObject({ pid, fd, id: given }),
  'hwpt.allocated': v.strictObject({
    pid,
    fd,
    device: shown(number),
    pt: shown(number),
    id: given,
  }),
  'object.destroyed': v.strictObject({ pid, fd, object: shown(number) }),
  'compat-ioas.set': v.strictObject({ pid, fd, ioas: shown(number) }),
  'compat-ioas.cleared': v.strictObject({ pid, fd }),
  'device.reset': v.strictObject({ pid, fd }),
  'device.hot-reset': v.strictObject({ pid, fd, groups: shown(v.array(fd)) }),
};

const shapes = {
  // The log itself: everything up to `to`, with that hash, has left its place. `at` is when.
  'history.archived': gone,
  'history.removed': gone,

  // The evidence itself.
  /** From here on nothing is known of the owner of a group, or of any. */
  'gap.noticed': v.strictObject({ reason: text, group: v.nullable(text) }),
  /** A reading of the running host has ended; `complete` where nothing was out of its sight. */
  'snapshot.taken': v.strictObject({ complete: v.boolean(), unseen: v.array(text) }),
  /**
   * What follows was read from a source of its own. `clock` is what its times count from, and `zero`
   * the instant at which that stood at zero, null where nobody can say. It was read by somebody who
   * knew how the host stood after a position, or, where that is null, nothing of it.
   */
  'evidence.begun': v.strictObject({
    source: text,
    format: text,
    clock: v.picklist(clocks),
    zero: v.nullable(v.pipe(v.string(), v.isoTimestamp())),
    after: v.nullable(count),
  }),

  // The host and what is plugged into it.
  'host.booted': v.strictObject({
    boot: text,
    kernel: text,
    profile: v.nullable(text),
    iommufd: v.boolean(),
    /** True where no kernel was asked: what follows was played on the machines. */
    simulated: v.boolean(),
  }),
  'device.added': v.strictObject({
    device: text,
    name: v.nullable(text),
    group: v.nullable(text),
    driver: v.nullable(text),
    model: v.nullable(text),
    cdev: v.nullable(text),
  }),
  'device.removed': v.strictObject({ device: text }),
  /** A group has a node, and so a device with VFIO; which, and who owns it, is not known. */
  'group.found': v.strictObject({ group: text, devnum: v.optional(text) }),
  'driver.bound': v.strictObject({ device: text, driver: text, cdev: v.nullable(text) }),
  'driver.unbound': v.strictObject({ device: text, driver: text }),
  /** An unbind that waits for the last file of the device; it goes on to `next` by itself. */
  'driver.unbind-blocked': v.strictObject({
    device: text,
    driver: text,
    next: v.nullable(text),
    waiter: v.strictObject({ pid: v.nullable(pid), comm: text }),
  }),
  /** A blocked change was seen to be over, and which driver the device had then. */
  'driver.settled': v.strictObject({ device: text, driver: v.nullable(text) }),

  // Who was given a device, in somebody's book. The kernel knows nothing of it.
  'claim.granted': v.strictObject({ device: text, ...claimed }),
  'claim.released': v.strictObject({ device: text, ...claimed }),
  'claim.refused': v.strictObject({ device: text, ...claimed }),

  // Processes and their descriptors.
  'process.started': v.strictObject({ pid, comm: text, cgroup: v.nullable(text) }),
  /** A process that was running before the evidence begins; the same one, where it is known. */
  'process.found': v.strictObject({
    pid,
    comm: text,
    cgroup: v.nullable(text),
    /** When it started, in ticks since the boot: what tells it from another of its number. */
    started: v.optional(text),
  }),
  'process.forked': v.strictObject({ pid, child: pid, comm: text }),
  'process.executed': v.strictObject({ pid, comm: v.optional(text) }),
  'process.exited': v.strictObject({ pid, signal: v.nullable(text) }),
  'descriptor.duplicated': v.strictObject({ pid, fd, as: fd, cloexec: optional.cloexec }),
  'descriptor.passed': v.strictObject({ pid, fd, to: pid, as: fd, cloexec: optional.cloexec }),
  /** Whether an exec closes it (FD_CLOEXEC). */
  'descriptor.flagged': v.strictObject({ pid, fd, cloexec: v.boolean() }),
  'descriptor.closed': v.strictObject({ pid, fd }),
  'mapping.created': v.strictObject({ pid, fd, mapping: count, region: shown(number) }),
  'mapping.removed': v.strictObject({ pid, mapping: count }),

  ...calls,

  /** The last reference of a file is gone, as the kernel was seen to do it. */
  'file.released': v.strictObject({
    pid,
    kind: v.picklist(['group', 'device', 'iommufd', 'container']),
    pointer: text,
  }),
};

type Shapes = typeof shapes;

/** What `data` must look like, by event type. */
export const schemas: { readonly [T in EventType]: v.GenericSchema } = {
  ...(Object.fromEntries(
    Object.entries(shapes).map(([type, { entries }]) => [
      type,
      v.strictObject({ ...entries, evidence: v.optional(evidence) }),
    ]),
  ) as unknown as Record<keyof Shapes, v.GenericSchema>),

  // An attempt that was turned down, with the errno as observed.
  'operation.refused': v.variant(
    'operation',
    refusals as [(typeof refusals)[number], ...typeof refusals],
  ),
};

export type EventType = keyof Shapes | 'operation.refused';
export const eventTypes = Object.keys(schemas) as EventType[];

export type CallEvent = keyof typeof calls;
export const callEvents = Object.keys(calls) as CallEvent[];

interface Evidenced {
  readonly evidence?: Evidence | undefined;
}

/** What the schema above holds for a refusal, said by operation. */
type RefusalData = {
  [O in Operation]: {
    operation: O;
    errno: string;
    cause?: string | undefined;
  } & Arguments<O> &
    Evidenced;
}[Operation];

export type DataOf<T extends EventType> = T extends keyof Shapes
  ? v.InferOutput<Shapes[T]> & Evidenced
  : RefusalData;

/** A fact before the log has given it a place. `time` is ISO 8601 in UTC, or null where unknown. */
export type LedgerEvent = {
  [T in EventType]: { id: string; time: string | null; type: T; data: DataOf<T> };
}[EventType];

/** Type and data alone: what a host or an importer says happened. */
export type Fact = { [T in EventType]: { type: T; data: DataOf<T> } }[EventType];

/** A fact with its place in the stream of its host. */
export type Placed<E = LedgerEvent> = E & { position: number };
