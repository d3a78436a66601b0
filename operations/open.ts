/**
 * Rows of the opens: the nodes of VFIO and iommufd, and other paths.
 *
 * @module
 */
import type { Call } from '../events/vocabulary.ts';
import { noIoctl, type Naming, type Passed, type Rows, type Said } from './row.ts';

const opened = (naming: Naming, { rc }: Passed) => naming.name(0, rc);

export const openRows: Rows<
  'open_cdev' | 'open_iommufd' | 'open_container' | 'open_group' | 'open_path'
> = {
  open_cdev: {
    ...noIoctl,
    scenario: {
      operands: ['A', 'device'],
      arguments: [null, 'device'],
      options: ['cloexec'],
      call: (said) => {
        const { pid, cloexec } = said;
        return { operation: 'open_cdev', pid, device: said.device(1), cloexec };
      },
      names: opened,
    },
    records: [
      {
        type: 'device.opened',
        data: ({ pid, device, cloexec = false }, { rc }) => ({ pid, fd: rc, device, cloexec }),
        call: ({ pid, fd, device, cloexec }) => ({
          call: { operation: 'open_cdev', pid, device, cloexec },
          passed: { rc: fd },
        }),
      },
    ],
  },
  open_iommufd: {
    ...noIoctl,
    scenario: {
      operands: ['I'],
      arguments: [null],
      options: ['cloexec'],
      call: ({ pid, cloexec }) => ({ operation: 'open_iommufd', pid, cloexec }),
      names: opened,
    },
    records: [
      {
        type: 'iommufd.opened',
        data: ({ pid, cloexec = false }, { rc }) => ({ pid, fd: rc, cloexec }),
        call: ({ pid, fd, cloexec }) => ({
          call: { operation: 'open_iommufd', pid, cloexec },
          passed: { rc: fd },
        }),
      },
    ],
  },
  open_container: {
    ...noIoctl,
    scenario: {
      operands: ['C'],
      arguments: [null],
      options: ['cloexec'],
      call: ({ pid, cloexec }) => ({ operation: 'open_container', pid, cloexec }),
      names: opened,
    },
    records: [
      {
        type: 'container.opened',
        data: ({ pid, cloexec = false }, { rc }) => ({ pid, fd: rc, cloexec }),
        call: ({ pid, fd, cloexec }) => ({
          call: { operation: 'open_container', pid, cloexec },
          passed: { rc: fd },
        }),
      },
    ],
  },
  open_group: {
    ...noIoctl,
    isOfGroup: true,
    scenario: {
      operands: ['G', 'group'],
      arguments: [null, 'group'],
      options: ['cloexec'],
      call: (said) => {
        const { pid, cloexec } = said;
        return { operation: 'open_group', pid, group: said.group(1), cloexec };
      },
      names: opened,
    },
    records: [
      {
        type: 'group.opened',
        data: ({ pid, group, cloexec = false }, { rc }) => ({ pid, fd: rc, group, cloexec }),
        call: ({ pid, fd, group, cloexec }) => ({
          call: { operation: 'open_group', pid, group, cloexec },
          passed: { rc: fd },
        }),
      },
    ],
  },
  open_path: {
    ...noIoctl,
    isOfGroup: true,
    scenario: {
      operands: ['A', 'path'],
      arguments: [null, 'path'],
      options: ['cloexec'],
      call: (said) => openOf(said.word(1), said),
      names: opened,
    },
    records: [
      {
        type: 'path.opened',
        data: ({ pid, path, cloexec = false }, { rc }) => ({ pid, fd: rc, path, cloexec }),
        call: ({ pid, fd, path, cloexec }) => ({
          call: { operation: 'open_path', pid, path, cloexec },
          passed: { rc: fd },
        }),
      },
    ],
  },
};

/**
 * The call that opens a path: a node of VFIO or iommufd is opened by its own operation.
 */
export function openOf(path: string, said: Pick<Said, 'pid' | 'cloexec' | 'cdev'>): Call {
  const { pid, cloexec } = said;
  const [, group, node] = /^\/dev\/vfio\/(?:(\d+)|devices\/(vfio\d+))$/.exec(path) ?? [];
  if (path === '/dev/iommu') return { operation: 'open_iommufd', pid, cloexec };
  if (path === '/dev/vfio/vfio') return { operation: 'open_container', pid, cloexec };
  if (group !== undefined) return { operation: 'open_group', pid, group, cloexec };
  if (node !== undefined) return { operation: 'open_cdev', pid, device: said.cdev(node), cloexec };
  return { operation: 'open_path', pid, path, cloexec };
}
