/**
 * Names of Linux's error numbers (asm-generic/errno.h), on every platform.
 *
 * @module
 */

/** The names of the numbers from 1 on. */
const FIRST = (
  'EPERM ENOENT ESRCH EINTR EIO ENXIO E2BIG ENOEXEC EBADF ECHILD EAGAIN ENOMEM EACCES EFAULT ' +
  'ENOTBLK EBUSY EEXIST EXDEV ENODEV ENOTDIR EISDIR EINVAL ENFILE EMFILE ENOTTY ETXTBSY EFBIG ' +
  'ENOSPC ESPIPE EROFS EMLINK EPIPE EDOM ERANGE EDEADLK ENAMETOOLONG ENOLCK ENOSYS ENOTEMPTY ELOOP'
).split(' ');

const names = new Map<number, string>([
  ...FIRST.map((name, index) => [index + 1, name] as const),
  [61, 'ENODATA'],
  [62, 'ETIME'],
  [71, 'EPROTO'],
  [75, 'EOVERFLOW'],
  [77, 'EBADFD'],
  [88, 'ENOTSOCK'],
  [95, 'EOPNOTSUPP'],
  [103, 'ECONNABORTED'],
  [104, 'ECONNRESET'],
  [105, 'ENOBUFS'],
  [107, 'ENOTCONN'],
  [108, 'ESHUTDOWN'],
  [109, 'ETOOMANYREFS'],
  [110, 'ETIMEDOUT'],
  [111, 'ECONNREFUSED'],
  [114, 'EALREADY'],
  [115, 'EINPROGRESS'],
  [116, 'ESTALE'],
  [121, 'EREMOTEIO'],
  [125, 'ECANCELED'],
]);

/** The name of an error number; `E516` for one without a name. */
export function errnoName(number: number): string {
  return names.get(number) ?? `E${number}`;
}
