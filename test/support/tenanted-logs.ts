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
export const machines = ['web', 'db'] as const;
const paths = ['/a', '/a/b', '/ab'] as const;
const cgroups = [...paths, ...machines.map(scopeOf)];

const naming: ReadonlySet<string> = new Set([
  'process.started',
  'process.found',
  'process.forked',
  'process.executed',
]);

/** How many of a hundred names and control groups are not told. */
const shareUntold = fc.constantFrom(0, 0, 20, 60);

/** The same log, in which each process gets a name and a control group as it is told of. */
function tenanted(log: Log, untold: number, draw: Draw): Log {
  const pick = <T>(some: readonly T[]): T => some[Math.floor(draw() * some.length)] as T;
  const isTold = () => draw() * 100 >= untold;
  return log.map((event) => {
    const { type, data } = event;
    if (!naming.has(type) || !('pid' in data)) return event;
    const comm = isTold() ? pick(names) : `pid ${data.pid}`;
    const vm = pick([{}, { vm: null }, { vm: false }, { vm: 'web' }, { vm: 'db' }]);
    const cgroup = { cgroup: isTold() ? pick(cgroups) : null };
    const told = {
      ...(type !== 'process.executed' && { comm }),
      ...(type !== 'process.forked' && vm),
      ...(/^process\.(started|found)$/.test(type) && cgroup),
    };
    return { ...event, data: { ...data, ...told } } as typeof event;
  });
}

export interface TenantedLog {
  readonly log: Log;
  /** For each position: whether something that had happened on the host is not in the log. */
  readonly missed: readonly boolean[];
}

const wholeHost = anyLog.map((log) => ({ log, missed: log.map(() => false) }));
/** A reading of everything is believed, also where one was put in at random. */
const unseenBoot = unseenHost.map((log) => ({
  log,
  missed: log.map(({ type, data }) => !(type === 'snapshot.taken' && data.complete)),
}));

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

/**
 * Whether a process is of a tenant; null if that was not told. `inScope` are the machines that any
 * control group names.
 */
export function judgeOf(word: string, inScope: ReadonlySet<string>): Judge {
  const [kind, id = ''] = word.split(':');
  return ({ pid, comm, cgroup, vm }: Label) => {
    if (kind === 'pid') return pid > KERNEL_PID ? null : pid === Number(id);
    if (kind === 'comm') return isUntold(pid, comm) ? null : comm === id;
    if (kind === 'cgroup') return cgroup === null ? null : `${cgroup}/`.startsWith(`${id}/`);
    if (vm === id || cgroup === scopeOf(id)) return true;
    // What one of the two does not name, the other one might.
    if (cgroup === null) return typeof vm === 'string' ? false : null;
    const isPlain = machines.every((name) => cgroup !== scopeOf(name));
    return isPlain && vm === null && !inScope.has(id) ? null : false;
  };
}

function isUntold(pid: number, comm: string): boolean {
  return comm.startsWith('pid ') || (pid > KERNEL_PID && comm === 'somebody');
}
