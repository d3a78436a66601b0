/**
 * Claims in the words of programs: SPDK's locks, libvirt's book.
 *
 * @module
 */
import type { MessageDeed } from './kernel.ts';
import { BDF } from './names.ts';

const lock = new RegExp(
  String.raw`Cannot create lock on device \S{0,128}?(?<device>${BDF}), ` +
    String.raw`probably process (?<pid>\d{1,10}) has claimed it`,
);

/** SPDK names the process that has locked a device for itself. */
export function lockIn(text: string): MessageDeed | null {
  const { device, pid } = lock.exec(text)?.groups ?? {};
  if (device === undefined) return null;
  return {
    did: 'claim',
    outcome: 'granted',
    device: device.toLowerCase(),
    claimant: { name: `pid ${pid}`, uuid: null },
    manager: 'spdk',
    reason: null,
    pid: null,
    comm: null,
  };
}

const inUse = new RegExp(
  String.raw`PCI device (?<device>${BDF}) is in use by (?:driver [\w-]{1,64}, )?` +
    String.raw`domain '?(?<owner>[^\s'",;)]{1,256})`,
);
const starting = new RegExp(
  String.raw`Failed to (?:start domain|attach device (?:from \S+ )?to(?: domain)?) ` +
    String.raw`'?(?<name>[^\s'":]{1,256})`,
);

/** The domain that a line says could not start. */
export function requesterIn(text: string): string | null {
  return starting.exec(text)?.groups?.['name'] ?? null;
}

/** libvirt names the domain that has a device, but not the one that is refused it: `requester`. */
export function refusedClaimIn(text: string, requester: string | null): MessageDeed | null {
  const { device, owner } = inUse.exec(text)?.groups ?? {};
  if (device === undefined || requester === null) return null;
  return {
    did: 'claim',
    outcome: 'refused',
    device: device.toLowerCase(),
    claimant: { name: requester, uuid: null },
    manager: 'libvirt',
    reason: `in use by ${owner}`,
    pid: null,
    comm: null,
  };
}
