/**
 * Scripts in place of strace and bpftrace: each prints lines that were written down before.
 *
 * @module
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { expect, vi } from 'vitest';

/** A line as `bpftrace -f json` prints it, at so many seconds since boot. */
export function bpftraceLine(seconds: number, ev: string, rest: string, pid = 4711): string {
  const data = `{"t":${seconds}000000000,"pid":${pid},"tid":${pid},"comm":"vmm","ev":"${ev}",${rest}}\n`;
  return JSON.stringify({ type: 'printf', data });
}

/** What bpftrace prints once it has attached. */
export const attached = '{"type": "attached_probes", "data": {"probes": 13}}';
const iommufdFlags = '"flags":2,"rc":3,"file":"0xff01","path":"/dev/iommu"';
export const opened = bpftraceLine(100, 'open', iommufdFlags);
const deviceFlags = '"flags":2,"rc":4,"file":"0xff02","path":"/dev/vfio/devices/vfio0"';
export const deviceOpened = bpftraceLine(101, 'open', deviceFlags);
const bind = '"fd":4,"cmd":"0x3b76","argsz":16,"flags":0,"iommufd":3,"id":1,"rc":0';
export const bound = bpftraceLine(102, 'ioctl', bind);
export const closed = bpftraceLine(103, 'close', '"fd":4,"rc":0');

/** A line for `sh` that prints lines, and does something else before and then. */
export function tracerLine(
  path: string,
  lines: readonly string[],
  then: string,
  before: readonly string[] = [],
): string {
  writeFileSync(`${path}.txt`, lines.map((line) => `${line}\n`).join(''));
  writeFileSync(path, [...before, `cat ${path}.txt`, `${then}\n`].join('\n'));
  return `sh ${path}`;
}

/** Written as strace writes them: a process opens a device and binds it to an iommufd. */
const binds = [
  '100 execve("/usr/bin/vmm", ["vmm"], 0x7ffc /* 9 vars */) = 0',
  '100 openat(AT_FDCWD</>, "/dev/iommu", O_RDWR|O_CLOEXEC) = 3</dev/iommu>',
  '100 openat(AT_FDCWD</>, "/dev/vfio/devices/vfio0", O_RDWR) = 4</dev/vfio/devices/vfio0>',
  '100 ioctl(4</dev/vfio/devices/vfio0>, VFIO_DEVICE_BIND_IOMMUFD, 0x7ffc) = 0',
  '100 openat(AT_FDCWD</>, "/dev/vfio/26", O_RDWR) = -1 EBUSY (Device or resource busy)',
];
const ends = ['100 exit_group(0) = ?', '100 +++ exited with 0 +++'];
/** It leaves a child behind, which has both files. */
export const leaving = [
  ...binds,
  '100 clone(child_stack=NULL, flags=CLONE_CHILD_CLEARTID|SIGCHLD, child_tidptr=0x7f) = 101',
  ...ends,
];
export const closing = [...binds, '100 close(4</dev/vfio/devices/vfio0>) = 0', ...ends];

/** A program that takes the options of strace, writes these lines, and runs the command. */
export function straceScript(
  path: string,
  lines: readonly string[],
  besides = '',
): readonly [program: string, script: string] {
  const trace = lines.map((line, at) => line.replace(' ', ` ${1_900_000_000 + at}.000000 `));
  writeFileSync(`${path}.txt`, trace.map((line) => `${line}\n`).join(''));
  writeFileSync(
    path,
    `while [ "$1" != -- ]; do [ "$1" != -o ] || out=$2; shift; done
shift
cat ${path}.txt >"$out"
${besides}
exec "$@"
`,
  );
  return ['sh', path];
}

/** Waits for the process to end whose pid a file holds. */
export async function endOf(pidFile: string): Promise<void> {
  const status = `/proc/${readFileSync(pidFile, 'utf8').trim()}/status`;
  // A process that has ended is there until its parent has asked how.
  const isRunning = () => existsSync(status) && !/^State:\tZ/m.test(readFileSync(status, 'utf8'));
  await vi.waitFor(() => expect(isRunning()).toBe(false), { timeout: 10_000 });
}
