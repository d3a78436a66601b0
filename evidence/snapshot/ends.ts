/**
 * Finds the processes, descriptors and mappings that the log knows and a reading no longer shows. Their
 * ends become facts.
 *
 * @module
 */
import type { PlayedFile, PlayedProcess } from '../../machines/host-at.ts';
import { KERNEL_PID } from '../../processes/process-table.ts';
import { changesOf } from './devices.ts';
import type { ReadFile } from './read-files.ts';
import { isVfio, type Scene } from './scene.ts';

/** Whether the device of a file has changed, so that the file cannot be open any more. */
type IsRenewed = (of: Pick<PlayedFile, 'device'>) => boolean;

/** Tells of ended processes, closed descriptors and removed mappings. */
export function tellEnds(scene: Scene): void {
  const changes = changesOf(scene);
  const isRenewed: IsRenewed = ({ device }) => device !== null && changes.has(device);
  for (const process of scene.before.processes()) {
    noteContexts(scene, process, isRenewed);
    const rule = endOf(scene, process);
    if (rule === null) continue;
    scene.tell({ type: 'process.exited', data: { pid: process.pid, signal: null } }, rule);
  }
  const { pids, hidden } = scene.reading.listed;
  const veiled = new Set(hidden);
  const seen = new Set(pids.filter((pid) => !veiled.has(pid)));
  const there = [...scene.host.processes()].map((process) => ({
    pid: process.pid,
    mappings: scene.mappedIn(process),
    descriptors: scene.filesIn(process),
  }));
  const last = continued(scene, isRenewed);
  for (const { pid, mappings, descriptors } of there) {
    const isSeen = seen.has(pid);
    for (const [mapping, file] of mappings) {
      if (isSeen ? last.mappings.has(`${pid} ${mapping}`) : !isRenewed(file)) continue;
      scene.tell({ type: 'mapping.removed', data: { pid, mapping } }, 'gone-from-the-host');
    }
    for (const [fd, file] of descriptors) {
      if (isSeen ? last.descriptors.has(`${pid} ${fd}`) : !isRenewed(file)) continue;
      scene.tell({ type: 'descriptor.closed', data: { pid, fd } }, 'gone-from-the-host');
    }
  }
}

/** The rule by which a process has ended; null if it has not, or if that is unknown. */
function endOf(scene: Scene, { pid, started }: PlayedProcess) {
  const { processes, listed, isComplete } = scene.reading;
  // A reading does not show what the kernel keeps. A process without a known pid is one of those read.
  if (pid === KERNEL_PID) return null;
  if (pid > KERNEL_PID) return isComplete && listed.isWhole ? 'gone-from-the-host' : null;
  if (listed.isWhole && !listed.pids.includes(pid)) return 'gone-from-the-host';
  const startedAt = processes.find((process) => process.pid === pid)?.startedAt ?? null;
  const isAnother = started !== null && startedAt !== null && startedAt !== started;
  return isAnother ? 'pid-used-again' : null;
}

/** Notes the contexts of files that will be opened again under a new device, to bind them again. */
function noteContexts(scene: Scene, process: PlayedProcess, isRenewed: IsRenewed) {
  for (const [fd, file] of scene.filesIn(process)) {
    if (file.context === null || file.kind !== 'device' || !isRenewed(file)) continue;
    scene.contexts.set(`${process.pid} ${fd}`, file.context);
  }
}

/**
 * The descriptors and mappings that the log knows and the reading confirms. Descriptors whose number
 * the log did not know get their number.
 */
function continued(scene: Scene, isRenewed: IsRenewed) {
  const descriptors = new Set<string>();
  const mappings = new Set<string>();
  const placed = new Set<string>();
  const taken = new Set<string>();
  const reopened = new Set<string>();
  const bound = new Set(
    scene.files.flatMap(({ group, cdev, mappings }) =>
      cdev !== null && mappings.length > 0 ? [group] : [],
    ),
  );
  // A device file that came from a group keeps the group open, so the group cannot be opened again. And
  // no device file comes from a group while a cdev of the group is bound.
  const isStale = ({ group, isGranted, context }: PlayedFile) =>
    group !== null &&
    ((reopened.has(group) && (isGranted || context !== null)) || (bound.has(group) && isGranted));
  for (const file of scene.files.toSorted((a, b) => rankOf(a) - rankOf(b))) {
    const isSame = (known: PlayedFile | undefined): known is PlayedFile =>
      known !== undefined &&
      !isRenewed(known) &&
      !(file.kind === 'group' && !file.isDeleted && hasDied(scene, known, isRenewed)) &&
      !(known.kind === 'device' && isStale(known)) &&
      mayBe(scene, known, file);
    const held = file.places.map((place) => scene.fileAt(place)).filter(isSame);
    const mapped = file.mappings.map((place) => scene.mappedAt(place)).filter(isSame);
    const found = held.find(({ id }) => !file.isProven || !taken.has(id));
    const id =
      found?.id ??
      (file.places.length === 0
        ? mapped[0]?.id
        : numbered(scene, file, (known, fd) => {
            const isNumber = (fd < 0 || known.kind === 'group') && !taken.has(known.id);
            return (isNumber || mapped.includes(known)) && isSame(known);
          }));
    if (id === undefined && file.kind === 'group' && file.group !== null) {
      if (isGroupOpen(scene, file.group)) reopened.add(file.group);
    }
    for (const { pid, address } of file.mappings) placed.add(`${pid} ${address}`);
    if (id === undefined) continue;
    taken.add(id);
    for (const place of file.places) {
      if (scene.fileAt(place)?.id === id) descriptors.add(`${place.pid} ${place.fd}`);
    }
    for (const place of file.mappings) {
      if (scene.mappedAt(place)?.id === id) mappings.add(`${place.pid} ${place.address}`);
    }
  }
  for (const { pid, mappings: read } of scene.reading.processes) {
    for (const { address } of read) {
      if (placed.has(`${pid} ${address}`) || typeof address !== 'number') continue;
      if (scene.mappedAt({ pid, address })?.isGranted) mappings.add(`${pid} ${address}`);
    }
  }
  return { descriptors, mappings };
}

/** Sorts group files first: a group that was opened again tells about its devices. */
function rankOf({ kind }: ReadFile): number {
  return kind === 'group' ? 0 : 1;
}

/** Whether all devices of a group file's group have changed. */
function hasDied({ before }: Scene, { group }: PlayedFile, isRenewed: IsRenewed): boolean {
  const members = [...before.devices()].filter(
    (device) => device.group === group && isVfio(device.driver),
  );
  return members.length > 0 && members.every(isRenewed);
}

function isGroupOpen({ host }: Scene, group: string): boolean {
  return [...host.files()].some(
    (file) => file.kind === 'group' && file.group === group && !file.isGone,
  );
}

/** Finds the file under another number, or none, and tells its number. Returns the id of the file. */
function numbered(
  scene: Scene,
  { places }: ReadFile,
  isIt: (known: PlayedFile, fd: number) => boolean,
): string | undefined {
  for (const { pid, fd: as } of places) {
    const process = scene.host.process(pid);
    for (const [fd, file] of process === undefined ? [] : scene.filesIn(process)) {
      if (!isIt(file, fd)) continue;
      const data = { pid, fd, as };
      scene.tell(
        { type: 'descriptor.duplicated', data },
        fd < 0 ? 'number-shown-by-the-host' : 'same-file',
      );
      return file.id;
    }
  }
  return undefined;
}

/** Whether a file of the log may be a file of the reading, by kind, group and device. */
function mayBe({ before }: Scene, known: PlayedFile, read: ReadFile): boolean {
  if (known.kind !== read.kind) return false;
  if (known.kind === 'group') {
    return known.group === read.group && (!known.isGone || read.isDeleted);
  }
  if (known.kind !== 'device') return true;
  if (!read.isAnonymous) return !known.isGranted && known.device === read.device;
  // A device file that was found open, with no node known, may have come from its group.
  const cdev = before.device(known.device ?? '')?.cdev ?? null;
  if (!known.isGranted && (known.context !== null || cdev !== null)) return false;
  return read.device === null || known.device === null || known.device === read.device;
}
