/**
 * The rules of opens. Binds share the check that no file of the group is open.
 *
 * @module
 */
import type { Call } from '../../events/vocabulary.ts';
import { anyDeviceFile, boundCdev, openGroupFile } from '../blockers.ts';
import type { Check, OperationTable, PlainCheck, Question } from '../check.ts';
import { itself, type Given } from '../concerns.ts';
import type { OpenFile } from '../instances.ts';
import { NAMELESS } from '../unshown.ts';
import { sinceDmaOwner } from './before-dma-owner.ts';
import { shown } from './shown.ts';

const OPEN = 'vfio/group.c:vfio_group_fops_open';

/** A group's file without a descriptor is kept open only by devices that were opened through it. */
const groupFileNotPinned: Check = {
  name: 'group-file-not-pinned',
  asks: 'descriptor',
  holds: ({ group, host }) => {
    const opener = group?.record.opener ?? null;
    return opener === null || host.isHeld(opener);
  },
  errno: 'EBUSY',
  cause: 'group-pinned-by-device-file',
  source: OPEN,
  blocker: openGroupFile,
};

type HeldCause = 'group-already-open' | 'group-file-open';

const fileClosed = (cause: HeldCause, source: string): Check => ({
  name: 'group-file-closed',
  asks: 'group',
  guard: 'fileClosed',
  errno: 'EBUSY',
  cause,
  source,
  blocker: openGroupFile,
});

/** No file of the group is open; `cause` says whether an open or a bind fails otherwise. */
export function groupFileClosed(cause: HeldCause, source: string): readonly Check[] {
  return [{ ...groupFileNotPinned, source }, fileClosed(cause, source)];
}

const node = <C extends Call>(
  name: string,
  holds: PlainCheck<C>['holds'],
  source: string,
): PlainCheck<C> => ({
  name,
  asks: 'host',
  holds,
  errno: 'ENOENT',
  cause: 'no-such-node',
  source,
});

const directories = new Set(['/', '/dev', '/dev/vfio', '/proc', '/sys', '/tmp', '/etc']);
const nodes =
  /^\/dev\/(null|zero|full|random|urandom|console|tty|ttyS0|mem|kmsg)$|^\/etc\/devices$|^\/proc\/self\/fd\/\d+$/;

/** An open through /proc/self/fd: it reaches the same node, whatever has become of its name. */
function reopened(base: Question, file: OpenFile | undefined, given: Given): Question {
  if (file?.kind === 'device' && file.state !== 'granted') {
    return { ...base, file, device: file.device, events: { device: { type: 'device.opened' } } };
  }
  if (file?.kind !== 'group') return { ...base, file };
  const opened = { type: 'group.opened', file: given.file ?? NAMELESS } as const;
  return { ...base, file, groupFile: file, group: file.group, events: { group: opened } };
}

export const openOperations: OperationTable<
  'open_cdev' | 'open_iommufd' | 'open_container' | 'open_group' | 'open_path'
> = {
  open_cdev: {
    since: 'linux-6.12',
    ...shown,
    concerns: (base, host) => {
      const device = host.device(base.call.device);
      return { ...base, device, events: { device: { type: 'device.opened' } } };
    },
    checks: [
      node(
        'device-has-a-cdev',
        ({ device, host }) => device !== undefined && host.iommufd,
        'vfio/device_cdev.c:vfio_init_device_cdev',
      ),
      {
        since: 'linux-6.12',
        name: 'device-registered',
        asks: 'device',
        in: ['absent'],
        errno: 'ENOENT',
        cause: 'no-such-node',
        source: 'vfio/vfio_main.c:vfio_register_group_dev',
      },
      {
        // Only the name is gone: an open through /proc/self/fd still reaches the node.
        since: 'linux-6.12',
        name: 'device-staying',
        asks: 'host',
        holds: ({ device }) => device?.state !== 'leaving',
        avoidable: true,
        errno: 'ENOENT',
        cause: 'device-leaving',
        source: 'vfio/vfio_main.c:vfio_unregister_group_dev',
        blocker: anyDeviceFile,
      },
    ],
  },
  open_iommufd: {
    since: 'linux-6.12',
    ...shown,
    concerns: itself,
    checks: [
      node('kernel-has-iommufd', ({ host }) => host.iommufd, 'iommu/iommufd/main.c:iommufd_init'),
    ],
  },
  open_container: { ...shown, concerns: itself, checks: [] },
  open_group: {
    ...shown,
    concerns: (base, host, given) => {
      const opened = { type: 'group.opened', file: given.file ?? NAMELESS } as const;
      return { ...base, group: host.group(base.call.group), events: { group: opened } };
    },
    checks: [
      node('group-known', ({ group }) => group !== undefined, 'vfio/group.c:vfio_create_group'),
      {
        name: 'group-has-a-vfio-device',
        asks: 'group',
        guard: 'hasNode',
        errno: 'ENOENT',
        cause: 'no-such-node',
        source: 'vfio/group.c:vfio_device_remove_group',
      },
      {
        name: 'rawio-allowed-for-noiommu-group',
        asks: 'host',
        holds: () => true,
        unseen: true,
        errno: 'EPERM',
        cause: 'needs-cap-sys-rawio',
        source: OPEN,
      },
      {
        name: 'no-cdev-bound-in-group',
        asks: 'group',
        guard: 'noCdevBound',
        since: 'linux-6.12',
        errno: 'EBUSY',
        cause: 'cdev-bound-in-group',
        source: OPEN,
        blocker: boundCdev,
      },
      ...groupFileClosed('group-already-open', OPEN),
    ],
  },
  open_path: {
    ...shown,
    concerns: (base, host, given) => {
      const { pid, path } = base.call;
      const [, fd] = /^\/proc\/self\/fd\/(\d+)$/.exec(path) ?? [];
      return fd === undefined ? base : reopened(base, host.behind(pid, Number(fd)), given);
    },
    checks: [
      {
        name: 'no-directory',
        asks: 'call',
        holds: ({ call, host }) =>
          !(directories.has(call.path) || (call.path === '/dev/vfio/devices' && host.iommufd)),
        errno: 'EISDIR',
        cause: 'wrong-file-kind',
        source: 'fs/namei.c:do_open',
      },
      {
        name: 'controlling-terminal',
        asks: 'call',
        holds: ({ call }) => call.path !== '/dev/tty',
        errno: 'ENXIO',
        cause: 'not-ownership',
        source: 'drivers/tty/tty_io.c:tty_open',
      },
      {
        name: 'file-reopenable',
        asks: 'descriptor',
        holds: ({ call, file }) =>
          !call.path.startsWith('/proc/') || !(file?.kind === 'device' && file.state === 'granted'),
        errno: 'ENXIO',
        cause: 'wrong-file-kind',
        source: 'fs/inode.c:no_open',
      },
      {
        ...sinceDmaOwner,
        name: 'reopened-group-alive',
        asks: 'groupFile',
        in: ['dead'],
        errno: 'ENODEV',
        cause: 'group-dead',
        source: OPEN,
      },
      // The open file has a descriptor, the one in the path: `groupFileNotPinned` always holds.
      fileClosed('group-already-open', OPEN),
      node(
        'path-known',
        ({ call, file }) =>
          nodes.test(call.path) && (file !== undefined || !call.path.startsWith('/proc/')),
        'fs/namei.c:path_openat',
      ),
    ],
  },
};
