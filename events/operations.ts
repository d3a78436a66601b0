/**
 * Operations: what a kernel can be asked for, and with which arguments.
 *
 * @module
 */
import * as v from 'valibot';

export const text = v.pipe(v.string(), v.nonEmpty());
export const count = v.pipe(v.number(), v.integer(), v.minValue(0));
/** A number as the caller gave it: a descriptor, an object id; -1 where its name stood for none. */
export const number = v.pipe(v.number(), v.integer());
export const optional = {
  argsz: v.optional(count),
  flags: v.optional(count),
  pasid: v.optional(count),
  cloexec: v.optional(v.boolean()),
};
export const given = v.nullable(count);
export const pid = v.pipe(v.number(), v.integer(), v.minValue(0));
export const fd = v.pipe(v.number(), v.integer());
/** An argument that was given, and that the evidence may not show: then null. */
export const shown = <S extends v.GenericSchema<number | string | number[]>>(schema: S) =>
  v.nullable(schema);

/**
 * Arguments of each operation as the kernel saw them, under the word of the scenario language.
 *
 * A refused attempt is recorded as exactly these and the errno; an admitted one as its event, which
 * carries what a later reader needs of them and what came out.
 */
export const operations = {
  open_cdev: v.strictObject({ pid, device: text, cloexec: optional.cloexec }),
  open_iommufd: v.strictObject({ pid, cloexec: optional.cloexec }),
  open_container: v.strictObject({ pid, cloexec: optional.cloexec }),
  open_group: v.strictObject({ pid, group: text, cloexec: optional.cloexec }),
  open_path: v.strictObject({ pid, path: text, cloexec: optional.cloexec }),
  bind: v.strictObject({
    pid,
    fd,
    iommufd: shown(fd),
    argsz: optional.argsz,
    flags: optional.flags,
  }),
  attach: v.strictObject({
    pid,
    fd,
    pt: shown(number),
    argsz: optional.argsz,
    flags: optional.flags,
    pasid: optional.pasid,
  }),
  detach: v.strictObject({ pid, fd, argsz: optional.argsz, flags: optional.flags }),
  alloc_ioas: v.strictObject({ pid, fd }),
  alloc_hwpt: v.strictObject({ pid, fd, device: shown(number), pt: shown(number) }),
  destroy: v.strictObject({ pid, fd, object: shown(number) }),
  ioas_map: v.strictObject({
    pid,
    fd,
    ioas: shown(number),
    iova: shown(count),
    size: shown(count),
  }),
  compat_ioas: v.strictObject({
    pid,
    fd,
    action: v.nullable(v.picklist(['get', 'set', 'clear'])),
    ioas: shown(number),
  }),
  set_container: v.strictObject({ pid, fd, container: shown(fd) }),
  unset_container: v.strictObject({ pid, fd }),
  set_iommu: v.strictObject({ pid, fd, iommu: shown(number) }),
  api_version: v.strictObject({ pid, fd }),
  check_extension: v.strictObject({ pid, fd, extension: shown(number) }),
  map_dma: v.strictObject({ pid, fd, iova: shown(count), size: shown(count) }),
  group_status: v.strictObject({ pid, fd }),
  get_device: v.strictObject({ pid, fd, device: shown(text) }),
  device_info: v.strictObject({ pid, fd }),
  region_info: v.strictObject({ pid, fd, region: shown(number) }),
  reset: v.strictObject({ pid, fd }),
  hot_reset_info: v.strictObject({ pid, fd }),
  hot_reset: v.strictObject({ pid, fd, groups: shown(v.array(fd)) }),
  read: v.strictObject({ pid, fd, region: shown(number) }),
  ioctl: v.strictObject({ pid, fd, request: number }),
  mmap: v.strictObject({ pid, fd, region: shown(number) }),
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

export type Arguments<O extends Operation> = Readonly<v.InferOutput<(typeof operations)[O]>>;

/** An attempt before its outcome, as an event holds it: arguments that were not shown are null. */
export type RecordedAttempt = { [O in Operation]: { operation: O } & Arguments<O> }[Operation];

/** Arguments as evidence shows them: the file operated on may be unshown too, which no event holds. */
type Shown<A> = { readonly [K in keyof A]: K extends 'fd' ? A[K] | null : A[K] };

/** An attempt before its outcome, as the evidence shows it: arguments that it does not are null. */
export type Attempt = { [O in Operation]: { operation: O } & Shown<Arguments<O>> }[Operation];

/** To have no driver is an argument. */
type Complete<O extends Operation> = O extends 'set_driver'
  ? Arguments<O>
  : { readonly [K in keyof Arguments<O>]: Exclude<Arguments<O>[K], null> };

/** An attempt with all that it was asked with. */
export type Call = { [O in Operation]: { operation: O } & Complete<O> }[Operation];
export type CallOf<O extends Operation> = Extract<Call, { operation: O }>;
