import type { AnyEventObject } from 'xstate';
import type { MachineName } from '../../machines/admission.ts';
import { hasDmaOwner, type Profile } from '../../machines/profile.ts';

/** The alphabet without the drivers that claim nothing, where the kernel has none. */
export function alphabetOf(profile: Profile, name: MachineName): AnyEventObject[] {
  return alphabet[name].filter(
    ({ kind, claims }) => kind !== 'kernel' || claims !== false || !hasDmaOwner(profile),
  );
}

/** Every kind of event that a machine can meet, with payloads that guards tell apart. */
export const alphabet: Record<MachineName, readonly AnyEventObject[]> = {
  device: [
    { type: 'driver.bound', kind: 'vfio' },
    { type: 'driver.bound', kind: 'kernel' },
    { type: 'driver.unbound', kind: 'vfio' },
    { type: 'driver.unbind-blocked', forContainer: false },
    { type: 'driver.unbind-blocked', forContainer: true },
    { type: 'device.opened' },
    { type: 'device.obtained', iommufd: null, id: null },
    { type: 'device.obtained', iommufd: 'f1', id: 1 },
    { type: 'device.bound', file: 'f2', iommufd: 'f1', id: 1 },
    { type: 'device.attached' },
    { type: 'device.detached' },
    { type: 'device.reset' },
    { type: 'device.released', file: 'f2', granted: true },
    { type: 'device.released', file: 'f3', granted: false },
  ],
  group: [
    ...['vfio', 'harmless', 'kernel'].map((kind) => ({
      type: 'driver.bound',
      kind,
      claims: kind === 'kernel',
    })),
    { type: 'driver.bound', kind: 'kernel', claims: false },
    { type: 'driver.unbound', kind: 'vfio', claims: false, ends: true },
    { type: 'driver.unbound', kind: 'vfio', claims: false, ends: false },
    { type: 'driver.unbound', kind: 'harmless', claims: false, ends: false },
    { type: 'driver.unbound', kind: 'kernel', claims: true, ends: false },
    { type: 'driver.unbound', kind: 'kernel', claims: false, ends: false },
    { type: 'group.opened', file: 'f1' },
    { type: 'group.released' },
    { type: 'container.set', file: 'f1', native: true },
    { type: 'container.set', file: 'f1', native: false },
    { type: 'container.unset', native: true },
    { type: 'container.unset', native: false },
    { type: 'device.obtained', iommufd: null, hwpt: null },
    { type: 'device.obtained', iommufd: 'f2', hwpt: 1 },
    { type: 'device.bound', iommufd: 'f2' },
    { type: 'device.bound', iommufd: 'f3' },
    { type: 'device.attached', hwpt: 1, replaces: false },
    { type: 'device.attached', hwpt: 2, replaces: true },
    { type: 'device.detached', attached: true },
    { type: 'device.released', claim: true, cdev: true, attached: false },
    { type: 'device.released', claim: true, cdev: false, attached: true },
    { type: 'device.released', claim: false, cdev: false, attached: false },
  ],
  deviceFile: ['file.granted', 'device.bound', 'device.attached', 'device.detached'].map(
    (type) => ({
      type,
    }),
  ),
  groupFile: [
    { type: 'container.set', container: 'f2', native: true },
    { type: 'container.set', container: 'f3', native: false },
    { type: 'container.unset' },
    { type: 'device.obtained', pins: true },
    { type: 'device.obtained', pins: false },
    { type: 'device.released' },
    { type: 'group.died', native: true },
    { type: 'group.died', native: false },
  ],
  container: ['container.set', 'container.left', 'iommu.set'].map((type) => ({ type })),
  iommufd: [
    { type: 'ioas.allocated', id: 1 },
    { type: 'hwpt.allocated', id: 2, ioas: 1, isForPasids: false },
    { type: 'object.destroyed', object: 1 },
    { type: 'object.destroyed', object: 2 },
    { type: 'mapper.noted', ioas: 1, pid: 101 },
    { type: 'mapper.gone', pid: 101 },
    { type: 'compat-ioas.set', ioas: 1 },
    { type: 'compat-ioas.cleared' },
    { type: 'container.set', ioas: 1 },
    { type: 'device.bound', id: 3 },
    {
      type: 'device.obtained',
      id: 3,
      attachment: { hwpt: 4, ioas: 1, auto: true, users: 1, from: null },
    },
    {
      type: 'device.attached',
      attachment: { hwpt: 4, ioas: 1, auto: true, users: 1, from: null },
    },
    { type: 'device.detached', hwpt: 4 },
    { type: 'pasid.attached', group: '1', pasid: 1, device: 3, hwpt: 2 },
    { type: 'pasid.detached', group: '1', pasid: 1, device: 3 },
    { type: 'device.released', id: 3, hwpt: null },
  ],
};
