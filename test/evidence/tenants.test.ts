/**
 * What names the tenant of a process is kept: by traces, records of managers, readings and recorders.
 *
 * @module
 */
import { expect, test } from 'vitest';
import { LiveIdentities } from '../../evidence/live-identities.ts';
import type { LedgerEvent } from '../../events/vocabulary.ts';
import { openLedger, type Ledger } from '../../ledger.ts';

async function imported(format: string, ...lines: readonly string[]): Promise<Ledger> {
  const ledger = await openLedger(':memory:');
  await ledger.import(lines.join('\n'), { format });
  return ledger;
}

/** What the log says of each process, in order. */
const said = (ledger: Ledger): Record<string, unknown>[] =>
  ledger.events.flatMap(({ type, data }) => {
    if (!type.startsWith('process.')) return [];
    const { evidence: _evidence, ...rest } = data;
    return [{ type, ...rest }];
  });

test('strace: a command line names the VM, its children have it, and the next exec has another', async () => {
  const ledger = await imported(
    'strace',
    '7 execve("/usr/bin/qemu-system-x86_64", ["qemu-system-x86_64", "-name", "guest=vm1"], 0x7ff /* 9 vars */) = 0',
    '7 openat(AT_FDCWD, "/dev/vfio/vfio", O_RDWR) = 3',
    '7 fork() = 8',
    '8 execve("/bin/sh", ["sh"], 0x7ff /* 9 vars */) = 0',
    '8 execve("/bin/other", 0x7ff, 0x7ff /* 9 vars */) = 0',
    '8 close(3) = 0',
  );
  expect(said(ledger)).toEqual([
    { type: 'process.started', pid: 7, comm: 'qemu-system-x86', cgroup: null, vm: 'vm1' },
    { type: 'process.forked', pid: 7, child: 8, comm: 'qemu-system-x86' },
    { type: 'process.executed', pid: 8, comm: 'sh', vm: false },
    { type: 'process.executed', pid: 8, comm: 'other' },
  ]);
  expect(ledger.hostAt(ledger.head.position).process(7)?.vm).toBe('vm1');
  expect(ledger.hostAt(ledger.head.position).process(8)?.vm).toBeNull();
});

const UUID = '9c1f6f0e-54d7-4d6e-9a5b-0b1c2d3e4f50';
const audit = (serial: number, rest: string) =>
  `type=VIRT_CONTROL msg=audit(1772600767.${serial}:77): pid=9 uid=0 msg='virt=kvm ${rest} exe="/usr/sbin/libvirtd" res=success'`;

test('audit: a started domain names its process, until it is stopped', async () => {
  const ledger = await imported(
    'libvirt-audit',
    audit(100, `op=start reason=booted vm="win" uuid=${UUID} vm-pid=4711`),
    audit(200, `op=stop reason=shutdown vm="win" uuid=${UUID} vm-pid=-1`),
  );
  expect(said(ledger)).toEqual([
    { type: 'process.found', pid: 4711, comm: null, cgroup: null, vm: 'win' },
    { type: 'process.found', pid: 4711, comm: null, cgroup: null, vm: null },
  ]);
  const vms = ledger.events.map(({ position }) => ledger.hostAt(position).process(4711)?.vm);
  expect(vms.slice(-2)).toEqual(['win', null]);
  // Libvirt itself is the process of no domain.
  expect(said(ledger).map(({ pid }) => pid)).not.toContain(9);
});

const event = (type: string, data: object, time = '2026-01-01T00:01:00.000000Z'): LedgerEvent =>
  ({ id: `${type} ${JSON.stringify(data)}`, time, type, data }) as LedgerEvent;
const booted = Date.UTC(2026, 0, 1) * 1000;
const cgroup = '/machine.slice/machine-qemu\\x2d1\\x2dvm1.scope';

/** As `/proc` shows process 7, which started ten seconds after the boot; there is no other one. */
const read = (pid: number) => ({
  pid,
  comm: pid === 7 ? 'qemu' : null,
  cgroup: pid === 7 ? cgroup : null,
  unit: null,
  vm: pid === 7 ? 'vm1' : null,
  startedAt: pid === 7 ? '1000' : null,
});

const found = event('process.found', { pid: 7, comm: 'qemu', cgroup: null });
const named = {
  type: 'process.found',
  time: found.time,
  data: {
    pid: 7,
    comm: null,
    cgroup,
    vm: 'vm1',
    started: '1000',
    evidence: { line: null, certainty: 'inferred', rule: 'read-from-the-host' },
  },
};

test('a recorder reads what names a process when it first sees it, and after an exec', () => {
  const identities = new LiveIdentities(booted, read);
  const exec = event('process.executed', { pid: 7 });
  expect(identities.addTo([found])).toMatchObject([found, named]);
  expect(identities.addTo([found, exec])).toMatchObject([found, exec, named]);
  const exited = event('process.exited', { pid: 7, signal: null });
  expect(identities.addTo([exited, found])).toMatchObject([exited, found, named]);
});

test('not of a process that has ended, nor of another one with the pid', () => {
  const identities = new LiveIdentities(booted, read);
  const gone = event('process.found', { pid: 8, comm: 'gone', cgroup: null });
  expect(identities.addTo([gone])).toEqual([gone]);
  const before = event(
    'process.found',
    { pid: 7, comm: 'qemu', cgroup: null },
    '2026-01-01T00:00:09Z',
  );
  expect(identities.addTo([before])).toEqual([before]);
});

test('a child has what its parent has', () => {
  const identities = new LiveIdentities(booted, read);
  const forked = event('process.forked', { pid: 6, child: 7, comm: 'qemu' });
  expect(identities.addTo([forked, found])).toEqual([forked, found]);
});
