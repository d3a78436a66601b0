/**
 * The host before the evidence, as the log knows it: its devices are known, and its files are still open.
 *
 * @module
 */
import type { PlayedFile, PlayedHostAt } from '../../machines/host-at.ts';
import type { Devices } from './devices.ts';
import { pathOf } from './nodes.ts';
import type { Seen, TracedProcesses } from './traced.ts';

/** Adds what the log knows of a host, as if the trace had shown it. */
export function goOnFrom(host: PlayedHostAt, processes: TracedProcesses, devices: Devices): void {
  const known = [...host.devices()].map(({ device, name, group, driver, model, cdev, port }) => {
    return { device, name, group, driver, model, cdev, ...(port !== null && { port }) };
  });
  const groups = [...host.groups()].filter(({ members }) => members > 0);
  devices.know(
    known,
    groups.map(({ group }) => group),
  );
  const files = new Map([...host.files()].map((file) => [file.id, seenAs(file, host)]));
  for (const { pid, comm, vm, descriptors } of host.processes()) {
    const process = processes.of(pid, pid, comm);
    process.vm = vm;
    process.isTold = true;
    for (const [fd, { file, cloexec }] of descriptors) {
      const seen = files.get(file) ?? null;
      if (seen !== null) process.descriptors.set(fd, { seen, cloexec });
    }
  }
}

/** A file of the log as if the trace had shown it; null if it is not VFIO's. */
function seenAs({ kind, group, device, ...file }: PlayedFile, host: PlayedHostAt): Seen | null {
  if (kind === 'other') return null;
  const hasNode = kind === 'device' && !file.isGranted && !file.isGone;
  const cdev = hasNode ? (host.device(device ?? '')?.cdev ?? null) : null;
  const path = pathOf({ kind, group, cdev });
  const isJoined = kind === 'container' ? { isJoined: true } : {};
  const isBound = kind === 'device' && file.pins.length > 0 ? { isBound: true } : {};
  return { kind, group, device, path, pointer: null, isReleased: false, ...isJoined, ...isBound };
}
