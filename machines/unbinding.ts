/**
 * What keeps the unbind of a VFIO driver waiting (vfio/vfio_main.c:vfio_unregister_group_dev).
 *
 * @module
 */
import type { Device } from './instances.ts';
import { groupsDie, type Profile } from './profile.ts';

/** Whether an unbind of the device's driver waits: for an open file, or for a container. */
export function delaysUnbind(profile: Profile, device: Device): boolean {
  return device.record.files > 0 || isHeldByContainer(profile, device);
}

/**
 * Whether the unbind waits until the device's group has no container: so it does for the last VFIO
 * device of a group that does not die (vfio/vfio.c:vfio_unregister_group_dev).
 */
export function isHeldByContainer(profile: Profile, { state, group }: Device): boolean {
  if (groupsDie(profile) || state === 'absent' || group === null) return false;
  return group.state === 'container' && group.record.members === 1;
}
