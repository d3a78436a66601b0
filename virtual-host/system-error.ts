/**
 * `SystemError`: a refused call as an exception, shaped like the errors of Node's own system calls.
 *
 * @module
 */
import type { Call, Operation } from '../events/vocabulary.ts';
import { rowOf } from '../operations/table.ts';
import type { Why } from '../projections/why/why.ts';

/** The numbers of Linux, and the words of libuv; of glibc where libuv has none (ECHILD, EBADFD). */
export const errnos: Readonly<Record<string, readonly [number, string]>> = {
  EPERM: [1, 'operation not permitted'],
  ENOENT: [2, 'no such file or directory'],
  EIO: [5, 'i/o error'],
  ENXIO: [6, 'no such device or address'],
  E2BIG: [7, 'argument list too long'],
  EBADF: [9, 'bad file descriptor'],
  ECHILD: [10, 'no child processes'],
  EAGAIN: [11, 'resource temporarily unavailable'],
  EFAULT: [14, 'bad address in system call argument'],
  EBUSY: [16, 'resource busy or locked'],
  EEXIST: [17, 'file already exists'],
  ENODEV: [19, 'no such device'],
  EISDIR: [21, 'illegal operation on a directory'],
  EINVAL: [22, 'invalid argument'],
  ENOTTY: [25, 'inappropriate ioctl for device'],
  ENOSPC: [28, 'no space left on device'],
  ESPIPE: [29, 'invalid seek'],
  EBADFD: [77, 'file descriptor in bad state'],
  EOPNOTSUPP: [95, 'operation not supported'],
};

/** System calls of operations that are no ioctl, and are not called like theirs. */
const systemCalls: Partial<Record<Operation, string>> = {
  open_cdev: 'open',
  open_container: 'open',
  open_group: 'open',
  open_iommufd: 'open',
  open_path: 'open',
  exec: 'execve',
  send: 'sendmsg',
  set_driver: 'write',
  bg_wait: 'wait',
};

/** A refused call. `message`, `code`, `errno`, `syscall` and `path` are as in an error of Node's. */
export class SystemError extends Error {
  /** The number of the errno on Linux, negative as in Node. */
  readonly errno: number;
  /** Such as `EBUSY`. */
  readonly code: string;
  /** Such as `ioctl`. */
  readonly syscall: string;
  /** The path that could not be opened; absent in other errors. */
  declare readonly path?: string;
  readonly #explain: () => Why;

  /** @internal */
  constructor(call: Call, code: string, path: string | null, explain: () => Why) {
    const { operation } = call;
    const { request } = rowOf(operation);
    const isIoctl = request !== null || operation === 'ioctl';
    const syscall = isIoctl ? 'ioctl' : (systemCalls[operation] ?? operation);
    const [number, words] = errnos[code] ?? [0, 'unknown error'];
    super(`${code}: ${words}, ${syscall}${path === null ? '' : ` '${path}'`}`);
    this.errno = -number;
    this.code = code;
    this.syscall = syscall;
    if (path !== null) this.path = path;
    this.#explain = explain;
  }

  /** Why the call was refused, as the ledger of the host explains it now. */
  get refusal(): Why {
    return this.#explain();
  }
}
