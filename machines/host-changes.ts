/**
 * Events that change the host itself: boots, devices, drivers, gaps in the evidence.
 *
 * Events of calls are taken by the machines (`kernel.ts`). Every other type has a row here, so that
 * the compiler asks for the row of a new one.
 *
 * @module
 */
import type { CallEvent, DataOf, EventType, Fact } from '../events/vocabulary.ts';
import { isCollectedBy } from '../operations/table.ts';
import { addDevice, bindDriver, removeDevice, unbindDriver } from './consequences.ts';
import { lose, regain, suspect } from './incomplete-evidence.ts';
import type { Device, DriverChange } from './instances.ts';
import type { Kernel } from './kernel.ts';
import { isHeldByContainer } from './unbinding.ts';

type Handler<T extends EventType> = (host: Kernel, data: DataOf<T>) => void;

/** Taken by the process table (`processes/effects.ts`). */
const BY_PROCESSES = null;
/** Concerns the evidence, the log or a manager's records; the host does not change. */
const BY_NOBODY = null;

const changes: { readonly [T in Exclude<EventType, CallEvent>]: Handler<T> | null } = {
  'host.booted': (host, { boot, kernel, profile, iommufd }) =>
    host.reset(boot, kernel, profile, iommufd),
  'host.died': (host) => {
    host.isDead = true;
  },
  'device.added': addDevice,
  'device.removed': ofDevice('device.removed', removeDevice),
  'driver.bound': ofDevice('driver.bound', (host, device, { driver, cdev }) =>
    bindDriver(host, device, driver, cdev),
  ),
  'driver.unbound': ofDevice('driver.unbound', (host, device) => {
    // The unbind that waited is over, although no file was seen that it waited for.
    if (host.driverChange?.device === device) host.driverChange = null;
    unbindDriver(host, device);
  }),
  'driver.unbind-blocked': ofDevice('driver.unbind-blocked', (host, device, { next, waiter }) => {
    const before = host.driverChange;
    host.driverChange = { device, next, waiter, outcome: null };
    if (before !== null && isToldAgain(before, host.driverChange)) return;
    // A file that was not recorded keeps the device open: only the waiting unbind is known.
    const forContainer = isHeldByContainer(host.profile, device);
    if (host.isAssumed && device.record.files === 0 && !forContainer) {
      if (device.group !== null) host.doubt(device.group);
      host.touched.devices.add(device);
      return;
    }
    host.put('device', device, { type: 'driver.unbind-blocked', forContainer });
  }),
  'driver.settled': ofDevice('driver.settled', (host, device, { driver }) => {
    if (host.driverChange?.device === device) host.driverChange = null;
    if (device.driver === driver) return;
    const drivers = { seen: driver, expected: device.driver };
    host.contradict({ kind: 'other-driver', device: device.device, ...drivers }, device.group);
  }),
  'group.found': (host, data) => {
    const group = host.groupOf(data.group);
    if (group.record.members > 0) return;
    // The group has a node, so at least one of its devices has a VFIO driver.
    host.put('group', group, { type: 'driver.bound', kind: 'vfio', claims: false });
    host.doubt(group);
  },
  'gap.noticed': (host, { group }) => lose(host, group),
  'snapshot.taken': (host, { complete }) => {
    if (complete) regain(host);
  },
  'operation.refused': (host, refused) => {
    suspect(host, refused);
    if (isCollectedBy(refused)) host.driverChange = null;
  },

  'history.archived': BY_NOBODY,
  'history.removed': BY_NOBODY,
  'evidence.begun': BY_NOBODY,
  'claim.granted': BY_NOBODY,
  'claim.released': BY_NOBODY,
  'claim.refused': BY_NOBODY,

  'file.released': BY_PROCESSES,
  'process.started': BY_PROCESSES,
  'process.found': BY_PROCESSES,
  'process.forked': BY_PROCESSES,
  'process.executed': BY_PROCESSES,
  'process.exited': BY_PROCESSES,
  'descriptor.duplicated': BY_PROCESSES,
  'descriptor.passed': BY_PROCESSES,
  'descriptor.flagged': BY_PROCESSES,
  'descriptor.closed': BY_PROCESSES,
  'mapping.created': BY_PROCESSES,
  'mapping.removed': BY_PROCESSES,
};

/** Whether it is the same unbind, which waits, told with the process that does: only that is news. */
function isToldAgain(before: DriverChange, { device, next, waiter }: DriverChange): boolean {
  const isSame = before.device === device && before.next === next && before.outcome === null;
  return isSame && before.waiter.pid === null && waiter.pid !== null;
}

/** A change of a device; if the device does not exist, the event is a contradiction. */
function ofDevice<T extends EventType>(
  type: T,
  change: (host: Kernel, device: Device, data: DataOf<T>) => void,
): Handler<T> {
  return (host, data) => {
    const { device: address } = data as { readonly device: string };
    const device = host.device(address);
    if (device === undefined) {
      host.contradict({ kind: 'no-device', event: type, device: address });
    } else change(host, device, data);
  };
}

/** Applies an event to the host; events of calls and of processes do nothing here. */
export function changeHost(host: Kernel, { type, data }: Fact): void {
  const table: { readonly [T in EventType]?: unknown } = changes;
  const change = table[type] as ((host: Kernel, data: Fact['data']) => void) | null | undefined;
  change?.(host, data);
}
