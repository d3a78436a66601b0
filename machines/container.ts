/**
 * The machine of a native container: a set of groups behind one IOMMU driver.
 *
 * The kernel's `struct vfio_container` (vfio/container.c). It outlives its file for as long as a
 * group is in it, and forgets its IOMMU driver with its last group.
 *
 * @module
 */
import { assign, setup } from 'xstate';
import { guardedStates, type Admission, type Targets } from './admission.ts';

export type ContainerState = 'empty' | 'joined' | 'ready';

export interface ContainerRecord {
  readonly groups: number;
}

export type ContainerEvent = { readonly type: 'container.set' | 'container.left' | 'iommu.set' };

interface Asked {
  readonly context: ContainerRecord;
  readonly event: ContainerEvent;
}

const containerGuards = {
  lastGroup: ({ context }: Asked) => context.groups === 1,
};

const targets: Targets<ContainerState, ContainerEvent['type'], keyof typeof containerGuards> = {
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

/** What the container remembers after an event that it admitted. */
export function recordContainer(
  container: ContainerRecord,
  event: ContainerEvent,
): ContainerRecord {
  switch (event.type) {
    case 'container.set':
      return { groups: container.groups + 1 };
    case 'container.left':
      return { groups: container.groups - 1 };
    case 'iommu.set':
      return container;
  }
}

export function containerMachine(admission: Admission) {
  return setup({
    types: {} as { context: ContainerRecord; events: ContainerEvent },
    guards: containerGuards,
    actions: { record: assign(({ context, event }) => recordContainer(context, event)) },
  }).createMachine({
    id: 'container',
    initial: 'empty',
    context: { groups: 0 },
    states: guardedStates(targets, admission),
  });
}
