/**
 * Random logs whose processes belong to tenants: some of their control groups and names are told, others
 * are not.
 *
 * @module
 */
import fc from 'fast-check';
import { KERNEL_PID } from '../../processes/process-table.ts';
import type { Judge, Label } from './brute-force-attest.ts';
import { drawFrom, type Draw } from './draw.ts';
import { partlySeen } from './partly-seen.ts';
import { anyLog, type Log } from './random-logs.ts';
import { unseenHost } from './unseen-hosts.ts';

/** The control group of a virtual machine, as libvirt and systemd name it. */
export const scopeOf = (name: string) => `/machine.slice/machine-qemu\\x2d7\\x2d${name}.scope`;

const names = ['qemu', 'dpdk'] as const;
const machines = ['web', 'db'] as const;
const paths = ['/a', '/a/b', '/ab'] as const;
const cgroups = [...paths, ...machines.map(scopeOf)];

/** How many of a hundred names and control groups are not told. */
const shareUntold = fc.constantFrom(0, 0, 20, 60);

/** The same log, in which each process gets a name and a control group as it is told of. */
function tenanted(log: Log, untold: number, draw: Draw): Log {
  const pick = <T>(some: readonly T[]): T => some[Math.floor(draw() * some.length)] as T;
  const isTold = () => draw() * 100 >= untold;
  return log.map((event) => {
    const { type, data } = event;
    if (type !== 'process.started' && type !== 'process.found' && type !== 'process.forked') {
      return event;
    }
    const comm = isTold() ? pick(names) : `pid ${data.pid}`;
    if (type === 'process.forked') return { ...event, data: { ...data, comm } } as typeof event;
    const cgroup = isTold() ? pick(cgroups) : null;
    return { ...event, data: { ...data, comm, cgroup } } as typeof event;
  });
}

export interface TenantedLog {
  readonly log: Log;
  /** For each position: whether something that had happened on the host is not in the log. */
  readonly missed: readonly boolean[];
}

const wholeHost = anyLog.map((log) => ({ log, missed: log.map(() => false) }));
const unseenBoot = unseenHost.map((log) => ({ log, missed: log.map(() => true) }));

export const tenantedLog: fc.Arbitrary<TenantedLog> = fc
  .tuple(fc.oneof(wholeHost, unseenBoot, partlySeen), shareUntold, fc.integer())
  .map(([{ log, missed }, untold, seed]) => {
    return { log: tenanted(log, untold, drawFrom(seed)), missed };
  });

/** The words for tenants that such a log may have, a kind after the other. */
export const tenantWords = (pids: readonly number[]): string[] => [
  ...pids.map((pid) => `pid:${pid}`),
  ...machines.map((name) => `vm:${name}`),
  ...paths.map((path) => `cgroup:${path}`),
  ...names.map((name) => `comm:${name}`),
];

/** Whether a process is of a tenant; null if that was not told. */
export function judgeOf(word: string): Judge {
  const [kind, id = ''] = word.split(':');
  return ({ pid, comm, cgroup }: Label) => {
    if (kind === 'pid') return pid > KERNEL_PID ? null : pid === Number(id);
    if (kind === 'comm') return isUntold(pid, comm) ? null : comm === id;
    if (cgroup === null) return null;
    return kind === 'vm' ? cgroup === scopeOf(id) : `${cgroup}/`.startsWith(`${id}/`);
  };
}

function isUntold(pid: number, comm: string): boolean {
  return comm.startsWith('pid ') || (pid > KERNEL_PID && comm === 'somebody');
}
