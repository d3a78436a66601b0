/**
 * Calls on a node that are no opens: VFIO refused nothing.
 */
import { expect, test } from 'vitest';
import { textParser } from '../../../evidence/messages/text.ts';
import { shownBy } from './support.ts';

test.each([
  "rm: cannot remove '/dev/vfio/57': Device or resource busy",
  'rm: /dev/vfio/57: Operation not permitted',
  'umount: /dev/vfio/57: Device or resource busy',
  'umount: /dev/vfio: target is busy.',
  "chown: changing ownership of '/dev/vfio/57': Operation not permitted",
  "chmod: changing permissions of '/dev/vfio/57': Operation not permitted",
  'vmm: chown /dev/vfio/57: operation not permitted',
  'lchown /dev/vfio/57: operation not permitted',
  'app: error closing /dev/vfio/57: Bad file descriptor',
  'close /dev/vfio/57: Input/output error',
  'mknod: /dev/vfio/57: File exists',
  'unlinkat /dev/vfio/57: device or resource busy',
  "ls: cannot access '/dev/vfio/57': No such file or directory",
  "stat: cannot statx '/dev/vfio/57': No such file or directory",
  "error : unable to set security context 'x' on '/dev/vfio/57': Operation not permitted",
  'failed to mount /dev/vfio/57: device or resource busy',
  'setfacl: /dev/vfio/57: Operation not supported',
  'write /dev/vfio/57: invalid argument',
])('none: %s', (line) => {
  expect(shownBy(textParser(), line)).toEqual([]);
});

test.each([
  'sh: /dev/vfio/57: Device or resource busy',
  'sh: 1: cannot create /dev/vfio/57: Device or resource busy',
  'failed to mount it: open /dev/vfio/57: device or resource busy',
  'access.log: vmm: /dev/vfio/57: Device or resource busy',
  'after closing, could not open /dev/vfio/57: Device or resource busy',
])('an open: %s', (line) => {
  expect(shownBy(textParser(), line)).toMatchObject([{ operation: 'open_group', errno: 'EBUSY' }]);
});
