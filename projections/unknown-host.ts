/**
 * The host before the first boot of a log whose older events were removed.
 *
 * @module
 */
import { LiveHost } from '../machines/live-host.ts';
import type { KnownDevices } from './index/known.ts';

/**
 * A host of which nothing is known but the devices of the log and their groups; `position` is that
 * of the first event.
 */
export function unknownHost(known: KnownDevices, position: number): LiveHost {
  const host = new LiveHost({ isKnown: false });
  const names = new Map([...known.names].map(([name, device]) => [device, name]));
  for (const device of known.devices()) {
    const [group = null] = known.groupsOf(device);
    const data = { device, name: names.get(device) ?? null, group, driver: null, model: null };
    host.take({ type: 'device.added', data: { ...data, cdev: null }, position });
  }
  host.take({ type: 'gap.noticed', data: { reason: 'absent', group: null }, position });
  return host;
}
