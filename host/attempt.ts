/**
 * Connects a `LiveHost` to the performer of calls (`scenario/perform.ts`): the rules answer each
 * call in the current state.
 *
 * @module
 */
import type { Call, Fact } from '../events/vocabulary.ts';
import type { Refusal } from '../machines/judge.ts';
import { isViable } from '../machines/group.ts';
import type { LiveHost } from '../machines/live-host.ts';
import type { Passed } from '../operations/row.ts';
import { rowOf } from '../operations/table.ts';
import { Names } from '../scenario/names.ts';
import type { Host } from '../scenario/perform.ts';
import type { DmaMappings } from './dma-mappings.ts';

/** The answer of the rules to a call in the current state. It changes only the DMA mappings. */
function answerTo(
  host: LiveHost,
  mappings: DmaMappings,
  call: Call,
): Passed | Pick<Refusal, 'errno' | 'cause'> {
  const { refusal, id, hwpt, isFirstMap, isFatal } = host.answer(call);
  if (refusal !== null) return { errno: refusal.errno, cause: refusal.cause };
  if (isFatal === true) return { errno: null, rc: 0, isFatal };
  mappings.admit(host, call);
  const { handsOut } = rowOf(call.operation);
  if (handsOut === null) return { errno: null, rc: 0, id, hwpt, isFirstMap };
  const fd = handsOut(call, (pid) => host.processTable.lowestFree(pid));
  return { errno: null, rc: fd, fd };
}

/** A host for `perform`. `live` returns the current one, which may be another after each fact. */
export function hostOn(
  live: () => LiveHost,
  mappings: DmaMappings,
  happened: (fact: Fact) => void,
): Host {
  return {
    answer: (call) => answerTo(live(), mappings, call),
    driverOf: (device) => live().device(device)?.driver ?? null,
    delaysUnbind: (device) => live().delaysUnbind(device),
    change: () => {
      const change = live().driverChange;
      if (change === null) return null;
      const { device, next, isOver, isFatal } = change;
      return { device, next, isBlocked: !isOver, isFatal };
    },
    isDead: () => live().isDead,
    nextNode: (driver) => live().nextCdev(driver),
    deviceOfNode: (node) => deviceOfNode(live(), node),
    reopen: (pid, fd) => reopening(live(), pid, fd),
    happened,
  };
}

/** The PCI address of the device whose cdev node has a name now; null if none has. */
export function deviceOfNode(host: LiveHost, node: string): string | null {
  return [...host.devices()].find(({ cdev }) => cdev === node)?.device ?? null;
}

/** The call that opens a descriptor's file anew; null if it has no node of VFIO or iommufd. */
function reopening(host: LiveHost, pid: number, fd: number): Call | null {
  const { kind, group, device, isGranted } = host.file(host.fileBehind(pid, fd) ?? '') ?? {};
  const cloexec = false;
  if (kind === 'container') return { operation: 'open_container', pid, cloexec };
  if (kind === 'iommufd') return { operation: 'open_iommufd', pid, cloexec };
  if (kind === 'group' && group != null) return { operation: 'open_group', pid, group, cloexec };
  if (kind !== 'device' || device == null || isGranted) return null;
  return { operation: 'open_cdev', pid, device, cloexec };
}

/** What VFIO_GROUP_GET_STATUS says (vfio/group.c:vfio_group_ioctl_get_status). */
export interface GroupStatus {
  readonly viable: boolean;
  readonly container_set: boolean;
}

/** The status of the group behind a descriptor; null if it is no group's. */
export function groupStatus(host: LiveHost, pid: number, fd: number): GroupStatus | null {
  const file = host.file(host.fileBehind(pid, fd) ?? '');
  const group = file?.kind === 'group' ? host.group(file.group ?? '') : undefined;
  if (file === undefined || group === undefined) return null;
  const container_set = file.container !== null;
  return { viable: isViable(group, container_set), container_set };
}

/** The highest page of a process without a mapping of VFIO's. */
export function freeAddress(host: LiveHost, pid: number): number {
  const { mappings } = host.processTable.process(pid) ?? {};
  const pages = new Names();
  let address = pages.map(1);
  while (mappings?.has(address)) address = pages.map(1);
  return address;
}
