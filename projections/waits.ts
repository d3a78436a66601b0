/**
 * Waits: driver unbinds that were blocked until a device was released, from when to when, and by
 * which holders.
 *
 * @module
 */
import type { Placed } from '../events/vocabulary.ts';
import type { DeviceAt } from '../machines/host-at.ts';
import type { LiveHost } from '../machines/live-host.ts';
import type { Wait } from './shapes.ts';
import type { Subject } from './subjects.ts';
import { timed, type Untimed } from './timed.ts';
import type { Timeline } from './timeline.ts';
import { filesOfDevice } from './device-state.ts';
import { byProcess } from './views.ts';
import { walk } from './walk.ts';

/**
 * The waits for a device, for the devices of a group, or with null for any device, by their first
 * position. A wait lasts from `driver.unbind-blocked` to the last release of the device, or to an
 * event that shows its end.
 */
export function waitsFor(timeline: Timeline, subject: Subject | null): Wait[] {
  const waits = new Map<number, Untimed<Wait>>();
  const current = new Map<string, Untimed<Wait>>();
  /** The device whose driver change was pending before the event. */
  let changing: string | null = null;
  for (const { event, host } of walk(timeline)) {
    for (const [device, wait] of current) {
      if (lasts(device, changing, event, host)) continue;
      waits.set(wait.from, { ...wait, to: event.position, endedBy: event.type });
      current.delete(device);
    }
    changing = host.driverChange?.device ?? null;
    if (event.type !== 'driver.unbind-blocked') continue;
    const device = host.device(event.data.device);
    if (device === undefined || !isOf(subject, device)) continue;
    const wait = begun(device, event, host);
    current.set(device.device, wait);
    waits.set(wait.from, wait);
  }
  return [...waits.values()].map((wait) => timed(timeline, wait));
}

function isOf(subject: Subject | null, { device, group }: DeviceAt): boolean {
  if (subject === null) return true;
  return subject.id === (subject.kind === 'group' ? group : device);
}

type Blocked = Extract<Placed, { type: 'driver.unbind-blocked' }>;

function begun(device: DeviceAt, { position, data }: Blocked, host: LiveHost): Untimed<Wait> {
  const { pid, comm } = data.waiter;
  const files = filesOfDevice(host, device);
  return {
    subject: device.device,
    from: position,
    to: null,
    waiter: { pid, comm, cgroup: null, via: 'queue', fd: null, file: null },
    for: files.flatMap((file) => host.holders(file.id)).toSorted(byProcess),
    endedBy: null,
  };
}

/** Whether the unbind of a device still waits after an event. */
function lasts(id: string, changing: string | null, event: Placed, host: LiveHost): boolean {
  const device = host.device(id);
  const change = host.driverChange;
  // A boot ends the wait, and so does another card in the same slot.
  if (device === undefined || (change?.device === id && change.isOfGone)) return false;
  const { type, data } = event;
  if (type === 'driver.settled' && data.device === id) return false;
  if (type === 'driver.unbind-blocked' && data.device === id) return false;
  if (change?.device === id) return !change.isOver;
  // The change is over and forgotten. If another one replaced it, the state of the device decides.
  if (change === null && changing === id) return false;
  return device.state === 'leaving';
}
