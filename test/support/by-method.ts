import type { GivenAnswer } from '../../conformance/agreement.ts';
import type { Call } from '../../events/vocabulary.ts';
import type { Profile } from '../../machines/profile.ts';
import type { Topology } from '../../scenario/topology.ts';
import type { AnyDescriptor } from '../../virtual-host/descriptors.ts';
import type { VirtualProcess } from '../../virtual-host/process.ts';
import { SystemError } from '../../virtual-host/system-error.ts';
import { virtualHost, type VirtualHost } from '../../virtual-host/virtual-host.ts';
import type { CallMaker } from './recorded-calls.ts';

/** Who makes a call: the process with a pid of the recording. */
export type ByPid = (pid: number) => VirtualProcess;

/** A device that the topology does not have, as the methods ask for it. */
function isUnheardOf(call: Call): call is Extract<Call, { device: string }> {
  if (!('device' in call) || typeof call.device !== 'string') return false;
  return !/^[\da-f]{4}:[\da-f]{2}:[\da-f]{2}\.[0-7]$/.test(call.device);
}

/** Makes a call by the method that stands for it. Returns what the answer says besides success. */
export function byMethod(
  host: VirtualHost,
  call: Call,
  by: ByPid,
): Partial<GivenAnswer> & { id?: number } {
  const opened = ({ fd }: AnyDescriptor) => ({ rc: fd });
  const none = (make: () => unknown) => {
    make();
    return {};
  };
  switch (call.operation) {
    case 'open_cdev':
      return opened(by(call.pid).openCdev(call.device, call));
    case 'open_iommufd':
      return opened(by(call.pid).openIommufd(call));
    case 'open_container':
      return opened(by(call.pid).openContainer(call));
    case 'open_group':
      return opened(by(call.pid).openGroup(call.group, call));
    case 'open_path':
      return opened(by(call.pid).open(call.path, call));
    case 'bind':
      return none(() => by(call.pid).device(call.fd).bind(call.iommufd, call));
    case 'attach':
      return none(() => by(call.pid).device(call.fd).attach(call.pt, call));
    case 'detach':
      return none(() => by(call.pid).device(call.fd).detach(call));
    case 'alloc_ioas':
      return none(() => by(call.pid).iommufd(call.fd).allocIoas());
    case 'alloc_hwpt':
      return none(() => by(call.pid).iommufd(call.fd).allocHwpt(call.device, call.pt, call));
    case 'destroy':
      return none(() => by(call.pid).iommufd(call.fd).destroy(call.object));
    case 'ioas_map':
      return none(() => by(call.pid).iommufd(call.fd).map(call.ioas, call));
    case 'compat_ioas': {
      const iommufd = by(call.pid).iommufd(call.fd);
      if (call.action === 'get') return none(() => iommufd.compatIoas());
      if (call.action === 'clear') return none(() => iommufd.clearCompatIoas());
      return none(() => iommufd.setCompatIoas(call.ioas));
    }
    case 'set_container':
      return none(() => by(call.pid).group(call.fd).setContainer(call.container));
    case 'unset_container':
      return none(() => by(call.pid).group(call.fd).unsetContainer());
    case 'group_status':
      return by(call.pid).group(call.fd).status();
    case 'get_device':
      return opened(by(call.pid).group(call.fd).getDevice(call.device));
    case 'set_iommu':
      return none(() => by(call.pid).container(call.fd).setIommu(call.iommu));
    case 'api_version':
      return none(() => by(call.pid).container(call.fd).apiVersion());
    case 'check_extension':
      return none(() => by(call.pid).container(call.fd).checkExtension(call.extension));
    case 'map_dma':
      return none(() => by(call.pid).container(call.fd).mapDma(call));
    case 'device_info':
      return none(() => by(call.pid).device(call.fd).info());
    case 'region_info':
      return none(() => by(call.pid).device(call.fd).regionInfo(call.region));
    case 'reset':
      return none(() => by(call.pid).device(call.fd).reset());
    case 'hot_reset_info':
      return none(() => by(call.pid).device(call.fd).hotResetInfo());
    case 'hot_reset':
      return none(() => by(call.pid).device(call.fd).hotReset(call.groups));
    case 'read':
      return none(() => by(call.pid).descriptor(call.fd).read(call.region));
    case 'ioctl':
      return none(() => by(call.pid).descriptor(call.fd).ioctl(call.request));
    case 'mmap':
      return { id: by(call.pid).descriptor(call.fd).mmap(call.region).address };
    case 'munmap':
      return none(() => by(call.pid).mapping(call.mapping).unmap());
    case 'dup':
      return opened(by(call.pid).descriptor(call.fd).dup());
    case 'dup2':
      return opened(by(call.pid).descriptor(call.fd).dup2(call.to));
    case 'close':
      return none(() => by(call.pid).descriptor(call.fd).close());
    case 'send':
      return opened(by(call.pid).descriptor(call.fd).send(by(call.to)));
    case 'fds':
      return none(() => by(call.pid).fds());
    case 'fork':
      return none(() => by(call.pid).fork(call.comm));
    case 'exec':
      return none(() => by(call.pid).exec());
    case 'exit':
      return none(() => by(call.pid).exit());
    case 'kill':
      return none(() => by(call.pid).kill());
    case 'spawn':
      return none(() => host.spawn(call.comm));
    case 'set_driver':
      return driverSaid(host, host.setDriver(call.device, call.driver), call.device);
    case 'bg_wait': {
      const { device = '' } = host.ledger.live.driverChange ?? {};
      return driverSaid(host, host.finishDriverChange(), device);
    }
    default:
      throw new Error(`no method makes the call ${(call as Call).operation}`);
  }
}

function driverSaid(host: VirtualHost, progress: 'done' | 'pending', device: string) {
  if (progress === 'pending') return { pending: true };
  return { driver: host.ledger.live.device(device)?.driver ?? 'none' };
}

type Way = typeof byMethod;

/** Makes the calls of a recording on a virtual host in some way. */
export function callerOn(topology: Topology, profile: Profile, way: Way = byMethod): CallMaker {
  let host = virtualHost({ topology, profile });
  return {
    boot: () => (host = virtualHost({ topology, profile })),
    start: (comm) => host.process(comm),
    make: (call, comms) => {
      const changed =
        call.operation === 'set_driver' ? call.device : host.ledger.live.driverChange?.device;
      const by: ByPid = (pid) => host.process(comms.get(pid) ?? '');
      try {
        // The methods tell a wrong name; what the kernel says to it is asked by the numbers.
        if (isUnheardOf(call)) {
          const { fd = 0 } = host.call('pid' in call ? { ...call, pid: by(call.pid).pid } : call);
          return { op: call.operation, rc: fd };
        }
        return { op: call.operation, rc: 0, ...way(host, call, by) };
      } catch (error) {
        if (host.ledger.live.isDead) return { op: call.operation, rc: null };
        if (!(error instanceof SystemError)) throw error;
        const driver = host.ledger.live.device(changed ?? '')?.driver ?? 'none';
        return { op: call.operation, rc: -1, errno: error.code, driver };
      }
    },
  };
}
