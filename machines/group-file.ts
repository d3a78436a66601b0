/**
 * The machine of a group's file: which container it was given, and whether its group is gone.
 *
 * Half of the kernel's `struct vfio_group` (vfio/vfio.h): `container`, `iommufd`,
 * `container_users`. One incarnation has one file, so its state goes with the file; once the last
 * VFIO device has left the group, the file is dead and a new incarnation may be opened beside it.
 *
 * @module
 */
import { assign, setup } from 'xstate';
import type { FileId } from '../processes/process-table.ts';
import { guardedStates, type Admission, type Targets } from './admission.ts';

export type GroupFileState = 'unset' | 'container' | 'iommufd' | 'dead';

export interface GroupFileRecord {
  /** The container's file, or the iommufd that serves as one. */
  readonly container: FileId | null;
  /** Open devices that hold the container (`container_users` less one). */
  readonly users: number;
}

export type GroupFileEvent =
  | { readonly type: 'container.set'; readonly container: FileId; readonly native: boolean }
  | { readonly type: 'container.unset' }
  /** `pins` when it is the first open of a device in a container, which then holds this file. */
  | { readonly type: 'device.obtained'; readonly pins: boolean }
  | { readonly type: 'device.released' }
  | { readonly type: 'group.died'; readonly native: boolean };

const fresh: GroupFileRecord = { container: null, users: 0 };

interface Asked {
  readonly context: GroupFileRecord;
  readonly event: GroupFileEvent;
}

const groupFileGuards = {
  native: ({ event }: Asked) => event.type === 'container.set' && event.native,
  /** A dead file still keeps the iommufd that it was given. */
  containerSet: ({ context }: Asked) => context.container !== null,
  noContainer: ({ context }: Asked) => context.container === null,
  noUsers: ({ context }: Asked) => context.users === 0,
};

type Guard = keyof typeof groupFileGuards;

const targets: Targets<GroupFileState, GroupFileEvent['type'], Guard> = {
  unset: {
    'container.set': [['container', 'native'], 'iommufd'],
    'group.died': 'dead',
  },
  container: {
    'container.unset': 'unset',
    'device.obtained': 'container',
    'device.released': 'container',
    'group.died': 'dead',
  },
  iommufd: {
    'container.unset': 'unset',
    'device.obtained': 'iommufd',
    'group.died': 'dead',
  },
  dead: {
    'container.unset': 'dead',
  },
};

/** What the file remembers after an event that it admitted. */
export function recordGroupFile(file: GroupFileRecord, event: GroupFileEvent): GroupFileRecord {
  switch (event.type) {
    case 'container.set':
      return { ...file, container: event.container };
    case 'container.unset':
      return fresh;
    case 'device.obtained':
      return event.pins ? { ...file, users: file.users + 1 } : file;
    case 'device.released':
      return { ...file, users: file.users - 1 };
    case 'group.died':
      return event.native ? fresh : file;
  }
}

export function groupFileMachine(admission: Admission) {
  return setup({
    types: {} as { context: GroupFileRecord; events: GroupFileEvent },
    guards: groupFileGuards,
    actions: { record: assign(({ context, event }) => recordGroupFile(context, event)) },
  }).createMachine({
    id: 'groupFile',
    initial: 'unset',
    context: fresh,
    states: guardedStates(targets, admission),
  });
}
