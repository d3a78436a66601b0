/**
 * The vocabulary of the log: all event types, with the shape of their `data`.
 *
 * These names and shapes are stored on disk. Every change to them is a new schema version and needs an
 * upcaster (`upcasters.ts`). Stored events are never rewritten.
 *
 * @module
 */
import * as v from 'valibot';
import { clocks, evidence, releaseShown, structFile, type Evidence } from './evidence.ts';
import {
  count,
  fd,
  given,
  number,
  operations,
  optional,
  pasid,
  pid,
  shown,
  text,
  type Arguments,
  type Operation,
  type ShownArguments,
} from './operations.ts';

export { certainties, type Certainty, type Clock, type Evidence } from './evidence.ts';
export type { Attempt, Call, CallOf, Operation, RecordedAttempt } from './operations.ts';
export { SCHEMA } from './upcasters.ts';

const errno = v.pipe(v.string(), v.regex(/^E[A-Z0-9]+$/));

/** What a message names besides the arguments of the call that it reports. */
const named = {
  /** The group of the call; a device that is named with it is in it. */
  group: v.optional(text),
  device: v.optional(text),
  /** What is in the way, by the words of the message: a group by number, a device by address. */
  blocker: v.optional(v.strictObject({ kind: v.picklist(['group', 'device']), id: text })),
};

/** The arguments of a call as evidence shows them, and what a message names besides. */
function asShown(args: v.ObjectEntries): v.ObjectEntries {
  const besides = Object.entries(named).filter(([key]) => !Object.hasOwn(args, key));
  // Null: the evidence does not show which process made the call, or on which file.
  const unshown = {
    ...('pid' in args && { pid: shown(pid) }),
    /** The name of the process, if its pid is not shown. */
    ...('pid' in args && !('comm' in args) && { comm: v.optional(text) }),
    ...('fd' in args && { fd: shown(fd) }),
  };
  return { ...args, ...unshown, ...Object.fromEntries(besides) };
}

const refusals = Object.entries(operations).map(([operation, { entries }]) =>
  v.strictObject({
    operation: v.literal(operation),
    /** Null: the program itself concluded that the call would be refused, and made none. */
    errno: v.nullable(errno),
    ...asShown(entries),
    /** The cause, if the evidence itself shows it. A name from `machines/causes.ts`. */
    cause: v.optional(text),
    evidence: v.optional(evidence),
  }),
);

/**
 * The name of the virtual machine that the command line of a process gives, `false` if it gives none;
 * null: from here on, no evidence shows the command line.
 */
const vm = v.nullable(v.union([text, v.literal(false)]));

const claimed = {
  /** Null: the evidence does not name the device. */
  device: v.nullable(text),
  /** The group that is named in place of the device. */
  group: v.optional(text),
  claimant: text,
  /** The UUID of the claimant, if it has one (a VM has). */
  uuid: v.nullable(text),
  /** The program whose book it is: `libvirt`, `proxmox`, `nova`, `spdk`, `libtpu`. */
  manager: text,
  reason: v.nullable(text),
};

const gone = v.strictObject({
  to: count,
  hash: v.pipe(v.string(), v.regex(/^[\da-f]{64}$/)),
  at: v.pipe(v.string(), v.isoTimestamp()),
});

/**
 * What a device can sit behind: a root port, the downstream port of a switch, or a bridge to a
 * conventional PCI bus.
 */
export const ports = ['root', 'downstream', 'bridge'] as const;
export type DevicePort = (typeof ports)[number];

/** Calls on VFIO and iommufd files that passed. The machines take these events. */
const calls = {
  // Files opened. `fd` is the new descriptor.
  'group.opened': v.strictObject({ pid, fd, group: text, cloexec: v.boolean(), ...structFile }),
  'container.opened': v.strictObject({ pid, fd, cloexec: v.boolean(), ...structFile }),
  'iommufd.opened': v.strictObject({ pid, fd, cloexec: v.boolean(), ...structFile }),
  'device.opened': v.strictObject({
    pid,
    fd,
    device: text,
    cloexec: v.boolean(),
    ...structFile,
  }),
  'path.opened': v.strictObject({ pid, fd, path: text, cloexec: v.boolean() }),

  // Groups and containers.
  'container.set': v.strictObject({ pid, fd, container: shown(fd) }),
  'container.unset': v.strictObject({ pid, fd }),
  'iommu.set': v.strictObject({ pid, fd, iommu: shown(number) }),
  'device.obtained': v.strictObject({ pid, fd, device: shown(text), as: fd, ...structFile }),

  // Devices and iommufd objects. An `id` is the one that the kernel returned, or null: the evidence
  // does not show it.
  'device.bound': v.strictObject({ pid, fd, iommufd: shown(fd), id: given }),
  // `pasid`: the address space of the device that was asked for; without it, the one of requests that
  // carry none. `flags`: those of IOMMU_HWPT_ALLOC; without it, none.
  'device.attached': v.strictObject({ pid, fd, pt: shown(number), hwpt: given, pasid }),
  'device.detached': v.strictObject({ pid, fd, pasid }),
  'ioas.allocated': v.strictObject({ pid, fd, id: given }),
  /**
   * The first map of the process's address space into an IOAS; later ones are no events. Without
   * `ioas`: VFIO_IOMMU_MAP_DMA, which maps into the compat IOAS.
   */
  'ioas.mapped': v.strictObject({
    pid,
    fd,
    ioas: v.optional(shown(number)),
    iova: shown(count),
    size: shown(count),
  }),
  'hwpt.allocated': v.strictObject({
    pid,
    fd,
    device: shown(number),
    pt: shown(number),
    id: given,
    flags: optional.flags,
  }),
  'object.destroyed': v.strictObject({ pid, fd, object: shown(number) }),
  'compat-ioas.set': v.strictObject({ pid, fd, ioas: shown(number) }),
  'compat-ioas.cleared': v.strictObject({ pid, fd }),
  'device.reset': v.strictObject({ pid, fd }),
  'device.hot-reset': v.strictObject({ pid, fd, groups: shown(v.array(fd)) }),
};

const shapes = {
  // The log itself. Its events up to position `to`, with that hash, were moved away or deleted at `at`.
  'history.archived': gone,
  'history.removed': gone,

  // The evidence itself.
  /** Evidence is missing: the owner of `group` (null: of every group) is unknown from here on. */
  'gap.noticed': v.strictObject({ reason: text, group: v.nullable(text) }),
  /** A snapshot of the running host ends. `unseen`: what it could not read; empty if `complete`. */
  'snapshot.taken': v.strictObject({ complete: v.boolean(), unseen: v.array(text) }),
  /**
   * The events that follow were read from this source. `clock` is the zero of its times, and `zero`
   * the instant of that zero, or null if unknown. The reader knew the host as it was after position
   * `after`; null: it knew nothing of the host.
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
    /** True if no kernel was asked: the machines made the events that follow. */
    simulated: v.boolean(),
  }),
  /** The kernel died of binding a driver. It answers nothing until the next boot; a gap follows. */
  'host.died': v.strictObject({ device: text, driver: text }),
  'device.added': v.strictObject({
    device: text,
    name: v.nullable(text),
    group: v.nullable(text),
    driver: v.nullable(text),
    model: v.nullable(text),
    cdev: v.nullable(text),
    /** What the device sits behind. Left out: not shown. */
    port: v.optional(v.picklist(ports)),
  }),
  'device.removed': v.strictObject({ device: text }),
  /** A group has a node, so VFIO has one of its devices. Which one, and who owns it, is unknown. */
  'group.found': v.strictObject({ group: text, devnum: v.optional(text) }),
  'driver.bound': v.strictObject({ device: text, driver: text, cdev: v.nullable(text) }),
  'driver.unbound': v.strictObject({ device: text, driver: text }),
  /** An unbind waits for the last file of the device. After it the device gets the driver `next`. */
  'driver.unbind-blocked': v.strictObject({
    device: text,
    driver: text,
    next: v.nullable(text),
    waiter: v.strictObject({ pid: v.nullable(pid), comm: v.nullable(text) }),
  }),
  /** A blocked unbind was seen to be over. `driver` is the one that the device then had. */
  'driver.settled': v.strictObject({ device: text, driver: v.nullable(text) }),

  // Assignments of devices in the records of a manager (libvirt). The kernel does not know them.
  'claim.granted': v.strictObject(claimed),
  'claim.released': v.strictObject(claimed),
  /** `claimant` is null if the evidence does not name who was refused. */
  'claim.refused': v.strictObject({ ...claimed, claimant: v.nullable(text) }),

  // Processes and their descriptors.
  'process.started': v.strictObject({
    pid,
    comm: text,
    cgroup: v.nullable(text),
    vm: v.optional(vm),
  }),
  /**
   * A process is running. If its pid is known, it is the same process: its name and control group
   * stay as they were known where they are null here, and `vm` where it is left out.
   */
  'process.found': v.strictObject({
    pid,
    comm: v.nullable(text),
    cgroup: v.nullable(text),
    vm: v.optional(vm),
    /** Start time in clock ticks since the boot; tells processes with the same pid apart. */
    started: v.optional(text),
  }),
  'process.forked': v.strictObject({ pid, child: pid, comm: text }),
  /** The command line is another one: without `vm`, it is not shown. */
  'process.executed': v.strictObject({ pid, comm: v.optional(text), vm: v.optional(vm) }),
  /** `releaseShown`: the source has shown releases, and so it shows those of what the process held. */
  'process.exited': v.strictObject({ pid, signal: v.nullable(text), releaseShown }),
  'descriptor.duplicated': v.strictObject({ pid, fd, as: fd, cloexec: optional.cloexec }),
  'descriptor.passed': v.strictObject({ pid, fd, to: pid, as: fd, cloexec: optional.cloexec }),
  /** FD_CLOEXEC of a descriptor was set or cleared. */
  'descriptor.flagged': v.strictObject({ pid, fd, cloexec: v.boolean() }),
  'descriptor.closed': v.strictObject({ pid, fd }),
  'mapping.created': v.strictObject({ pid, fd, mapping: count, region: shown(number) }),
  'mapping.removed': v.strictObject({ pid, mapping: count }),

  ...calls,

  /** The kernel was seen to release a file: its last reference is gone. */
  'file.released': v.strictObject({
    pid,
    kind: v.picklist(['group', 'device', 'iommufd', 'container']),
    pointer: text,
  }),
};

type Shapes = typeof shapes;

/** The schema of `data`, by event type. */
export const schemas: { readonly [T in EventType]: v.GenericSchema } = {
  ...(Object.fromEntries(
    Object.entries(shapes).map(([type, { entries }]) => [
      type,
      v.strictObject({ ...entries, evidence: v.optional(evidence) }),
    ]),
  ) as unknown as Record<keyof Shapes, v.GenericSchema>),

  // An attempt that was refused, with the errno as observed, or what a program concluded of one.
  'operation.refused': v.variant(
    'operation',
    refusals as [(typeof refusals)[number], ...typeof refusals],
  ),
};

/** A kind of event, as `noun.verb-ed`. */
export type EventType = keyof Shapes | 'operation.refused';
export const eventTypes = Object.keys(schemas) as EventType[];

/** The type of an event that a passed call records. */
export type CallEvent = keyof typeof calls;
export const callEvents = Object.keys(calls) as CallEvent[];

interface Evidenced {
  readonly evidence?: Evidence | undefined;
}

/** What a refusal may name besides its arguments. */
interface Named {
  readonly group?: string | undefined;
  readonly device?: string | undefined;
  readonly comm?: string | undefined;
  readonly blocker?: { readonly kind: 'group' | 'device'; readonly id: string } | undefined;
}

/** `data` of `operation.refused`, by operation. */
type RefusalData = {
  [O in Operation]: {
    operation: O;
    errno: string | null;
    cause?: string | undefined;
  } & ShownArguments<O> &
    Omit<Named, keyof Arguments<O>> &
    Evidenced;
}[Operation];

/** The shape of `data`, by event type. */
export type DataOf<T extends EventType> = T extends keyof Shapes
  ? v.InferOutput<Shapes[T]> & Evidenced
  : RefusalData;

/** An event that has no position yet. `time` is ISO 8601 in UTC, or null if unknown. */
export type LedgerEvent = {
  [T in EventType]: { id: string; time: string | null; type: T; data: DataOf<T> };
}[EventType];

/** The type and data of an event: what a host or an importer says happened. */
export type Fact = { [T in EventType]: { type: T; data: DataOf<T> } }[EventType];

/** An event, or a fact, with its position in the stream of its host. */
export type Placed<E = LedgerEvent> = E & { position: number };
