/**
 * Notices gaps: groups whose owner a reading of the host does not show.
 *
 * @module
 */
import type { PlayedFile, PlayedGroup } from '../../machines/host-at.ts';
import type { Scene } from './scene.ts';

/** Tells `gap.noticed` for every group that may have an owner that is not known. */
export function tellGaps(scene: Scene): void {
  for (const group of Array.from(scene.host.groups())) {
    if (group.isUnknown || group.state !== 'unowned') continue;
    const reason = group.members > 0 ? doubtOf(scene, group) : driverDoubtOf(scene, group);
    if (reason === null) continue;
    const data = { reason, group: group.group };
    scene.tell({ type: 'gap.noticed', data }, undefined, 'observed');
  }
}

/** The reason why a group without a known owner may have one; null if it has none. */
function doubtOf(scene: Scene, { group }: PlayedGroup): string | null {
  const files = filesOf(scene.host, group);
  const fresh = files.filter(({ id }) => scene.before.file(id) === undefined);
  const opened = fresh.find(({ kind }) => kind === 'group');
  if (opened !== undefined) {
    return `its file is open in ${holderOf(scene, opened)}, in a container or not`;
  }
  // While the group file is open, no device of the group can be bound through its cdev.
  if (files.some(({ kind }) => kind === 'group')) return null;
  const [cdev] = fresh;
  if (cdev !== undefined) {
    return `${cdev.device} is open in ${holderOf(scene, cdev)}, bound or not`;
  }
  if (files.length > 0) return null;
  if (scene.suspects.has(group)) return 'a device of it may be open that nobody can name';
  const was = scene.before.group(group);
  const wasFree =
    was !== undefined &&
    !was.isUnknown &&
    was.state === 'unowned' &&
    was.members > 0 &&
    filesOf(scene.before, group).length === 0;
  if (wasFree) return null;
  const { isComplete, listed } = scene.reading;
  if (isComplete) return driverDoubtOf(scene, { group });
  return listed.hidden.length === 0 && listed.isWhole
    ? 'not everything in /sys and /dev could be read'
    : 'not every process could be looked into';
}

/** The reason why a driver of the kernel may own a group; null if there is none. */
function driverDoubtOf({ devices }: Scene, { group }: Pick<PlayedGroup, 'group'>): string | null {
  const blank = [...devices.values()].find((read) => read.group === group && !read.isSeen);
  return blank === undefined ? null : `the driver of ${blank.device} could not be read`;
}

function filesOf(host: Scene['host'], group: string): PlayedFile[] {
  const isDead = ({ kind, isGone }: PlayedFile) => kind === 'group' && isGone;
  return [...host.files()].filter((file) => file.group === group && !isDead(file));
}

function holderOf(scene: Scene, { id }: PlayedFile): string {
  for (const { pid, comm, descriptors, mapped } of scene.host.processes()) {
    const held = [...descriptors.values()].map(({ file }) => file);
    if ([...held, ...mapped].includes(id)) return `${comm}[${pid}]`;
  }
  return 'the kernel';
}
