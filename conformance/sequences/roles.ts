/**
 * Which devices of a host play which part in a generated sequence.
 *
 * @module
 */
import { kindOfDriver } from '../../operations/driver.ts';
import type { Topology } from '../../scenario/topology.ts';

type TopologyDevice = Topology['devices'][number];

/** Devices of one group, by name. */
export interface Roles {
  /** On a VFIO driver. */
  readonly device: string;
  /** Another one of the group on a VFIO driver; the same where there is none. */
  readonly sibling: string;
  /** Those of the group that are on a VFIO driver besides. */
  readonly further: readonly string[];
  /** One of another group, on a VFIO driver; null where there is none. */
  readonly stranger: string | null;
  /** One of the group that is, or can be, on a kernel driver of its own; null where none is. */
  readonly other: { readonly name: string; readonly driver: string } | null;
}

const isVfio = ({ driver }: TopologyDevice): boolean =>
  driver !== null && kindOfDriver(driver) === 'vfio';

/** Groups whose devices are of the same models, drivers and buses answer alike. */
function likeness(members: readonly TopologyDevice[]): string {
  const hasBusReset = ({ bdf }: TopologyDevice) => !/:00:[^:]*$/.test(bdf);
  return JSON.stringify(members.map((one) => [one.model, one.driver, hasBusReset(one)]));
}

/** A cast for each kind of group that has a VFIO device, those with two of them first. */
export function rolesOn({ devices }: Topology): Roles[] {
  const groups = Map.groupBy(devices, ({ group }) => group);
  const kinds = Map.groupBy(groups.values(), likeness);
  const casts = [...kinds.values()].flatMap(([members = []]): Roles[] => {
    const [device, sibling = device, ...further] = members.filter(isVfio);
    if (device === undefined || sibling === undefined) return [];
    const other = members.find((member) => !isVfio(member));
    const driver = other?.driver ?? other?.model ?? null;
    return [
      {
        device: device.name,
        sibling: sibling.name,
        further: further.map(({ name }) => name),
        stranger: devices.find((one) => isVfio(one) && one.group !== device.group)?.name ?? null,
        other: other === undefined || driver === null ? null : { name: other.name, driver },
      },
    ];
  });
  const isPair = ({ device, sibling }: Roles) => +(device !== sibling);
  return casts.toSorted((a, b) => isPair(b) - isPair(a));
}
