/**
 * Tenants: one process, or all processes that share a virtual machine, a control group or a name.
 *
 * @module
 */
import { RequestError } from '../../events/ledger-error.ts';
import { KERNEL_PID, type NamedVm } from '../../processes/process-table.ts';
import type { Holder, Position } from '../shapes.ts';
import { isNumber, machineOf, mayBeNamed } from './vm-names.ts';

const tenantKinds = ['pid', 'vm', 'cgroup', 'comm'] as const;

/** `id` is a pid, the name of a virtual machine, the path of a control group or a `comm`. */
export interface Tenant {
  readonly kind: (typeof tenantKinds)[number];
  readonly id: string;
  /** Of a virtual machine: whether control groups name it. Then all its processes are in these. */
  readonly hasScope?: boolean;
  /** Of a pid: the life of the one process that had it in the range; left out if none had. */
  readonly life?: Life;
}

/** Half-open: from when to when a process ran. */
export interface Life {
  readonly from: number;
  /** Null: it has not ended. */
  readonly to: Position;
}

/** Whether a process that ran at a position can be the tenant's: its pid was not that of another. */
export function livedAt({ life }: Tenant, position: number): boolean {
  return life === undefined || (position >= life.from && position < (life.to ?? Infinity));
}

/** What the evidence calls a process; null for what it does not show. */
export interface TenantMember extends Pick<Holder, 'pid' | 'comm' | 'cgroup'> {
  /** Null, too, if it is left out. */
  readonly vm?: NamedVm;
}

/** Parses `pid:N`, `vm:NAME`, `cgroup:PATH` and `comm:NAME`. Throws `bad-request`. */
export function parseTenant(word: string): Tenant {
  const [, kind = '', id = ''] = /^([a-z]+):(.+)$/s.exec(word) ?? [];
  switch (kind) {
    case 'pid':
      if (/^\d+$/.test(id)) return { kind, id: String(Number(id)) };
      break;
    case 'cgroup':
      return { kind, id: `/${id.split('/').filter(Boolean).join('/')}` };
    case 'vm':
    case 'comm':
      return { kind, id };
  }
  throw new RequestError(
    `'${word}' is not a tenant: expected pid:N, vm:NAME, cgroup:PATH or comm:NAME`,
  );
}

/** The word for a tenant. */
export function wordOf({ kind, id }: Tenant): string {
  return `${kind}:${id}`;
}

/** Whether a process belongs to a tenant; null if the evidence does not tell. */
export function belongs(process: TenantMember, tenant: Tenant): boolean | null {
  const { comm, cgroup } = process;
  const { kind, id } = tenant;
  switch (kind) {
    case 'pid':
      return isNumbered(process) ? process.pid === Number(id) : null;
    case 'comm':
      return isNamed(process) ? comm === id : null;
    case 'cgroup':
      return cgroup === null ? null : isBelow(cgroup, id);
    case 'vm':
      return isOfMachine(process, tenant);
  }
}

/** The tenants that a process belongs to by its number and names. */
export function tenantsOf(process: TenantMember): Tenant[] {
  const { pid, comm, cgroup, vm = null } = process;
  const scope = cgroup === null ? null : machineOf(cgroup);
  const machines = new Set([vm === false ? null : vm, scope?.name ?? null]);
  machines.delete(null);
  return [
    ...(isNumbered(process) ? [{ kind: 'pid', id: String(pid) } as const] : []),
    ...[...machines].map((id) => ({ kind: 'vm', id: id ?? '' }) as const),
    ...(cgroup === null ? [] : [{ kind: 'cgroup', id: cgroup } as const]),
    ...(isNamed(process) ? [{ kind: 'comm', id: comm ?? '' } as const] : []),
  ];
}

/** Whether the number of a process is its own, and not one that stands for a number not shown. */
function isNumbered({ pid }: TenantMember): boolean {
  return pid !== null && pid < KERNEL_PID;
}

/** Whether the name of a process is its own: one without a name is called by its number. */
function isNamed(process: TenantMember): boolean {
  const { comm } = process;
  if (comm === null || /^pid \d+$/.test(comm)) return false;
  return comm !== NOBODY_NAMED || isNumbered(process);
}

/** The name of a process of which the evidence shows neither number nor name. */
const NOBODY_NAMED = 'somebody';

/** Whether the control group of a process is that of a virtual machine. */
export function isInScope({ cgroup }: TenantMember, name: string): boolean {
  return cgroup !== null && machineOf(cgroup)?.name === name;
}

/** Whether a control group is that of a path or below it; the path begins with a slash. */
function isBelow(cgroup: string, path: string): boolean {
  const its = cgroup.startsWith('/') ? cgroup : `/${cgroup}`;
  return path === '/' || its === path || its.startsWith(`${path}/`);
}

/**
 * The control group or the command line names a machine. If one of the two was not seen, it may name
 * the machine otherwise than the other: libvirt shortens names, and Proxmox counts machines.
 */
function isOfMachine(
  { cgroup, vm = null }: TenantMember,
  { id: name, hasScope }: Tenant,
): boolean | null {
  const scope = cgroup === null ? null : machineOf(cgroup);
  if (vm === name || scope?.name === name) return true;
  if (cgroup === null) return typeof vm === 'string' && !isNumber(name) ? false : null;
  if (typeof vm === 'string') return false;
  if (scope !== null) return mayBeNamed(scope, name) ? null : false;
  return vm === false || hasScope === true ? false : null;
}
