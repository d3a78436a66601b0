/**
 * The machine of a group's file: its container, and whether its group is gone.
 *
 * It models half of the kernel's `struct vfio_group` (vfio/vfio.h): `container`, `iommufd`,
 * `container_users`. Each incarnation of a group has one file, so this state belongs to the file.
 * When the last VFIO device leaves the group, the file is dead; a new incarnation can then be
 * opened beside it.
 *
 * @module
 */
import type { FileId } from '../processes/process-table.ts';
import type { Targets } from './admission.ts';
import { flatMachine, type GuardArgs, type Draft } from './flat-machine.ts';

/** `unset` without a container, `container` or `iommufd` with one, `dead` without its group. */
export type GroupFileState = 'unset' | 'container' | 'iommufd' | 'dead';

export interface GroupFileRecord {
  /** The container's file, or the iommufd that serves as a container. */
  readonly container: FileId | null;
  /** Open devices that hold the container (`container_users` less one). */
  readonly users: number;
}

export type GroupFileEvent =
  | { readonly type: 'container.set'; readonly container: FileId; readonly native: boolean }
  | { readonly type: 'container.unset' }
  /** `pins`: the first open of a device in a container, which then keeps this file alive. */
  | { readonly type: 'device.obtained'; readonly pins: boolean }
  | { readonly type: 'device.released' }
  | { readonly type: 'group.died'; readonly native: boolean };

const fresh: GroupFileRecord = { container: null, users: 0 };

type Args = GuardArgs<GroupFileRecord, GroupFileEvent>;

const guards = {
  native: ({ event }: Args) => event.type === 'container.set' && event.native,
  /** A dead file still keeps the iommufd that it was given. */
  containerSet: ({ context }: Args) => context.container !== null,
  noContainer: ({ context }: Args) => context.container === null,
  noUsers: ({ context }: Args) => context.users === 0,
};

type Guard = keyof typeof guards;

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

function remember(file: Draft<GroupFileRecord>, event: GroupFileEvent): void {
  switch (event.type) {
    case 'container.set':
      file.container = event.container;
      return;
    case 'container.unset':
      Object.assign(file, fresh);
      return;
    case 'device.obtained':
      if (event.pins) file.users++;
      return;
    case 'device.released':
      file.users--;
      return;
    case 'group.died':
      if (event.native) Object.assign(file, fresh);
      return;
    default:
      event satisfies never;
  }
}

export const groupFileMachine = flatMachine({
  id: 'groupFile',
  fresh,
  guards,
  targets,
  remember,
  copy: (record) => ({ ...record }),
});
