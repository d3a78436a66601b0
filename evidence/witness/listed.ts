/**
 * Devices in listings: a listing shows the group or the driver that a device has then, not how it got it.
 *
 * @module
 */
import type { ListedDevice } from '../sighting.ts';
import type { Devices } from './devices.ts';
import type { Tell } from './inferences.ts';

/** Tells of the group or the driver that a listing shows, if it is not known. */
export function tellListed(listed: ListedDevice, devices: Devices, tell: Tell): void {
  const { device } = listed;
  if (listed.did === 'list-group') tellGroup(device, listed.group, devices, tell);
  else tellDriver(device, listed.driver, devices, tell);
}

function tellGroup(device: string, group: string, devices: Devices, tell: Tell): void {
  const known = devices.get(device);
  if (known?.group === group) return;
  if (known !== undefined && known.group !== null) devices.unplug(device);
  // Who has a group that was not known is unknown, until the driver of a device in it claims it.
  if (known !== undefined && !isVfio(known.driver)) devices.setDriver(device, null);
  devices.mention(device, group, 'shown-by-a-listing');
  tellDriver(device, known?.driver ?? null, devices, tell);
}

function tellDriver(device: string, driver: string | null, devices: Devices, tell: Tell): void {
  devices.mention(device, null, 'shown-by-a-listing');
  const before = devices.get(device)?.driver ?? null;
  if (before === driver) return;
  if (before !== null) {
    tell({ type: 'driver.unbound', data: { device, driver: before } }, 'shown-by-a-listing');
  }
  devices.setDriver(device, driver);
  if (driver === null) return;
  tell({ type: 'driver.bound', data: { device, driver, cdev: null } }, 'shown-by-a-listing');
}

function isVfio(driver: string | null): boolean {
  return driver !== null && /vfio/.test(driver);
}
