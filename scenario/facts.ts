/**
 * From a call and what came of it to the fact that the log keeps.
 *
 * @module
 */
import type { Attempt, Fact } from '../events/vocabulary.ts';

/** How a call went: refused, or what it returned and handed out. */
export type Outcome =
  | { readonly errno: string; readonly cause?: string }
  | {
      readonly errno: null;
      /** The descriptor, or 0. */
      readonly rc: number;
      /** The object id handed out, where that is known. */
      readonly id?: number | undefined;
      /** The page table that an attach ended on, where that is known. */
      readonly hwpt?: number | undefined;
    };

/** The fact of a call; null where its success changes nothing that the log keeps. */
export function factOf(call: Attempt, outcome: Outcome): Fact | null {
  if (outcome.errno !== null) {
    return { type: 'operation.refused', data: { ...call, errno: outcome.errno } };
  }
  const { rc, id = null, hwpt = null } = outcome;
  switch (call.operation) {
    case 'open_cdev':
    case 'open_iommufd':
    case 'open_container':
    case 'open_group':
    case 'open_path':
      return opening(call, rc);
    case 'bind': {
      const { pid, fd, iommufd } = call;
      return { type: 'device.bound', data: { pid, fd, iommufd, id } };
    }
    case 'attach':
      return { type: 'device.attached', data: { pid: call.pid, fd: call.fd, pt: call.pt, hwpt } };
    case 'detach':
      return { type: 'device.detached', data: { pid: call.pid, fd: call.fd } };
    case 'alloc_ioas':
      return { type: 'ioas.allocated', data: { pid: call.pid, fd: call.fd, id } };
    case 'alloc_hwpt': {
      const { pid, fd, device, pt } = call;
      return { type: 'hwpt.allocated', data: { pid, fd, device, pt, id } };
    }
    case 'destroy': {
      const { pid, fd, object } = call;
      return { type: 'object.destroyed', data: { pid, fd, object } };
    }
    case 'compat_ioas':
      return compatIoas(call);
    case 'set_container': {
      const { pid, fd, container } = call;
      return { type: 'container.set', data: { pid, fd, container } };
    }
    case 'unset_container':
      return { type: 'container.unset', data: { pid: call.pid, fd: call.fd } };
    case 'set_iommu': {
      const { pid, fd, iommu } = call;
      return { type: 'iommu.set', data: { pid, fd, iommu } };
    }
    case 'get_device': {
      const { pid, fd, device } = call;
      return { type: 'device.obtained', data: { pid, fd, device, as: rc } };
    }
    case 'reset':
      return { type: 'device.reset', data: { pid: call.pid, fd: call.fd } };
    case 'hot_reset': {
      const { pid, fd, groups } = call;
      return { type: 'device.hot-reset', data: { pid, fd, groups } };
    }
    case 'mmap': {
      const { pid, fd, region } = call;
      return { type: 'mapping.created', data: { pid, fd, mapping: id ?? 0, region } };
    }
    case 'munmap':
      return { type: 'mapping.removed', data: { pid: call.pid, mapping: call.mapping } };
    case 'dup':
      return { type: 'descriptor.duplicated', data: { pid: call.pid, fd: call.fd, as: rc } };
    case 'dup2':
      return { type: 'descriptor.duplicated', data: { pid: call.pid, fd: call.fd, as: call.to } };
    case 'close':
      return { type: 'descriptor.closed', data: { pid: call.pid, fd: call.fd } };
    case 'send': {
      const { pid, fd, to } = call;
      return { type: 'descriptor.passed', data: { pid, fd, to, as: rc } };
    }
    case 'exec':
      return { type: 'process.executed', data: { pid: call.pid } };
    case 'exit':
      return { type: 'process.exited', data: { pid: call.pid, signal: null } };
    case 'kill':
      return { type: 'process.exited', data: { pid: call.pid, signal: 'SIGKILL' } };
    default:
      return null;
  }
}

type Opening = Extract<Attempt, { operation: `open_${string}` }>;

function opening(call: Opening, fd: number): Fact {
  const { pid, cloexec = false } = call;
  switch (call.operation) {
    case 'open_cdev':
      return { type: 'device.opened', data: { pid, fd, device: call.device, cloexec } };
    case 'open_group':
      return { type: 'group.opened', data: { pid, fd, group: call.group, cloexec } };
    case 'open_path':
      return { type: 'path.opened', data: { pid, fd, path: call.path, cloexec } };
    case 'open_iommufd':
      return { type: 'iommufd.opened', data: { pid, fd, cloexec } };
    case 'open_container':
      return { type: 'container.opened', data: { pid, fd, cloexec } };
  }
}

function compatIoas(call: Extract<Attempt, { operation: 'compat_ioas' }>): Fact | null {
  const { pid, fd, action, ioas } = call;
  switch (action) {
    case 'get':
    case null:
      return null;
    case 'set':
      return { type: 'compat-ioas.set', data: { pid, fd, ioas } };
    case 'clear':
      return { type: 'compat-ioas.cleared', data: { pid, fd } };
  }
}
