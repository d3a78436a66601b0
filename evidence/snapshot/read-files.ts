/**
 * Open files as a reading of the host shows them: each with the places where it is held.
 *
 * @module
 */
import type { HostReading, ReadDescriptor, ReadMapping } from '../reading/reading.ts';
import { groupNamed } from '../witness/nodes.ts';

/** A descriptor that stands for a file. */
export interface ReadPlace {
  readonly pid: number;
  readonly fd: number;
  readonly cloexec: boolean | null;
  /** A number of our own: the descriptor was closed, and a mapping made with it is there. */
  readonly isClosed: boolean;
}

export interface ReadFile {
  readonly kind: ReadDescriptor['kind'];
  /** Of a group's file its group, of a device's that of the device, by its number. */
  readonly group: string | null;
  /** A device that nobody has named goes by its node. */
  readonly device: string | null;
  readonly cdev: string | null;
  /** Whether it is a device's that came from its group, and so has no path. */
  readonly isAnonymous: boolean;
  readonly isDeleted: boolean;
  /** Whether it is known to be another than every other. */
  readonly isProven: boolean;
  readonly places: ReadPlace[];
  readonly mappings: { readonly pid: number; readonly address: number }[];
}

/** The device behind a node, where `/sys` does not say it. */
type DeviceBehind = (cdev: string) => string;

/** The files of a reading, and what mappings of it nobody can say the file of, in words. */
export function readFiles(
  reading: HostReading,
  deviceBehind: DeviceBehind,
): { readonly files: ReadFile[]; readonly unseen: readonly string[] } {
  const byIndex = new Map<number, ReadFile>();
  for (const { pid, descriptors } of reading.processes) {
    for (const descriptor of descriptors) {
      const { file, fd, cloexec, isProvenFile: isProven } = descriptor;
      const known = byIndex.get(file) ?? { ...subjectOf(descriptor, deviceBehind), isProven };
      known.places.push({ pid, fd, cloexec, isClosed: false });
      byIndex.set(file, known);
    }
  }
  const files = [...byIndex.values()];
  const unseen: string[] = [];
  for (const { pid, comm, mappings } of reading.processes) {
    let unplaced = 0;
    for (const mapping of mappings) {
      const { address } = mapping;
      if (typeof address !== 'number') continue;
      const file =
        (mapping.file === null ? undefined : byIndex.get(mapping.file)) ??
        fileMapped(files, pid, mapping, deviceBehind);
      if (file === null) unplaced++;
      else file.mappings.push({ pid, address });
    }
    if (unplaced > 0) {
      unseen.push(`of which device ${unplaced} mappings of ${comm ?? 'pid'}[${pid}] are`);
    }
  }
  return { files, unseen };
}

/** What a mapping is of whose file the reading does not say; null where that may be several. */
function fileMapped(
  files: ReadFile[],
  pid: number,
  mapping: ReadMapping,
  deviceBehind: DeviceBehind,
): ReadFile | null {
  const fresh: ReadFile = { ...subjectOf(mapping, deviceBehind), isProven: true };
  const alike = files.filter(
    ({ kind, cdev, device, places, mappings }) =>
      kind === fresh.kind &&
      cdev === fresh.cdev &&
      (fresh.device === null || device === null || device === fresh.device) &&
      (places.length > 0 || mappings.some((other) => other.pid === pid)),
  );
  const own = alike.filter((file) => [...file.places, ...file.mappings].some((p) => p.pid === pid));
  // A cdev that is mapped is bound, and no device is bound by two files.
  const [only, ...others] = own.length > 0 ? own : fresh.cdev === null ? [] : alike;
  if (only !== undefined) {
    return others.length === 0 || fresh.cdev !== null ? only : null;
  }
  files.push(fresh);
  return fresh;
}

function subjectOf(
  shown: ReadDescriptor | ReadMapping,
  deviceBehind: DeviceBehind,
): Omit<ReadFile, 'isProven'> {
  const { kind, group, device, cdev, path } = shown;
  return {
    kind,
    group: group === null ? null : groupNamed(group),
    device: device ?? (cdev === null ? null : deviceBehind(cdev)),
    cdev,
    isAnonymous: kind === 'device' && cdev === null,
    isDeleted: path.endsWith(' (deleted)'),
    places: [],
    mappings: [],
  };
}
