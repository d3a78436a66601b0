/**
 * Past holders: the processes that ever had a descriptor of a file. What still refers to the file in
 * the kernel may be theirs.
 *
 * @module
 */
import { positionOf, type FileId } from '../../processes/process-table.ts';
import { followEach } from '../follow.ts';
import { holdsOn } from '../index/concerning.ts';
import { holderOf } from '../index/hold-at.ts';
import type { Timeline } from '../timeline.ts';
import { holderShown } from '../views.ts';
import { livedAt, type Tenant, type TenantMember } from './tenants.ts';

/** A process, and the position from which it has held a descriptor of a file at some time. */
export interface PastHolder extends TenantMember {
  readonly since: number;
}

/**
 * The past holders of files, by the position from which they had a descriptor. Processes that had the
 * pid of a tenant before or after it are holders of their own.
 */
export function pastHoldersOf(
  timeline: Timeline,
  files: Iterable<FileId>,
  tenants: readonly Tenant[],
): ReadonlyMap<FileId, readonly PastHolder[]> {
  const all = new Map([...new Set(files)].map((file) => [file, new Map<string, PastHolder>()]));
  followEach(
    timeline,
    [...all].map(([file, found]) => ({
      from: positionOf(file),
      to: null,
      look: (host, position) => {
        const holds = holdsOn(host, file);
        if (holds === null) return null;
        const lived = tenants.map((tenant) => livedAt(tenant, position)).join();
        for (const hold of holds) {
          const { number, comm, cgroup, vm } = hold;
          const key = JSON.stringify([number, comm, cgroup, vm, lived]);
          if (found.has(key)) continue;
          const holder = holderShown(holderOf(hold));
          if (holder.via !== 'fd') continue;
          found.set(key, { ...holder, vm: holder.pid === null ? null : vm, since: position });
        }
        return { files: [file] };
      },
    })),
  );
  return new Map([...all].map(([file, found]) => [file, [...found.values()]]));
}
