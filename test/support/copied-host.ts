/**
 * A copy of the files by which a host shows its VFIO state, as `cp -a` makes it of a living one.
 *
 * @module
 */
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path/posix';

interface CopiedDevice {
  /** `0000:3b:00.0`, or the UUID of a mediated device. */
  readonly device: string;
  /** `26`, `noiommu-0`. */
  readonly group?: string;
  readonly driver?: string;
  readonly cdev?: string;
}

interface CopiedDescriptor {
  readonly path: string;
  /** Said in `fdinfo`, as since Linux 6.18. */
  readonly device?: string;
  readonly cloexec?: boolean;
  readonly inode?: number;
  readonly mount?: number;
}

interface CopiedProcess {
  readonly pid: number;
  readonly comm?: string;
  readonly cgroup?: string;
  readonly commandLine?: readonly string[];
  readonly startedAt?: number;
  /** By number; text is a path. */
  readonly descriptors?: Readonly<Record<number, string | CopiedDescriptor>>;
  /** Lines of `maps`. */
  readonly maps?: readonly string[];
}

export interface CopiedHost {
  readonly boot?: string;
  readonly kernel?: string;
  /** Seconds since 1970. */
  readonly bootedAt?: number;
  readonly iommufd?: boolean;
  readonly devices?: readonly CopiedDevice[];
  /** Beside the first, which holds nothing. */
  readonly processes?: readonly CopiedProcess[];
}

const O_RDWR = 0o100002;
const O_CLOEXEC = 0o2000000;

/** Writes the copy into a folder, and returns that. */
export function copiedHost(dir: string, host: CopiedHost): string {
  const {
    boot = '6c1c3a0e-7d0c-4a0c-9a55-3c1b6f0e1d2a',
    kernel = '6.12.9-amd64',
    bootedAt = 1_780_000_000,
    iommufd = true,
  } = host;
  write(dir, '/proc/sys/kernel/random/boot_id', `${boot}\n`);
  write(dir, '/proc/sys/kernel/osrelease', `${kernel}\n`);
  write(dir, '/proc/stat', `cpu 1 2 3\nbtime ${bootedAt}\nprocesses 9\n`);
  for (const folder of ['/sys/kernel/iommu_groups', '/sys/bus/pci/devices', '/dev']) {
    mkdirSync(join(dir, folder), { recursive: true });
  }
  charDevice(dir, 'misc', 'vfio', '10:196');
  write(dir, '/dev/vfio/vfio', '');
  if (iommufd) {
    charDevice(dir, 'misc', 'iommu', '10:124');
    write(dir, '/dev/iommu', '');
  }
  for (const device of host.devices ?? []) plug(dir, device);
  for (const process of [{ pid: 1, comm: 'init' }, ...(host.processes ?? [])]) {
    start(dir, process);
  }
  return dir;
}

/** Writes a file below a folder. */
export function write(dir: string, path: string, text: string): void {
  mkdirSync(join(dir, dirname(path)), { recursive: true });
  writeFileSync(join(dir, path), text);
}

/** Makes a symbolic link below a folder; it leads to `target` as seen from within. */
export function link(dir: string, path: string, target: string): void {
  mkdirSync(join(dir, dirname(path)), { recursive: true });
  symlinkSync(relative(dirname(path), target), join(dir, path));
}

function charDevice(dir: string, group: string, name: string, devnum: string): void {
  write(dir, `/sys/devices/virtual/${group}/${name}/dev`, `${devnum}\n`);
  link(dir, `/sys/class/${group}/${name}`, `/sys/devices/virtual/${group}/${name}`);
}

function plug(dir: string, { device, group, driver, cdev }: CopiedDevice): void {
  const isPci = /^[\da-f]{4}:/.test(device);
  const place = `/sys/devices/pci0000:00/${device}`;
  mkdirSync(join(dir, place), { recursive: true });
  if (isPci) link(dir, `/sys/bus/pci/devices/${device}`, place);
  if (driver !== undefined) link(dir, `${place}/driver`, `/sys/bus/pci/drivers/${driver}`);
  if (group !== undefined) {
    const number = group.replace('noiommu-', '');
    link(dir, `/sys/kernel/iommu_groups/${number}/devices/${device}`, place);
    link(dir, `${place}/iommu_group`, `/sys/kernel/iommu_groups/${number}`);
    if (driver?.startsWith('vfio') === true) {
      write(dir, `/dev/vfio/${group}`, '');
      write(dir, `/sys/devices/virtual/vfio/${group}/dev`, `244:${number}\n`);
    }
  }
  if (cdev !== undefined) {
    write(dir, `/dev/vfio/devices/${cdev}`, '');
    write(dir, `${place}/vfio-dev/${cdev}/dev`, `243:${cdev.replace('vfio', '')}\n`);
    link(dir, `${place}/vfio-dev/${cdev}/device`, place);
    link(dir, `/sys/class/vfio-dev/${cdev}`, `${place}/vfio-dev/${cdev}`);
  }
}

function start(dir: string, process: CopiedProcess): void {
  const { pid, comm = 'qemu-system-x86', cgroup = '/', startedAt = pid * 100 } = process;
  const folder = `/proc/${pid}`;
  write(dir, `${folder}/comm`, `${comm}\n`);
  write(dir, `${folder}/cgroup`, `0::${cgroup}\n`);
  const { commandLine = [] } = process;
  write(dir, `${folder}/cmdline`, commandLine.map((argument) => `${argument}\0`).join(''));
  const fields = ['S', 1, pid, pid, 0, -1, 4194560, ...Array.from({ length: 12 }, () => 0)];
  write(dir, `${folder}/stat`, `${pid} (${comm}) ${[...fields, startedAt, 0, 0].join(' ')}\n`);
  write(dir, `${folder}/maps`, (process.maps ?? []).map((line) => `${line}\n`).join(''));
  mkdirSync(join(dir, folder, 'fd'));
  for (const [fd, shown] of Object.entries(process.descriptors ?? {})) {
    const {
      path,
      device,
      cloexec = false,
      inode = 1057,
      mount = 26,
    }: CopiedDescriptor = typeof shown === 'string' ? { path: shown } : shown;
    symlinkSync(path, join(dir, folder, 'fd', fd));
    const flags = (O_RDWR + (cloexec ? O_CLOEXEC : 0)).toString(8).padStart(8, '0');
    const syspath =
      device === undefined
        ? ''
        : `vfio-device-syspath: /sys/devices/pci0000:00/0000:00:01.0/${device}\n`;
    const info = `pos:\t0\nflags:\t${flags}\nmnt_id:\t${mount}\nino:\t${inode}\n${syspath}`;
    write(dir, `${folder}/fdinfo/${fd}`, info);
  }
}
