/**
 * The VFIO state of a running Linux host as plain data: what was seen, and what was not.
 *
 * What the kernel itself holds has no place here: files in flight over sockets, VMs' references,
 * threads with a descriptor table of their own.
 *
 * @module
 */

export interface HostReading {
  /** `/proc/sys/kernel/random/boot_id`. */
  readonly boot: string | null;
  /** The release: `6.12.9-amd64`. */
  readonly kernel: string | null;
  /** ISO 8601, to the second. */
  readonly bootedAt: string | null;
  readonly iommufd: boolean;
  /** Those with an IOMMU group or a VFIO driver, by name. */
  readonly devices: readonly ReadDevice[];
  /** What is in `/dev/vfio`. */
  readonly nodes: readonly ReadNode[];
  /** Those that hold something of VFIO, by pid. */
  readonly processes: readonly ReadProcess[];
  /** What could not be seen, in words for people. */
  readonly unseen: readonly string[];
  /** Whether the descriptors and the mappings of every process could be read. */
  readonly isComplete: boolean;
  /** Whether `/sys` says which devices there are. */
  readonly hasDevices: boolean;
  readonly listed: Listed;
}

/** What `/proc` lists, whether or not it holds something of VFIO. */
export interface Listed {
  readonly pids: readonly number[];
  /** Those of which the descriptors or the mappings could not be read. */
  readonly hidden: readonly number[];
  /** False where processes may be there that it does not list. */
  readonly isWhole: boolean;
}

export interface ReadDevice {
  /** `0000:3b:00.0`; of a mediated device its UUID. */
  readonly device: string;
  /** `26`, `noiommu-0`. */
  readonly group: string | null;
  readonly driver: string | null;
  /** `vfio2`; null too where the kernel has no device nodes. */
  readonly cdev: string | null;
  /** False where its folder of `/sys` is not there: then nobody knows of a driver. */
  readonly isSeen: boolean;
}

export interface ReadNode {
  /** `/dev/vfio/26`, `/dev/vfio/vfio`, `/dev/vfio/devices/vfio2`. */
  readonly path: string;
  readonly kind: 'group' | 'container' | 'cdev';
  /** Major and minor, `244:3`. */
  readonly devnum: string | null;
}

export interface ReadProcess {
  readonly pid: number;
  readonly comm: string | null;
  /** Path within the hierarchy of control groups. */
  readonly cgroup: string | null;
  /** The VM, container or unit that the control group is of, readably: see `unitOf`. */
  readonly unit: string | null;
  /** In clock ticks since the boot: with the pid, which process it is. */
  readonly startedAt: string | null;
  readonly descriptors: readonly ReadDescriptor[];
  readonly mappings: readonly ReadMapping[];
}

export interface ReadDescriptor {
  readonly fd: number;
  readonly kind: 'group' | 'container' | 'iommufd' | 'device';
  /** As `/proc` shows it, `anon_inode:[vfio-device]` or `/dev/vfio/26 (deleted)`. */
  readonly path: string;
  /** Of a device its group. */
  readonly group: string | null;
  readonly device: string | null;
  /** The node that was opened; null for a device that came from its group. */
  readonly cdev: string | null;
  /** Null where `/proc` does not say. */
  readonly cloexec: boolean | null;
  /** Equal for descriptors that are known to stand for one `struct file`. */
  readonly file: number;
  /** Whether it is known of every other descriptor if that stands for this file too. */
  readonly isProvenFile: boolean;
}

export interface ReadMapping {
  readonly kind: 'device' | 'iommufd';
  /** `0x…` where a number would not be exact. */
  readonly address: number | string;
  /** In bytes. */
  readonly length: number;
  readonly path: string;
  readonly device: string | null;
  readonly group: string | null;
  readonly cdev: string | null;
  /** The file, where the process has one descriptor that it can be of. */
  readonly file: number | null;
}
