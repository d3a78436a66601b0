/**
 * What a log knows of a host, for whoever reads more evidence of it.
 *
 * @module
 */
import type { Seed } from './evidence/witness/seed.ts';
import type { Seen } from './evidence/witness/traced.ts';
import type { OpenFile } from './machines/host.ts';
import type { Kernel } from './machines/kernel.ts';

/** How a host stands after a position. */
export function seedOf(kernel: Kernel, after: number): Seed {
  const seen = new Map<string, Seen>();
  const seenOf = (id: string): Seen | null => {
    const file = kernel.file(id);
    if (file === undefined || file.kind === 'other') return null;
    const known = seen.get(id) ?? seenAs(file);
    seen.set(id, known);
    return known;
  };
  const groups = [...kernel.groups()].filter(({ record }) => record.members > 0);
  return {
    after,
    devices: [...kernel.devices()].map(({ device, name, group, driver, model, cdev }) => {
      return { device, name, group: group?.group ?? null, driver, model, cdev };
    }),
    groups: groups.map(({ group }) => group),
    processes: [...kernel.processes.processes()].map(({ pid, comm, descriptors }) => ({
      pid,
      comm,
      descriptors: [...descriptors].flatMap(([fd, { file, cloexec }]) => {
        const known = seenOf(file);
        return known === null ? [] : [[fd, known, cloexec] as const];
      }),
    })),
  };
}

function seenAs(file: Exclude<OpenFile, { kind: 'other' }>): Seen {
  const nothing = { group: null, device: null, pointer: null, isReleased: false };
  switch (file.kind) {
    case 'group': {
      const { group } = file.group;
      return { ...nothing, kind: 'group', group, path: `/dev/vfio/${group}` };
    }
    case 'device': {
      const { device, group, cdev } = file.device;
      const path = file.state === 'granted' || cdev === null ? null : `/dev/vfio/devices/${cdev}`;
      return { ...nothing, kind: 'device', device, group: group?.group ?? null, path };
    }
    case 'container':
      return { ...nothing, kind: 'container', path: '/dev/vfio/vfio', isJoined: true };
    case 'iommufd':
      return { ...nothing, kind: 'iommufd', path: '/dev/iommu' };
  }
}
