/**
 * A device that a process has open: how it maps, resets and lets go of it, whichever way it came.
 *
 * @module
 */
import { isMappable } from '../../machines/device-model.ts';
import type { Device } from '../../machines/instances.ts';
import { passedThrough } from './hardware.ts';
import type { JudgedHost, Work } from './judged-host.ts';

export interface Passthrough {
  readonly device: Device;
  readonly pid: number;
  readonly fd: number;
  /** Its id in the iommufd; 0 where it came through a group. */
  readonly id: number;
  /** Addresses of its BARs. */
  mapped: number[];
}

const REGIONS = [0, 1, 2, 3];

/** A group for guests, and a free one more often than not: who chooses does not always look. */
export function someGroup(host: JudgedHost): string {
  let group = '';
  for (let tries = 0; tries < 6; tries++) {
    group = host.random.pick(passedThrough).group;
    if (host.isFree(group)) break;
  }
  return group;
}

/** A group that somebody uses; any, where none is used. */
export function usedGroup(host: JudgedHost): string {
  const groups = [...host.kernel.groups()];
  const used = groups.filter(({ group }) => !host.isFree(group));
  return host.random.pick(used.length > 0 ? used : groups).group;
}

export function* mapBars(host: JudgedHost, of: Passthrough): Work {
  const { pid, fd, device } = of;
  for (const region of REGIONS) {
    if (!isMappable(device, region)) continue;
    of.mapped.push(host.surely({ operation: 'mmap', pid, fd, region }));
    yield;
  }
}

export function* unmapBars(host: JudgedHost, of: Passthrough): Work {
  for (const mapping of of.mapped.splice(0)) {
    host.surely({ operation: 'munmap', pid: of.pid, mapping });
    yield;
  }
}

/** The guest reboots: each device is reset, its BARs are mapped anew. */
export function* rebootGuest(host: JudgedHost, devices: readonly Passthrough[]): Work {
  for (const device of devices) {
    yield* unmapBars(host, device);
    host.callIfAdmitted({ operation: 'reset', pid: device.pid, fd: device.fd });
    yield* mapBars(host, device);
  }
}

/** A child that executes a helper, which is soon done; one that forgets to keeps all files open. */
export function* runHelper(host: JudgedHost, pid: number): Work {
  const { random } = host;
  const child = host.fork(pid, random.pick(['bridge-helper', 'vhost-helper', 'swtpm']));
  yield;
  host.surely({ operation: 'exec', pid: child });
  for (let wait = random.below(4); wait >= 0; wait--) yield;
  host.surely({ operation: 'exit', pid: child });
}

/** Another descriptor of a file, for as long as something is asked through it. */
export function* duplicate(host: JudgedHost, pid: number, fd: number): Work {
  const copy = host.surely({ operation: 'dup', pid, fd });
  yield;
  host.surely({ operation: 'close', pid, fd: copy });
}

export function* endProcess(host: JudgedHost, pid: number): Work {
  yield;
  host.surely({ operation: host.random.chance(0.2) ? 'kill' : 'exit', pid });
}
