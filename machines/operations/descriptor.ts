/**
 * The checks that begin every operation on a descriptor (it is open, and of the right kind), and
 * the rules of operations on any file: dup, close, send, read, mmap and bare ioctls.
 *
 * @module
 */
import type { Call, CallOf } from '../../events/vocabulary.ts';
import { requestOf, structuredRequest } from '../../operations/table.ts';
import { hasRegionInfo, isMappable, isReadable } from '../device-model.ts';
import type { Check, MachineCheck, OperationTable, PlainCheck, Question } from '../check.ts';
import { ofItsFile } from '../concerns.ts';
import type { OpenFile } from '../instances.ts';
import { isSince } from '../profile.ts';
import { containerMappable } from './before-dma-owner.ts';
import { shown } from './shown.ts';

type Kind = OpenFile['kind'];

const open: PlainCheck = {
  name: 'descriptor-open',
  asks: 'descriptor',
  holds: ({ file }) => file !== undefined,
  errno: 'EBADF',
  cause: 'bad-descriptor',
  source: 'fs/ioctl.c:ioctl',
};

/** An unbound cdev file takes no request but BIND. */
export const bound: Check = {
  since: 'linux-6.12',
  name: 'file-bound',
  asks: 'deviceFile',
  in: ['unbound'],
  errno: 'EINVAL',
  cause: 'not-bound-yet',
  source: 'vfio/vfio_main.c:vfio_device_fops_unl_ioctl',
};

/** An iommufd takes the requests of a container once it has an IOAS for them. */
export const compatIoasThere = (source: string): MachineCheck => ({
  since: 'linux-6.12',
  name: 'compat-ioas-there',
  asks: 'iommufd',
  in: ['plain'],
  errno: 'ENODEV',
  cause: 'no-compat-ioas',
  source,
});

/** A container passes unknown requests to its IOMMU driver; before SET_IOMMU it has none. */
const containerHasDriver: PlainCheck = {
  name: 'container-hands-on',
  asks: 'descriptor',
  holds: ({ file }) => !isIdleContainer(file),
  errno: 'EINVAL',
  cause: 'wrong-file-kind',
  source: 'vfio/container.c:vfio_fops_unl_ioctl',
};

const rightKind = (kinds: readonly Kind[]): PlainCheck => ({
  name: 'right-kind-of-file',
  asks: 'descriptor',
  holds: ({ file }) => file !== undefined && kinds.includes(file.kind),
  errno: 'ENOTTY',
  cause: 'wrong-file-kind',
  source: 'fs/ioctl.c:vfs_ioctl',
});

function isIdleContainer(file: OpenFile | undefined): boolean {
  return file?.kind === 'container' && file.state !== 'ready';
}

/** The descriptor is open and of one of these kinds, followed by the operation's own checks. */
export function onFile<C extends Call>(
  kinds: readonly Kind[],
  checks: readonly Check<C>[] = [],
): readonly Check<C>[] {
  const idle = kinds.includes('container') ? [] : [containerHasDriver];
  return [open, bound, ...idle, rightKind(kinds), ...checks];
}

/** Limits checks to kernels with iommufd and cdevs. */
export function sinceCdevs<C extends Call>(checks: readonly Check<C>[]): readonly Check<C>[] {
  return checks.map((check) => {
    const { since } = check;
    const isLater = since !== undefined && isSince(since, 'linux-6.12');
    return { ...check, since: isLater ? since : 'linux-6.12' };
  });
}

const argumentReadable = (
  holds: PlainCheck<CallOf<'ioctl'>>['holds'],
): PlainCheck<CallOf<'ioctl'>> => ({
  name: 'argument-readable',
  asks: 'call',
  holds,
  errno: 'EFAULT',
  cause: 'malformed-argument',
  source: 'fs/ioctl.c:vfs_ioctl',
});

const isBind = ({ call, file }: Question<CallOf<'ioctl'>>): boolean =>
  call.request === requestOf('bind') && file?.kind === 'device';

/** The rules of a call that concerns only its file. */
const plain = { ...shown, concerns: ofItsFile } as const;

const badDescriptor = <C extends Call>(
  source: string,
  holds: PlainCheck<C>['holds'] = open.holds,
): PlainCheck<C> => ({ ...open, source, holds });

const RLIMIT_NOFILE = 1024;

const kindIs =
  (...kinds: Kind[]) =>
  ({ file }: Question): boolean =>
    file !== undefined && kinds.includes(file.kind);

/** Whether the kind of file knows the request and reads a structure for it. */
function wantsArgument({ file, call, host }: Question<CallOf<'ioctl'>>): boolean {
  if (file === undefined || file.kind === 'other') return false;
  const { request } = call;
  const known = structuredRequest(file.kind, request);
  if (known === null || (known.isRecent && !isSince(host.profile, 'linux-7.3'))) return false;
  // A container without an IOMMU driver refuses before it reads the structure; an unbound device
  // refuses an attach or a detach likewise.
  if (file.kind === 'container') return file.state === 'ready';
  if (request === requestOf('bind')) return isSince(host.profile, 'linux-6.12');
  const isAttach = request === requestOf('attach') || request === requestOf('detach');
  return file.kind !== 'device' || !isAttach || file.state === 'bound';
}

export const descriptorOperations: OperationTable<
  'dup' | 'dup2' | 'close' | 'send' | 'read' | 'mmap' | 'munmap' | 'ioctl' | 'region_info'
> = {
  dup: {
    ...plain,
    checks: [badDescriptor('fs/file.c:dup')],
  },
  dup2: {
    ...plain,
    checks: [
      badDescriptor('fs/file.c:ksys_dup3'),
      badDescriptor('fs/file.c:ksys_dup3', ({ call }) => call.to >= 0 && call.to < RLIMIT_NOFILE),
    ],
  },
  close: { ...plain, checks: [badDescriptor('fs/open.c:close')] },
  send: { ...plain, checks: [badDescriptor('net/core/scm.c:scm_fp_copy')] },
  read: {
    ...plain,
    checks: [
      badDescriptor('fs/read_write.c:ksys_pread64'),
      {
        name: 'seekable',
        asks: 'descriptor',
        holds: ({ file }) => !(file?.kind === 'other' && /tty|terminal|console/.test(file.path)),
        errno: 'ESPIPE',
        cause: 'wrong-file-kind',
        source: 'fs/read_write.c:ksys_pread64',
      },
      { ...bound, source: 'vfio/vfio_main.c:vfio_device_fops_read' },
      {
        name: 'readable-kind-of-file',
        asks: 'descriptor',
        holds: kindIs('device', 'other'),
        errno: 'EINVAL',
        cause: 'wrong-file-kind',
        source: 'fs/read_write.c:vfs_read',
      },
      {
        name: 'region-present',
        asks: 'call',
        holds: ({ file, call }) => file?.kind !== 'device' || isReadable(file.device, call.region),
        errno: 'EINVAL',
        cause: 'not-ownership',
        source: 'vfio/pci/vfio_pci_core.c:vfio_pci_rw',
      },
    ],
  },
  mmap: {
    ...plain,
    checks: [
      badDescriptor('mm/mmap.c:ksys_mmap_pgoff'),
      {
        name: 'mappable-kind-of-file',
        asks: 'descriptor',
        since: 'linux-7.3',
        holds: ({ file }) => file?.kind !== 'iommufd',
        errno: 'ENXIO',
        cause: 'wrong-file-kind',
        source: 'iommu/iommufd/main.c:iommufd_fops_mmap',
      },
      containerMappable,
      {
        name: 'mappable-kind-of-file',
        asks: 'descriptor',
        holds: ({ file }) =>
          file?.kind === 'device' || (file?.kind === 'other' && file.path === '/dev/zero'),
        errno: 'ENODEV',
        cause: 'wrong-file-kind',
        source: 'mm/mmap.c:do_mmap',
      },
      { ...bound, source: 'vfio/vfio_main.c:vfio_device_fops_mmap' },
      {
        name: 'region-mappable',
        asks: 'call',
        holds: ({ file, call }) => file?.kind !== 'device' || isMappable(file.device, call.region),
        errno: 'EINVAL',
        cause: 'not-ownership',
        source: 'vfio/pci/vfio_pci_core.c:vfio_pci_core_mmap',
      },
    ],
  },
  munmap: {
    ...plain,
    checks: [
      {
        name: 'address-aligned',
        asks: 'call',
        holds: ({ call }) => call.mapping >= 0 && call.mapping % 4096 === 0,
        errno: 'EINVAL',
        cause: 'malformed-argument',
        source: 'mm/mmap.c:do_vmi_munmap',
      },
    ],
  },
  ioctl: {
    ...plain,
    checks: [
      open,
      argumentReadable((question) => !isBind(question) || !wantsArgument(question)),
      bound,
      argumentReadable((question) => !wantsArgument(question)),
      containerHasDriver,
      rightKind([]),
    ],
  },
  region_info: {
    ...plain,
    checks: onFile(
      ['device'],
      [
        {
          name: 'region-known',
          asks: 'call',
          holds: ({ call }) => hasRegionInfo(call.region),
          errno: 'EINVAL',
          cause: 'not-ownership',
          source: 'vfio/pci/vfio_pci_core.c:vfio_pci_ioctl_get_region_info',
        },
      ],
    ),
  },
};
