/**
 * The vocabulary of the log: every kind of fact that it can hold, as data.
 *
 * These names and shapes are what lies on disk. A change to any of them is a new schema version and
 * needs an upcaster (`upcasters.ts`); what is already written is never rewritten.
 *
 * @module
 */
import * as v from 'valibot';

/** Version of the shapes in this file; every stored event carries the one that it was written by. */
export const SCHEMA = 2;

const text = v.pipe(v.string(), v.nonEmpty());
const count = v.pipe(v.number(), v.integer(), v.minValue(0));
/** A number as the caller gave it: a descriptor, an object id; -1 where its name stood for none. */
const number = v.pipe(v.number(), v.integer());
const optional = {
  argsz: v.optional(count),
  flags: v.optional(count),
  pasid: v.optional(count),
  cloexec: v.optional(v.boolean()),
};
const given = v.nullable(count);
const pid = count;
const fd = number;

/**
 * Arguments of each operation as the kernel saw them, under the word of the scenario language.
 *
 * A refused attempt is recorded as exactly these and the errno; an admitted one as its event, which
 * carries what a later reader needs of them and what came out.
 */
const operations = {
  open_cdev: v.strictObject({ pid, device: text, cloexec: optional.cloexec }),
  open_iommufd: v.strictObject({ pid, cloexec: optional.cloexec }),
  open_container: v.strictObject({ pid, cloexec: optional.cloexec }),
  open_group: v.strictObject({ pid, group: text, cloexec: optional.cloexec }),
  open_path: v.strictObject({ pid, path: text, cloexec: optional.cloexec }),
  bind: v.strictObject({ pid, fd, iommufd: fd, argsz: optional.argsz, flags: optional.flags }),
  attach: v.strictObject({
    pid,
    fd,
    pt: number,
    argsz: optional.argsz,
    flags: optional.flags,
    pasid: optional.pasid,
  }),
  detach: v.strictObject({ pid, fd, argsz: optional.argsz, flags: optional.flags }),
  alloc_ioas: v.strictObject({ pid, fd }),
  alloc_hwpt: v.strictObject({ pid, fd, device: number, pt: number }),
  destroy: v.strictObject({ pid, fd, object: number }),
  ioas_map: v.strictObject({ pid, fd, ioas: number, iova: count, size: count }),
  compat_ioas: v.strictObject({
    pid,
    fd,
    action: v.picklist(['get', 'set', 'clear']),
    ioas: number,
  }),
  set_container: v.strictObject({ pid, fd, container: fd }),
  unset_container: v.strictObject({ pid, fd }),
  set_iommu: v.strictObject({ pid, fd, iommu: number }),
  api_version: v.strictObject({ pid, fd }),
  check_extension: v.strictObject({ pid, fd, extension: number }),
  map_dma: v.strictObject({ pid, fd, iova: count, size: count }),
  group_status: v.strictObject({ pid, fd }),
  get_device: v.strictObject({ pid, fd, device: text }),
  device_info: v.strictObject({ pid, fd }),
  region_info: v.strictObject({ pid, fd, region: number }),
  reset: v.strictObject({ pid, fd }),
  hot_reset_info: v.strictObject({ pid, fd }),
  hot_reset: v.strictObject({ pid, fd, groups: v.array(fd) }),
  read: v.strictObject({ pid, fd, region: number }),
  ioctl: v.strictObject({ pid, fd, request: number }),
  mmap: v.strictObject({ pid, fd, region: number }),
  munmap: v.strictObject({ pid, mapping: number }),
  dup: v.strictObject({ pid, fd }),
  dup2: v.strictObject({ pid, fd, to: fd }),
  close: v.strictObject({ pid, fd }),
  fds: v.strictObject({ pid }),
  fork: v.strictObject({ pid, comm: text }),
  spawn: v.strictObject({ comm: text }),
  exec: v.strictObject({ pid }),
  exit: v.strictObject({ pid }),
  kill: v.strictObject({ pid }),
  send: v.strictObject({ pid, fd, to: pid }),
  set_driver: v.strictObject({ device: text, driver: v.nullable(text) }),
  bg_wait: v.strictObject({}),
};

/** A word of the scenario language that asks the kernel for something. */
export type Operation = keyof typeof operations;

type Arguments<O extends Operation> = Readonly<v.InferOutput<(typeof operations)[O]>>;

/** An attempt before its outcome: the operation and what it was asked with. */
export type Call = { [O in Operation]: { operation: O } & Arguments<O> }[Operation];
export type CallOf<O extends Operation> = Extract<Call, { operation: O }>;

const errno = v.pipe(v.string(), v.regex(/^E[A-Z0-9]+$/));

const refusals = Object.entries(operations).map(([operation, { entries }]) =>
  v.strictObject({ operation: v.literal(operation), errno, ...entries }),
);

const gone = v.strictObject({
  to: count,
  hash: v.pipe(v.string(), v.regex(/^[\da-f]{64}$/)),
  at: v.pipe(v.string(), v.isoTimestamp()),
});

/** What `data` must look like, by event type. */
export const schemas = {
  // The log itself: everything up to `to`, with that hash, has left its place. `at` is when.
  'history.archived': gone,
  'history.removed': gone,

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

  // Processes and their descriptors.
  'process.started': v.strictObject({ pid, comm: text, cgroup: v.nullable(text) }),
  'process.forked': v.strictObject({ pid, child: pid, comm: text }),
  'process.executed': v.strictObject({ pid }),
  'process.exited': v.strictObject({ pid, signal: v.nullable(text) }),
  'descriptor.duplicated': v.strictObject({ pid, fd, as: fd }),
  'descriptor.passed': v.strictObject({ pid, fd, to: pid, as: fd }),
  'descriptor.closed': v.strictObject({ pid, fd }),
  'mapping.created': v.strictObject({ pid, fd, mapping: count, region: number }),
  'mapping.removed': v.strictObject({ pid, mapping: count }),

  // Files opened. `fd` is the new descriptor.
  'group.opened': v.strictObject({ pid, fd, group: text, cloexec: v.boolean() }),
  'container.opened': v.strictObject({ pid, fd, cloexec: v.boolean() }),
  'iommufd.opened': v.strictObject({ pid, fd, cloexec: v.boolean() }),
  'device.opened': v.strictObject({ pid, fd, device: text, cloexec: v.boolean() }),
  'path.opened': v.strictObject({ pid, fd, path: text, cloexec: v.boolean() }),

  // Groups and containers.
  'container.set': v.strictObject({ pid, fd, container: fd }),
  'container.unset': v.strictObject({ pid, fd }),
  'iommu.set': v.strictObject({ pid, fd, iommu: number }),
  'device.obtained': v.strictObject({ pid, fd, device: text, as: fd }),

  // Devices and iommufd objects. Ids are what the kernel handed out, null where the evidence does
  // not say.
  'device.bound': v.strictObject({ pid, fd, iommufd: fd, id: given }),
  'device.attached': v.strictObject({ pid, fd, pt: number, hwpt: given }),
  'device.detached': v.strictObject({ pid, fd }),
  'ioas.allocated': v.strictObject({ pid, fd, id: given }),
  'hwpt.allocated': v.strictObject({ pid, fd, device: number, pt: number, id: given }),
  'object.destroyed': v.strictObject({ pid, fd, object: number }),
  'compat-ioas.set': v.strictObject({ pid, fd, ioas: number }),
  'compat-ioas.cleared': v.strictObject({ pid, fd }),
  'device.reset': v.strictObject({ pid, fd }),
  'device.hot-reset': v.strictObject({ pid, fd, groups: v.array(fd) }),

  // An attempt that was turned down, with the errno as observed.
  'operation.refused': v.variant(
    'operation',
    refusals as [(typeof refusals)[number], ...typeof refusals],
  ),
};

export type EventType = keyof typeof schemas;
export const eventTypes = Object.keys(schemas) as EventType[];

/** What the schema above holds for a refusal, said by operation. */
type Refused = { [O in Operation]: { operation: O; errno: string } & Arguments<O> }[Operation];

export type DataOf<T extends EventType> = T extends 'operation.refused'
  ? Refused
  : v.InferOutput<(typeof schemas)[T]>;

/** A fact before the log has given it a place. `time` is ISO 8601 in UTC, or null where unknown. */
export type LedgerEvent = {
  [T in EventType]: { id: string; time: string | null; type: T; data: DataOf<T> };
}[EventType];

/** Type and data alone: what a host or an importer says happened. */
export type Fact = { [T in EventType]: { type: T; data: DataOf<T> } }[EventType];

/** A fact with its place in the stream of its host. */
export type Placed<E = LedgerEvent> = E & { position: number };
