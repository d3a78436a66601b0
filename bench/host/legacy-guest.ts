/**
 * A user of groups and containers: an older QEMU, or DPDK; the container may be an iommufd.
 *
 * @module
 */
import type { Call } from '../../events/vocabulary.ts';
import type { JudgedHost, Work } from './judged-host.ts';
import {
  duplicate,
  endProcess,
  mapBars,
  type Passthrough,
  rebootGuest,
  runHelper,
  someGroup,
  unmapBars,
} from './passthrough.ts';

/** VFIO_TYPE1v2_IOMMU */
const TYPE1V2 = 3;

interface Legacy {
  readonly pid: number;
  readonly container: number;
  readonly groupFile: number;
  readonly group: string;
  readonly devices: readonly Passthrough[];
}

export function* runLegacyGuest(host: JudgedHost, number: number): Work {
  const { random } = host;
  const pid = random.chance(0.3)
    ? host.start('dpdk-testpmd', `user.slice/user-1000.slice/session-${number}.scope`)
    : host.start('qemu-system-x86', `machine-qemu\\x2d${number}\\x2dold${number}.scope`);
  yield;
  const legacy = yield* open(host, pid);
  if (legacy === null) return yield* endProcess(host, pid);
  const { group, groupFile, devices } = legacy;
  for (let deeds = random.between(1, 10); deeds > 0; deeds--) {
    const deed = random.below(10);
    if (deed < 5) yield* rebootGuest(host, devices);
    else if (deed < 7) yield* runHelper(host, pid);
    else if (deed < 9) yield* duplicate(host, pid, groupFile);
    else host.call(blunder(host, legacy, group));
    yield;
  }
  if (random.chance(0.3)) yield* letGo(host, legacy);
  yield* endProcess(host, pid);
}

/** From the container to the devices; null where one of the calls on the way is refused. */
function* open(host: JudgedHost, pid: number): Generator<undefined, Legacy | null, undefined> {
  const { random } = host;
  const group = someGroup(host);
  const operation = random.chance(0.2) ? 'open_iommufd' : 'open_container';
  const container = host.call({ operation, pid, cloexec: true });
  yield;
  const groupFile = host.call({ operation: 'open_group', pid, group, cloexec: true });
  yield;
  if (container === null || groupFile === null) return null;
  if (random.chance(0.05)) {
    const [first] = host.vfioDevices(group);
    // Too early: the group has no container yet.
    if (first) host.call({ operation: 'get_device', pid, fd: groupFile, device: first.device });
    yield;
  }
  if (host.call({ operation: 'set_container', pid, fd: groupFile, container }) === null)
    return null;
  yield;
  if (host.call({ operation: 'set_iommu', pid, fd: container, iommu: TYPE1V2 }) === null)
    return null;
  yield;
  const devices: Passthrough[] = [];
  for (const device of host.vfioDevices(group)) {
    const fd = host.call({ operation: 'get_device', pid, fd: groupFile, device: device.device });
    yield;
    if (fd === null) continue;
    const got: Passthrough = { device, pid, fd, id: 0, mapped: [] };
    devices.push(got);
    yield* mapBars(host, got);
  }
  return { pid, container, groupFile, group, devices };
}

function blunder(host: JudgedHost, legacy: Legacy, group: string): Call {
  const { pid, groupFile: fd, container } = legacy;
  return host.random.pick<Call>([
    { operation: 'open_group', pid, group, cloexec: true },
    { operation: 'set_container', pid, fd, container },
    { operation: 'set_iommu', pid, fd: container, iommu: TYPE1V2 },
    { operation: 'unset_container', pid, fd },
    { operation: 'get_device', pid, fd, device: '0000:ff:00.0' },
  ]);
}

function* letGo(host: JudgedHost, { pid, container, groupFile, devices }: Legacy): Work {
  for (const device of devices) {
    yield* unmapBars(host, device);
    host.surely({ operation: 'close', pid, fd: device.fd });
    yield;
  }
  host.call({ operation: 'unset_container', pid, fd: groupFile });
  yield;
  host.surely({ operation: 'close', pid, fd: groupFile });
  yield;
  host.surely({ operation: 'close', pid, fd: container });
}
