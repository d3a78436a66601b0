/**
 * The open files of a reading of the host, each with its descriptors and mappings.
 *
 * @module
 */
import type { HostReading, ReadDescriptor, ReadMapping } from '../reading/reading.ts';
import { groupNamed } from '../witness/nodes.ts';

/** A descriptor of a file. `cloexec` is null if it was not read. */
export interface ReadPlace {
  readonly pid: number;
  readonly fd: number;
  readonly cloexec: boolean | null;
  /** The descriptor is closed and `fd` is made up: only a mapping made with it is left. */
  readonly isClosed: boolean;
}

/** An open file: one `struct file`, as far as the reading can tell files apart. */
export interface ReadFile {
  readonly kind: ReadDescriptor['kind'];
  /** The number of the group of a group file or of a device. */
  readonly group: string | null;
  /** The address of the device. The name of its node (`vfio3`) if the address is unknown. */
  readonly device: string | null;
  readonly cdev: string | null;
  /** Whether it is a device file that came from a group and so has no path. */
  readonly isAnonymous: boolean;
  readonly isDeleted: boolean;
  /** Whether it is certainly a `struct file` different from all others. */
  readonly isProven: boolean;
  readonly places: ReadPlace[];
  readonly mappings: { readonly pid: number; readonly address: number }[];
}

/** Gives the device of a cdev that `/sys` does not show. */
type DeviceBehind = (cdev: string) => string;

/** The files of a reading. `unseen`: sentences about mappings whose file is unknown. */
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

/** The file of a mapping for which the reading shows no file; null if several files are possible. */
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
  // A cdev that is mapped is bound, and a device cannot be bound by two files.
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
