/**
 * The operations that a kernel can be asked for, and the arguments of each.
 *
 * @module
 */
import * as v from 'valibot';

export const text = v.pipe(v.string(), v.nonEmpty());
export const count = v.pipe(v.number(), v.integer(), v.minValue(0));
/** A number as the caller gave it: a descriptor or an object id. -1: the name given means none. */
export const number = v.pipe(v.number(), v.integer());
export const optional = {
  argsz: v.optional(count),
  flags: v.optional(count),
  cloexec: v.optional(v.boolean()),
};
export const given = v.nullable(count);
export const pid = v.pipe(v.number(), v.integer(), v.minValue(0));
export const fd = v.pipe(v.number(), v.integer());
/** An argument that the call had. Null if the evidence does not show it. */
export const shown = <S extends v.GenericSchema<number | string | number[]>>(schema: S) =>
  v.nullable(schema);

/** The PASID that a call asked for; it counts only with the flag for it. */
export const pasid = v.optional(shown(count));

/**
 * The arguments of each operation as the kernel saw them, by its word in the scenario language.
 *
 * A refused attempt is recorded as these arguments and the errno. An attempt that passed is recorded as
 * its event, which holds the arguments that readers need and the result.
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
    pasid,
  }),
  detach: v.strictObject({
    pid,
    fd,
    argsz: optional.argsz,
    flags: optional.flags,
    pasid,
  }),
  alloc_ioas: v.strictObject({ pid, fd }),
  alloc_hwpt: v.strictObject({
    pid,
    fd,
    device: shown(number),
    pt: shown(number),
    flags: optional.flags,
  }),
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

/** An operation, by its word in the scenario language. */
export type Operation = keyof typeof operations;

export type Arguments<O extends Operation> = Readonly<v.InferOutput<(typeof operations)[O]>>;

/** An attempt whose file is shown, without its outcome. Null: an argument that is not shown. */
export type RecordedAttempt = { [O in Operation]: { operation: O } & Arguments<O> }[Operation];

/**
 * Arguments as evidence shows them. `fd` is null if it does not show the file of the call, `pid` if it
 * does not show the process.
 */
export type ShownArguments<O extends Operation> = {
  readonly [K in keyof Arguments<O>]: K extends 'fd' | 'pid'
    ? Arguments<O>[K] | null
    : Arguments<O>[K];
};

/** An attempt without its outcome, as evidence shows it. Null: what is not shown. */
export type Attempt = { [O in Operation]: { operation: O } & ShownArguments<O> }[Operation];

/** Null is an argument of `set_driver`: no driver. */
type Complete<O extends Operation> = O extends 'set_driver'
  ? Arguments<O>
  : { readonly [K in keyof Arguments<O>]: Exclude<Arguments<O>[K], null> };

/** An attempt of which every argument is known. */
export type Call = { [O in Operation]: { operation: O } & Complete<O> }[Operation];
/** The call of one operation. */
export type CallOf<O extends Operation> = Extract<Call, { operation: O }>;
