/**
 * The machine of a native container: a set of groups behind one IOMMU driver.
 *
 * It models the kernel's `struct vfio_container` (vfio/container.c). A container outlives its file
 * while a group is in it, and loses its IOMMU driver with its last group.
 *
 * @module
 */
import type { Targets } from './admission.ts';
import { flatMachine, type GuardArgs, type Draft } from './flat-machine.ts';

/** `empty` without a group, `joined` with a group, `ready` with an IOMMU driver as well. */
export type ContainerState = 'empty' | 'joined' | 'ready';

export interface ContainerRecord {
  readonly groups: number;
}

export type ContainerEvent = { readonly type: 'container.set' | 'container.left' | 'iommu.set' };

const guards = {
  lastGroup: ({ context }: GuardArgs<ContainerRecord, ContainerEvent>) => context.groups === 1,
};

const targets: Targets<ContainerState, ContainerEvent['type'], keyof typeof guards> = {
  empty: { 'container.set': 'joined', 'iommu.set': 'empty' },
  joined: {
    'container.set': 'joined',
    'container.left': [['empty', 'lastGroup'], 'joined'],
    'iommu.set': 'ready',
  },
  ready: {
    'container.set': 'ready',
    'container.left': [['empty', 'lastGroup'], 'ready'],
    'iommu.set': 'ready',
  },
};

function remember(container: Draft<ContainerRecord>, event: ContainerEvent): void {
  switch (event.type) {
    case 'container.set':
      container.groups++;
      return;
    case 'container.left':
      container.groups--;
      return;
    case 'iommu.set':
      return;
    default:
      event.type satisfies never;
  }
}

export const containerMachine = flatMachine({
  id: 'container',
  fresh: { groups: 0 },
  guards,
  targets,
  remember,
  copy: (record) => ({ ...record }),
});
