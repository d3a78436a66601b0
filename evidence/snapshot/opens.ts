/**
 * Turns the processes of a reading, and the files that they have open, into facts.
 *
 * @module
 */
import type { PlayedFile } from '../../machines/host-at.ts';
import type { NamedVm } from '../../processes/process-table.ts';
import type { ReadFile, ReadPlace } from './read-files.ts';
import type { Scene } from './scene.ts';

/** Tells of processes that are new, or whose name, control group or start time is new. */
export function tellProcesses(scene: Scene): void {
  for (const { pid, comm, cgroup, vm = null, startedAt } of scene.reading.processes) {
    const known = scene.host.process(pid);
    const isAsKnown = (read: NamedVm, was: NamedVm | undefined) => read === null || read === was;
    if (
      known !== undefined &&
      isAsKnown(comm, known.comm) &&
      isAsKnown(cgroup, known.cgroup) &&
      isAsKnown(vm, known.vm) &&
      isAsKnown(startedAt, known.started)
    ) {
      continue;
    }
    const name = comm ?? known?.comm ?? `pid ${pid}`;
    const since = startedAt === null ? {} : { started: startedAt };
    const data = { pid, comm: name, cgroup, ...(vm !== null && { vm }), ...since };
    scene.tell({ type: 'process.found', data }, 'read-from-the-host', 'observed');
  }
}

/**
 * Adds descriptors for mappings whose descriptor is closed: it was open once, under an unknown number.
 */
export function placeMapped(scene: Scene): void {
  for (const file of scene.files) {
    for (const { pid, address } of file.mappings) {
      const isHeldHere = file.places.some((place) => place.pid === pid);
      if (isHeldHere || scene.mappedAt({ pid, address }) !== undefined) continue;
      // A file that only mappings hold cannot be mapped again.
      if (file.places.length === 0 && scene.known(file) !== undefined) continue;
      file.places.push({ pid, fd: nextBelow(scene, pid), cloexec: false, isClosed: true });
    }
  }
}

/** A free negative number for a descriptor whose real number the evidence does not show. */
export function nextBelow(scene: Scene, pid: number): number {
  const known = scene.host.process(pid)?.descriptors.keys() ?? [];
  const own = scene.files.flatMap(({ places }) => places.filter((place) => place.pid === pid));
  return Math.min(-1, ...known, ...own.map(({ fd }) => fd)) - 1;
}

/** Tells of a file and all its descriptors. If the log does not know the file, `open` tells of it. */
export function tellFile(scene: Scene, file: ReadFile, open: (place: ReadPlace) => void): void {
  const [first] = file.places;
  if (first === undefined) return;
  const known = file.places.filter((place) => scene.fileAt(place) !== undefined);
  if (known.length === 0) {
    open(first);
    if (scene.fileAt(first) === undefined) return;
    known.push(first);
  }
  for (const { pid, fd: as, cloexec } of file.places) {
    if (scene.fileAt({ pid, fd: as }) !== undefined) continue;
    const flag = cloexec === true ? { cloexec } : {};
    const own = known.find((place) => place.pid === pid);
    const from = own ?? known[0] ?? first;
    const data = { pid: from.pid, fd: from.fd, as, ...flag };
    if (own !== undefined) scene.tell({ type: 'descriptor.duplicated', data }, 'same-file');
    else scene.tell({ type: 'descriptor.passed', data: { ...data, to: pid } }, 'same-file');
  }
}

/** Tells of open containers and iommufds. */
export function tellContexts(scene: Scene): void {
  for (const file of scene.files) {
    const { kind } = file;
    if (kind !== 'container' && kind !== 'iommufd') continue;
    tellFile(scene, file, (place) => {
      scene.tell({ type: `${kind}.opened`, data: openedAt(place) }, 'read-from-the-host');
    });
  }
}

/** Tells of open group files. */
export function tellGroupFiles(scene: Scene): void {
  for (const file of scene.files) {
    const { kind, group } = file;
    if (kind !== 'group' || group === null) continue;
    const another = scene.files.find(
      (other) => other !== file && other.group === group && other.kind === 'group',
    );
    tellFile(scene, file, (place) => {
      const isThere = (scene.host.group(group)?.members ?? 0) > 0;
      if (!isThere || (file.isDeleted && another?.isDeleted === false)) {
        const of = `descriptor ${place.fd} of ${scene.holderOf(file)}`;
        scene.unseen.push(`what ${of} is good for: group ${group} has gone from under it`);
        return;
      }
      const data = { ...openedAt(place), group };
      scene.tell({ type: 'group.opened', data }, 'read-from-the-host');
    });
  }
}

/** Tells of device files that were opened by their cdev, and that they are bound if they must be. */
export function tellCdevs(scene: Scene): void {
  for (const file of scene.files) {
    const { kind, device, isAnonymous } = file;
    if (kind !== 'device' || isAnonymous || device === null) continue;
    tellFile(scene, file, (place) => {
      const data = { ...openedAt(place), device };
      scene.tell({ type: 'device.opened', data }, 'read-from-the-host');
    });
    bind(scene, file);
  }
}

/** Binds a device file that is mapped, or that the log knew as bound before it was opened again. */
function bind(scene: Scene, file: ReadFile): void {
  const known = scene.known(file);
  if (known === undefined || known.context !== null) return;
  const group = known.group === null ? undefined : scene.host.group(known.group);
  if (group?.state === 'kernel' || group?.state === 'container') return;
  // If the group file is open, the device cannot be bound: the mapping was made before.
  if ([...scene.host.files()].some((other) => isGroupOf(other, known.group))) return;
  const was = file.places.find(({ pid, fd }) => scene.contexts.has(`${pid} ${fd}`));
  if (was === undefined && file.mappings.length === 0) return;
  const owner =
    (was && scene.contexts.get(`${was.pid} ${was.fd}`)) ??
    (group?.state === 'iommufd' ? group.owner : null);
  const holders = file.places.map(({ pid, fd }) => {
    return { pid, fd, iommufd: contextOf(scene, pid, owner) };
  });
  const at = holders.find(({ iommufd }) => iommufd !== null) ?? holders[0];
  if (at === undefined) return;
  const rule = was === undefined ? 'a-mapped-device-is-bound' : 'read-from-the-host';
  scene.tell({ type: 'device.bound', data: { ...at, id: null } }, rule);
}

function isGroupOf({ kind, group, isGone }: PlayedFile, name: string | null): boolean {
  return kind === 'group' && group !== null && group === name && !isGone;
}

/** The descriptor of the owning iommufd in a process, or of its only iommufd. Null: unknown. */
function contextOf(scene: Scene, pid: number, owner: string | null): number | null {
  if (owner === null || scene.host.file(owner) === undefined) return scene.only(pid, 'iommufd').fd;
  for (const [fd, { file }] of scene.host.process(pid)?.descriptors ?? []) {
    if (file === owner) return fd;
  }
  return null;
}

/** Tells of mappings. Then closes the descriptors that `placeMapped` added. */
export function tellMappings(scene: Scene): void {
  for (const file of scene.files) {
    for (const { pid, address: mapping } of file.mappings) {
      const place = file.places.find((held) => held.pid === pid);
      if (place === undefined || scene.mappedAt({ pid, address: mapping }) !== undefined) continue;
      if (scene.fileAt(place) === undefined) continue;
      const data = { pid, fd: place.fd, mapping, region: null };
      scene.tell({ type: 'mapping.created', data }, 'read-from-the-host');
    }
    for (const { pid, fd, isClosed } of file.places) {
      if (!isClosed || scene.fileAt({ pid, fd }) === undefined) continue;
      scene.tell({ type: 'descriptor.closed', data: { pid, fd } }, 'gone-from-the-host');
    }
  }
}

/** Tells of descriptors whose FD_CLOEXEC differs from what the log knows. */
export function tellFlags(scene: Scene): void {
  for (const { places } of scene.files) {
    for (const { pid, fd, cloexec } of places) {
      if (cloexec === null || scene.fileAt({ pid, fd }) === undefined) continue;
      if (scene.host.process(pid)?.descriptors.get(fd)?.cloexec === cloexec) continue;
      const data = { pid, fd, cloexec };
      scene.tell({ type: 'descriptor.flagged', data }, 'read-from-the-host');
    }
  }
}

function openedAt({ pid, fd, cloexec }: ReadPlace) {
  return { pid, fd, cloexec: cloexec === true };
}
