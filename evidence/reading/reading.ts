/**
 * `HostReading`: the VFIO state of a running Linux host as plain data, and a list of what was not seen.
 *
 * It cannot show what only the kernel holds: files in socket queues, references of VMs, and threads
 * with a descriptor table of their own.
 *
 * @module
 */

/** A reading of a host, or of a copy of its /proc, /sys and /dev. Null: not shown there. */
export interface HostReading {
  /** `/proc/sys/kernel/random/boot_id`. */
  readonly boot: string | null;
  /** The release: `6.12.9-amd64`. */
  readonly kernel: string | null;
  /** ISO 8601, to the second. */
  readonly bootedAt: string | null;
  readonly iommufd: boolean;
  /** The devices with an IOMMU group or a VFIO driver, by name. */
  readonly devices: readonly ReadDevice[];
  /** The nodes in `/dev/vfio`. */
  readonly nodes: readonly ReadNode[];
  /** The processes that hold VFIO files, by pid. */
  readonly processes: readonly ReadProcess[];
  /** What could not be seen, as sentences. */
  readonly unseen: readonly string[];
  /** Whether everything that is there could be read, with the descriptors of every process. */
  readonly isComplete: boolean;
  /** Whether `/sys` lists the devices: one that is not in the reading is gone. */
  readonly hasDevices: boolean;
  readonly listed: Listed;
}

/** All processes that `/proc` lists. */
export interface Listed {
  readonly pids: readonly number[];
  /** The pids whose descriptors or mappings could not be read. */
  readonly hidden: readonly number[];
  /** False if `/proc` may not list all processes, as in a pid namespace. */
  readonly isWhole: boolean;
}

/** A device in `/sys`. */
export interface ReadDevice {
  /** `0000:3b:00.0`, or the UUID of a mediated device. */
  readonly device: string;
  /** `26` or `noiommu-0`. */
  readonly group: string | null;
  readonly driver: string | null;
  /** `vfio2`; null also if the kernel has no device nodes. */
  readonly cdev: string | null;
  /** False if its folder or its driver in `/sys` cannot be read: then `driver` is unknown. */
  readonly isSeen: boolean;
}

/** A device node in `/dev/vfio`. */
export interface ReadNode {
  /** `/dev/vfio/26`, `/dev/vfio/vfio`, `/dev/vfio/devices/vfio2`. */
  readonly path: string;
  readonly kind: 'group' | 'container' | 'cdev';
  /** Major and minor, `244:3`. */
  readonly devnum: string | null;
}

/** A process that holds VFIO files. */
export interface ReadProcess {
  readonly pid: number;
  readonly comm: string | null;
  /** The path in the hierarchy of control groups. */
  readonly cgroup: string | null;
  /** The VM, container or unit of the control group, by `unitOf`. */
  readonly unit: string | null;
  /** The VM that its command line names, `false` if it names none; null or left out: it was not read. */
  readonly vm?: string | false | null;
  /** Start time in clock ticks since the boot. With the pid it identifies the process. */
  readonly startedAt: string | null;
  readonly descriptors: readonly ReadDescriptor[];
  readonly mappings: readonly ReadMapping[];
}

/** A descriptor of a VFIO or iommufd file. */
export interface ReadDescriptor {
  readonly fd: number;
  readonly kind: 'group' | 'container' | 'iommufd' | 'device';
  /** As `/proc` shows it: `anon_inode:[vfio-device]` or `/dev/vfio/26 (deleted)`. */
  readonly path: string;
  /** The group of a group file, or of the device. */
  readonly group: string | null;
  readonly device: string | null;
  /** The name of the opened node; null for a device that came from its group. */
  readonly cdev: string | null;
  /** Null if `/proc` does not show it. */
  readonly cloexec: boolean | null;
  /** Equal for descriptors that are known to share one `struct file`. */
  readonly file: number;
  /** Whether it is known for each other descriptor that it shares this file, or does not. */
  readonly isProvenFile: boolean;
}

/** A mapping of a device or iommufd file. */
export interface ReadMapping {
  readonly kind: 'device' | 'iommufd';
  /** A text `0x…` if a number would not be exact. */
  readonly address: number | string;
  /** In bytes. */
  readonly length: number;
  readonly path: string;
  readonly device: string | null;
  readonly group: string | null;
  readonly cdev: string | null;
  /** The file as in `ReadDescriptor`, if only one file of the process can be meant. */
  readonly file: number | null;
}
