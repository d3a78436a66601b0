/**
 * What is plugged into the host: 48 devices in 32 IOMMU groups.
 *
 * Groups of several devices are functions of one card, behind a bridge of their own. The last
 * groups stay with the kernel's drivers, as a host's own disks and network cards do.
 *
 * @module
 */
import type { DataOf } from '../../events/vocabulary.ts';

interface Hardware {
  readonly device: string;
  readonly name: string;
  readonly group: string;
  readonly model: string;
  /** The kernel's own driver for it. */
  readonly native: string;
  /** Whether it is meant for guests, and so boots with vfio-pci. */
  readonly forGuests: boolean;
}

/** Of each group its devices: most have one, some two, some three. */
const SIZES = Array.from({ length: 32 }, (_, group) =>
  group % 8 === 7 ? 3 : group % 4 === 1 ? 2 : 1,
);
const HOSTS_OWN = 4;

const KINDS = [
  { model: 'nvme', native: 'nvme' },
  { model: 'e1000e', native: 'e1000e' },
  { model: 'gpu', native: 'nouveau' },
  { model: 'mlx5', native: 'mlx5_core' },
] as const;

const hardware: readonly Hardware[] = SIZES.flatMap((size, index) => {
  const kind = KINDS[index % KINDS.length] ?? KINDS[0];
  const bus = (index + 1).toString(16).padStart(2, '0');
  return Array.from({ length: size }, (_, part) => ({
    device: `0000:${bus}:00.${part}`,
    name: `${kind.model}${index}${size > 1 ? `.${part}` : ''}`,
    group: String(index + 1),
    ...kind,
    forGuests: index < SIZES.length - HOSTS_OWN,
  }));
});

/** What is meant for guests. */
export const passedThrough = hardware.filter(({ forGuests }) => forGuests);

/** How each device is found at boot. */
export function pluggedIn(): DataOf<'device.added'>[] {
  let node = 0;
  return hardware.map(({ device, name, group, model, native, forGuests }) => ({
    device,
    name,
    group,
    driver: forGuests ? 'vfio-pci' : native,
    model,
    cdev: forGuests ? `vfio${node++}` : null,
  }));
}
