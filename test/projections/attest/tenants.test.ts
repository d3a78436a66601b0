import { expect, test } from 'vitest';
import {
  belongs,
  parseTenant,
  tenantsOf,
  type TenantMember,
} from '../../../projections/attest/tenants.ts';

const scope = (unit: string) => `/machine.slice/${unit}.scope/libvirt/emulator`;

function process(some: Partial<TenantMember>): TenantMember {
  return { pid: 4711, comm: 'qemu', cgroup: null, vm: null, ...some };
}

function isOf(word: string, some: Partial<TenantMember>, hasScope = false): boolean | null {
  return belongs(process(some), { ...parseTenant(word), hasScope });
}

test('pid:N is the process with that number', () => {
  expect(isOf('pid:4711', {})).toBe(true);
  expect(isOf('pid:04711', {})).toBe(true);
  expect(isOf('pid:471', {})).toBe(false);
  expect(isOf('pid:4711', { pid: null })).toBeNull();
});

test('comm:NAME is each process of that name; a process without a name may be any', () => {
  expect(isOf('comm:qemu', {})).toBe(true);
  expect(isOf('comm:qem', {})).toBe(false);
  expect(isOf('comm:qemu', { comm: null })).toBeNull();
  expect(isOf('comm:qemu', { comm: 'pid 4711' })).toBeNull();
  expect(isOf('comm:qemu', { pid: null, comm: 'somebody' })).toBeNull();
  expect(isOf('comm:qemu', { comm: 'somebody' })).toBe(false);
});

test('cgroup:PATH is that control group and those below it', () => {
  expect(isOf('cgroup:/a', { cgroup: '/a' })).toBe(true);
  expect(isOf('cgroup:a/', { cgroup: '/a/b' })).toBe(true);
  expect(isOf('cgroup:/', { cgroup: '/a/b' })).toBe(true);
  expect(isOf('cgroup:/a', { cgroup: '/ab' })).toBe(false);
  expect(isOf('cgroup:/a/b', { cgroup: '/a' })).toBe(false);
  expect(isOf('cgroup:/a', { cgroup: null })).toBeNull();
});

test.each([
  ['web', scope('machine-qemu\\x2d7\\x2dweb')],
  ['web-01.eu', scope('machine-qemu\\x2d12\\x2dweb\\x2d01.eu')],
  ['web', scope('machine-alice\\x2dqemu\\x2d7\\x2dweb')],
  ['qemu-3-x', scope('machine-qemu\\x2d7\\x2dqemu\\x2d3\\x2dx')],
  ['web', '/machine/qemu-7-web.libvirt-qemu/vcpu0'],
  ['web', '/machine/web.libvirt-qemu'],
  ['web', '/system/libvirtd.service/libvirt/qemu/web/emulator'],
  ['100', '/qemu.slice/100.scope'],
])('vm:%s is the machine whose control group is %s', (name, cgroup) => {
  expect(isOf(`vm:${name}`, { cgroup })).toBe(true);
  expect(isOf('vm:other', { cgroup, vm: 'another' })).toBe(false);
  expect(tenantsOf(process({ cgroup }))).toContainEqual({ kind: 'vm', id: name });
});

test('vm:NAME is the machine that the command line names', () => {
  expect(isOf('vm:web 1', { vm: 'web 1' })).toBe(true);
  expect(isOf('vm:web', { vm: 'db' })).toBe(false);
  expect(isOf('vm:web', { vm: null })).toBeNull();
  expect(isOf('vm:web', { vm: false })).toBeNull();
  expect(isOf('vm:web', { vm: false, cgroup: '/user.slice' })).toBe(false);
});

test('a process outside of scopes may be a machine that no scope is known of', () => {
  expect(isOf('vm:web', { cgroup: '/user.slice' })).toBeNull();
  expect(isOf('vm:web', { cgroup: '/user.slice' }, true)).toBe(false);
});

test('a scope may be of a machine whose name libvirt has shortened', () => {
  const cgroup = scope('machine-qemu\\x2d7\\x2dmyvm.eu');
  expect(isOf('vm:my_vm..eu', { cgroup })).toBeNull();
  expect(isOf('vm:my_vm..eu', { cgroup, vm: 'my_vm..eu' })).toBe(true);
  expect(isOf('vm:my_vm..eu', { cgroup, vm: 'myvm.eu' })).toBe(false);
  expect(isOf('vm:my-vm.eu', { cgroup })).toBe(false);
  const long = 'x'.repeat(70);
  const cut = scope(`machine-qemu\\x2d7\\x2d${'x'.repeat(57)}`);
  expect(isOf(`vm:${long}`, { cgroup: cut })).toBeNull();
  expect(isOf(`vm:${long}`, { cgroup: scope('machine-qemu\\x2d7\\x2dxxx') })).toBe(false);
});

test('Proxmox has a number for each machine, which may have a name besides', () => {
  const cgroup = '/qemu.slice/100.scope';
  expect(isOf('vm:web', { cgroup })).toBeNull();
  expect(isOf('vm:web', { cgroup, vm: 'web' })).toBe(true);
  expect(isOf('vm:web', { cgroup, vm: 'db' })).toBe(false);
  expect(isOf('vm:101', { cgroup })).toBe(false);
  expect(isOf('vm:100', { vm: 'web' })).toBeNull();
  expect(isOf('vm:db', { vm: 'web' })).toBe(false);
});

test.each(['', 'qemu', 'pid:', 'pid:x', 'pid:-1', 'vm:', 'file:f1', 'PID:1', 'vm'])(
  "'%s' is no tenant",
  (word) => {
    expect(() => parseTenant(word)).toThrow(/is not a tenant: expected pid:N, vm:NAME/);
  },
);
