/**
 * Groups of which the reading does not say who owns them.
 *
 * @module
 */
import type { KnownFile, KnownGroup } from './known.ts';
import type { Scene } from './scene.ts';

export function tellGaps(scene: Scene): void {
  for (const group of scene.host.groups.values()) {
    if (group.isUnknown || group.state !== 'unowned' || group.members === 0) continue;
    const reason = doubtOf(scene, group);
    if (reason === null) continue;
    const data = { reason, group: group.group };
    scene.tell({ type: 'gap.noticed', data }, undefined, 'observed');
  }
}

/** Why a group that nobody is known to own may be owned all the same; null where it is not. */
function doubtOf(scene: Scene, { group }: KnownGroup): string | null {
  const files = filesOf(scene.host, group);
  const fresh = files.filter(({ id }) => !scene.before.files.has(id));
  const opened = fresh.find(({ kind }) => kind === 'group');
  if (opened !== undefined) {
    return `its file is open in ${holderOf(scene, opened)}, in a container or not`;
  }
  // While its file is open no device of the group is bound through its cdev.
  if (files.some(({ kind }) => kind === 'group')) return null;
  const [cdev] = fresh;
  if (cdev !== undefined) {
    return `${cdev.device} is open in ${holderOf(scene, cdev)}, bound or not`;
  }
  if (files.length > 0) return null;
  if (scene.suspects.has(group)) return 'a device of it may be open that nobody can name';
  const was = scene.before.groups.get(group);
  const wasFree =
    was !== undefined &&
    !was.isUnknown &&
    was.state === 'unowned' &&
    was.members > 0 &&
    filesOf(scene.before, group).length === 0;
  if (scene.reading.isComplete || wasFree) return null;
  return 'not every process could be looked into';
}

function filesOf({ files }: Scene['host'], group: string): KnownFile[] {
  return [...files.values()].filter((file) => file.group === group && !file.isDead);
}

function holderOf(scene: Scene, { id }: KnownFile): string {
  for (const { pid, comm, descriptors, mappings } of scene.host.processes.values()) {
    const held = [...[...descriptors.values()].map(({ file }) => file), ...mappings.values()];
    if (held.some((file) => file.id === id)) return `${comm}[${pid}]`;
  }
  return 'the kernel';
}
