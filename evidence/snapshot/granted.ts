/**
 * Finds out which devices were obtained from which groups (VFIO_GROUP_GET_DEVICE_FD). Before Linux
 * 6.18, `/proc` does not show the device of such a file.
 *
 * @module
 */
import type { PlayedFile } from '../../machines/host-at.ts';
import type { Inference } from '../witness/inferences.ts';
import { nextBelow, tellFile } from './opens.ts';
import type { ReadFile, ReadPlace } from './read-files.ts';
import { isVfio, type Scene } from './scene.ts';

/** The group descriptor that a device file came from, and its device; null if unknown. */
interface Origin {
  readonly fd: number;
  readonly group: string;
  readonly device: string | null;
  readonly rule: Inference;
}

/** Tells of device files that came from groups. Closes group files opened only to explain them. */
export function tellGranted(scene: Scene): void {
  const files = scene.files.filter(({ kind, isAnonymous }) => kind === 'device' && isAnonymous);
  const pids = new Set(files.flatMap(({ places }) => places[0]?.pid ?? []));
  const origins = new Map([...pids].flatMap((pid) => [...originsIn(scene, pid, files)]));
  for (const file of files) {
    tellFile(scene, file, (place) => {
      const origin = origins.get(file);
      if (origin === undefined) obtainElsewhere(scene, file, place);
      else obtain(scene, place.pid, origin, place.fd);
    });
  }
  for (const process of Array.from(scene.host.processes())) {
    const { pid } = process;
    for (const [fd, { kind, id }] of scene.filesIn(process)) {
      if (kind !== 'group' || fd >= 0 || scene.before.file(id) !== undefined) continue;
      scene.tell({ type: 'descriptor.closed', data: { pid, fd } }, 'gone-from-the-host');
    }
  }
}

function obtain(scene: Scene, pid: number, { fd, group, device, rule }: Origin, as: number): void {
  giveContainer(scene, pid, fd, group);
  scene.tell({ type: 'device.obtained', data: { pid, fd, device, as } }, rule);
}

/** The origins of a process's device files, as far as its own group files explain them. */
function originsIn(scene: Scene, pid: number, files: readonly ReadFile[]): Map<ReadFile, Origin> {
  const at = ({ places }: ReadFile) => places.find((place) => place.pid === pid)?.fd ?? 0;
  const own = files
    .filter(({ places }) => places.some((place) => place.pid === pid))
    .toSorted((a, b) => at(a) - at(b));
  const sources = scene.files.flatMap(({ kind, group, places }) => {
    const place = kind === 'group' ? places.find((held) => held.pid === pid) : undefined;
    const known = place && scene.fileAt(place);
    if (group === null || known === undefined || known.isGone) return [];
    return [{ fd: place?.fd ?? 0, group, left: new Set(membersOf(scene, group)) }];
  });
  const origins = new Map<ReadFile, Origin>();
  const unnamed = new Map<(typeof sources)[number], ReadFile[]>();
  for (const file of own) {
    const device = scene.known(file)?.device ?? file.device;
    const source = sources.find(({ left }) => device !== null && left.has(device));
    if (source === undefined || device === null) continue;
    source.left.delete(device);
    origins.set(file, { ...source, device, rule: 'read-from-the-host' });
  }
  for (const file of own) {
    if (origins.has(file) || file.device !== null || scene.known(file) !== undefined) continue;
    const hasRoom = (source: (typeof sources)[number]) =>
      source.left.size > (unnamed.get(source)?.length ?? 0);
    const source =
      sources.findLast((found) => found.fd < at(file) && hasRoom(found)) ?? sources.find(hasRoom);
    if (source !== undefined) unnamed.set(source, [...(unnamed.get(source) ?? []), file]);
  }
  for (const [source, theirs] of unnamed) {
    const isAll = theirs.length === source.left.size;
    const isOnly = sources.length === 1 && membersOf(scene, source.group).length === 1;
    const named = isOnly ? 'only-device-in-group' : 'in-the-order-of-descriptors';
    const left = [...source.left];
    for (const [index, file] of theirs.entries()) {
      const device = (isAll ? left[index] : null) ?? null;
      const rule = device === null ? 'read-from-the-host' : named;
      origins.set(file, { ...source, device, rule });
    }
  }
  return origins;
}

function membersOf(scene: Scene, group: string): string[] {
  return [...scene.host.devices()].flatMap(({ device, group: of, driver }) =>
    of === group && isVfio(driver) ? [device] : [],
  );
}

/**
 * Puts a group into a container, because a device of it is open: into the only container, or else the
 * only iommufd, of a process that holds the group file.
 */
function giveContainer(scene: Scene, pid: number, fd: number, group: string): void {
  const known = scene.fileAt({ pid, fd });
  if (known === undefined || known.context !== null) return;
  const rule = 'an-open-device-needs-a-container';
  const held = scene.files.find(
    ({ kind, places }) => kind === 'group' && places.some((p) => p.pid === pid && p.fd === fd),
  );
  const places = [{ pid, fd }, ...(held?.places ?? [])];
  const choices = places.map((place) => ({ ...place, ...containerOf(scene, place.pid) }));
  const { count, ...choice } = choices.find(({ container }) => container !== null) ?? {
    pid,
    fd,
    container: null,
    count: Math.max(...choices.map((given) => given.count)),
  };
  scene.tell({ type: 'container.set', data: choice }, rule);
  if (choice.container === null) {
    if (count > 0) return;
    const reason = 'a device of it is open, and it is in a container or an iommufd unseen';
    scene.tell({ type: 'gap.noticed', data: { reason, group } }, undefined, 'observed');
    return;
  }
  const at = { pid: choice.pid, fd: choice.container };
  const container = scene.fileAt(at);
  if (container?.kind !== 'container' || container.isReady) return;
  scene.tell({ type: 'iommu.set', data: { ...at, iommu: null } }, rule);
}

/** The descriptor that serves as container in a process (null: unknown), and its containers' number. */
function containerOf(scene: Scene, pid: number) {
  const { fd, count } = scene.only(pid, 'container');
  return { container: count === 0 ? scene.only(pid, 'iommufd').fd : fd, count };
}

/**
 * Tells of a device file in a process without a file of the group: another process passed it on, or the
 * process has closed the group file, whose number is then unknown.
 */
function obtainElsewhere(scene: Scene, file: ReadFile, { pid, fd: as }: ReadPlace): void {
  const device = file.device ?? onlyDeviceLeft(scene);
  const group = device === null ? null : (scene.host.device(device)?.group ?? null);
  if (device !== null && group === null && scene.host.iommufd) {
    const data = { pid, fd: as, device, cloexec: true };
    scene.tell({ type: 'device.opened', data }, 'read-from-the-host');
    return;
  }
  const rule = file.device === null ? 'only-device-on-the-host' : 'read-from-the-host';
  const holder = holderOfGroup(scene, group);
  if (device === null || group === null || holder === 'nobody can name') {
    suspect(scene, file, as, group);
    return;
  }
  if (holder === null || holder.pid === pid) {
    const fd = holder?.fd ?? nextBelow(scene, pid);
    const opened = { pid, fd, group, cloexec: false };
    if (holder === null) {
      scene.tell({ type: 'group.opened', data: opened }, 'got-from-its-group');
    }
    obtain(scene, pid, { fd, group, device, rule }, as);
    return;
  }
  const fd = nextBelow(scene, holder.pid);
  obtain(scene, holder.pid, { fd: holder.fd, group, device, rule }, fd);
  const from = { pid: holder.pid, fd };
  const data = { ...from, to: pid, as, cloexec: true };
  scene.tell({ type: 'descriptor.passed', data }, 'got-from-its-group');
  scene.tell({ type: 'descriptor.closed', data: from }, 'gone-from-the-host');
}

/** A descriptor of a group file. Null: none is open. A text: one is open, but its holder is unknown. */
function holderOfGroup(scene: Scene, group: string | null) {
  const isIt = (file: PlayedFile) => file.kind === 'group' && file.group === group && !file.isGone;
  for (const process of scene.host.processes()) {
    for (const [fd, file] of scene.filesIn(process)) {
      if (isIt(file)) return { pid: process.pid, fd };
    }
  }
  const isOpen = [...scene.host.files()].some(isIt);
  return isOpen ? 'nobody can name' : null;
}

/** The device with a VFIO driver that is not open, if there is exactly one. */
function onlyDeviceLeft(scene: Scene): string | null {
  const open = new Set([...scene.host.files()].map(({ device }) => device));
  const [only, ...others] = [...scene.host.devices()].filter(
    ({ device, driver }) => isVfio(driver) && !open.has(device),
  );
  return only === undefined || others.length > 0 ? null : only.device;
}

/** Notes a file whose origin is unknown. Every group that it may belong to becomes suspect. */
function suspect(scene: Scene, file: ReadFile, fd: number, group: string | null): void {
  const of = fd < 0 ? 'a mapping' : `descriptor ${fd}`;
  const what = file.device === null ? 'which device' : `how ${file.device} was opened that`;
  scene.unseen.push(`${what} ${of} of ${scene.holderOf(file)} is of`);
  const groups = group === null ? [...scene.host.groups()].map((other) => other.group) : [group];
  for (const name of groups) scene.suspects.add(name);
}
