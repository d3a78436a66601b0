/**
 * The lane of what blocked a refusal.
 *
 * @module
 */
import type { HostAt } from '../../machines/host-at.ts';
import { ownerWithoutHolders } from '../views.ts';
import type { Why } from '../why/why.ts';

/**
 * Of the device or group whose open file blocked a call, or of the group that the blocker owned; null if
 * the blocker is on no lane. `host` is the one before the refusal, `refused` the device or group that was
 * refused.
 */
export function laneInTheWay(
  host: HostAt,
  blocker: NonNullable<Why['blocker']>,
  refused: string | null,
): string | null {
  const file = blocker.file === null ? undefined : host.file(blocker.file);
  if (file?.device != null) {
    const state = host.device(file.device)?.state ?? 'absent';
    return state === 'absent' ? null : file.device;
  }
  if (file?.group != null) return host.group(file.group)?.group ?? null;
  const group = host.group(host.device(refused ?? '')?.group ?? refused ?? '');
  if (group === undefined) return null;
  const owner = ownerWithoutHolders(group);
  const isDriver = blocker.kind === 'driver' && owner.kind === 'kernel';
  return isDriver || (file !== undefined && owner.file === file.id) ? group.group : null;
}
