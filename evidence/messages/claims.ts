/**
 * Reads claims from messages of programs: SPDK's locks and libvirt's device assignments.
 *
 * @module
 */
import type { MessageDeed } from './kernel.ts';
import { BDF } from './names.ts';

const lock = new RegExp(
  String.raw`Cannot create lock on device \S{0,128}?(?<device>${BDF}), ` +
    String.raw`probably process (?<pid>\d{1,10}) has claimed it`,
);

/** The claim in a message of SPDK, which names the process that locked a device. Null: none. */
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

/** The domain that could not start, by a line of libvirt. */
export function requesterIn(text: string): string | null {
  return starting.exec(text)?.groups?.['name'] ?? null;
}

/** The refused claim in a line of libvirt. It names the owner of the device, but not `requester`. */
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
