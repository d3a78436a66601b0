/**
 * A host that stands on the machines, as a performer of calls needs it: what the rules answer as
 * things stand.
 *
 * @module
 */
import type { Call, Fact } from '../events/vocabulary.ts';
import type { Cause } from '../machines/causes.ts';
import { judge } from '../machines/judge.ts';
import type { Kernel } from '../machines/kernel.ts';
import type { Passed } from '../operations/row.ts';
import { rowOf } from '../operations/table.ts';
import { Names } from '../scenario/names.ts';
import type { Host } from '../scenario/perform.ts';
import type { DmaMappings } from './dma-mappings.ts';

interface Refused {
  readonly errno: string;
  readonly cause: Cause;
}

/** What the rules answer to a call as things stand. Only the mappings for DMA remember it. */
function answerTo(kernel: Kernel, mappings: DmaMappings, call: Call): Passed | Refused {
  const question = kernel.question(call);
  const refusal = judge(kernel.rules, question);
  if (refusal !== null) return { errno: refusal.errno, cause: refusal.cause };
  mappings.admit(kernel, call);
  const { handsOut } = rowOf(call.operation);
  if (handsOut !== null) {
    const fd = handsOut(call, (pid) => kernel.processes.lowestFree(pid));
    return { errno: null, rc: fd, fd };
  }
  const told = question.events.iommufd;
  const id = question.found ?? (told !== undefined && 'id' in told ? told.id : undefined);
  const hwpt = told?.type === 'device.attached' ? { hwpt: told.attachment.hwpt } : {};
  return { errno: null, rc: 0, ...(id !== undefined && { id }), ...hwpt };
}

/** A host for the performer; `kernel` gives it as it stands, which after each fact may be another. */
export function hostOn(
  kernel: () => Kernel,
  mappings: DmaMappings,
  happened: (fact: Fact) => void,
): Host {
  return {
    answer: (call) => answerTo(kernel(), mappings, call),
    driverOf: (device) => kernel().device(device)?.driver ?? null,
    isHeld: (device) => (kernel().device(device)?.record.files ?? 0) > 0,
    change: () => {
      const change = kernel().driverChange;
      if (change === null) return null;
      const { device, next, outcome } = change;
      return { device: device.device, next, isBlocked: outcome === null };
    },
    nextNode: (driver) => kernel().nextCdev(driver),
    deviceOfNode: (node) => {
      return [...kernel().devices()].find(({ cdev }) => cdev === node)?.device ?? null;
    },
    reopen: (pid, fd) => reopening(kernel(), pid, fd),
    happened,
  };
}

/** How the file behind a descriptor is opened anew; null where it has no node of VFIO's. */
function reopening(kernel: Kernel, pid: number, fd: number): Call | null {
  const file = kernel.behind(pid, fd);
  const cloexec = false;
  switch (file?.kind) {
    case 'group':
      return { operation: 'open_group', pid, group: file.group.group, cloexec };
    case 'device':
      if (file.state === 'granted') return null;
      return { operation: 'open_cdev', pid, device: file.device.device, cloexec };
    case 'iommufd':
      return { operation: 'open_iommufd', pid, cloexec };
    case 'container':
      return { operation: 'open_container', pid, cloexec };
    case 'other':
    case undefined:
      return null;
  }
}

/** The highest address where a process has nothing of VFIO's mapped. */
export function freeAddress(kernel: Kernel, pid: number): number {
  const { mappings } = kernel.processes.process(pid) ?? {};
  const pages = new Names();
  let address = pages.map(1);
  while (mappings?.has(address)) address = pages.map(1);
  return address;
}
