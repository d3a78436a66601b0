import { execSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { paintFor } from '../../cli/paint.ts';
import type { Fact } from '../../events/vocabulary.ts';
import { openLedger } from '../../ledger.ts';
import { commandFor } from '../../words/candidates.ts';
import { columns, printableLine } from '../../words/columns.ts';
import { word } from '../../words/event-data.ts';
import { violationWords } from '../../words/invariants.ts';
import { spanWords } from '../../words/leaks.ts';
import { moreWords } from '../../words/moments.ts';
import { holdersWords, hiddenWords } from '../../words/owners.ts';

test('columns are as wide as what stands in them, colour aside, and lines end where they end', () => {
  const rows = [
    ['1', { text: 'unknown', tone: 'unknown' }, 'x'],
    ['1234', 'a', ''],
  ] as const;
  expect(columns(rows, ['N', 'OWNER']).map((line) => printableLine(line))).toEqual([
    'N     OWNER',
    '1     unknown  x',
    '1234  a',
  ]);
  const bright = paintFor({ isTTY: true }, {});
  expect(printableLine(columns(rows)[0]!, bright)).toBe('1     \u001b[33munknown\u001b[39m  x');
});

test('a value that would read as something else is quoted', () => {
  expect(['plain/été', 'two words', 'null', 'a=b', '', null, 7].map(word)).toEqual([
    'plain/été',
    '"two words"',
    '"null"',
    '"a=b"',
    '""',
    'null',
    '7',
  ]);
});

test('holders are listed by process', () => {
  const holder = { cgroup: null, file: 'f1' };
  const held = [
    { ...holder, pid: 7, comm: 'qemu', via: 'fd', fd: 3 },
    { ...holder, pid: 7, comm: 'qemu', via: 'fd', fd: 5 },
    { ...holder, pid: 7, comm: 'qemu', via: 'mapping', fd: null },
    { ...holder, pid: 8, comm: 'pid 8', via: 'fd', fd: 3 },
    { ...holder, pid: null, comm: null, via: 'kernel', fd: null },
  ] as const;
  expect(holdersWords(held)).toBe('qemu[7] fd 3, 5, mapping; pid 8 fd 3; file f1');
  expect(holdersWords([])).toBe('-');
});

test('what is left out is counted, and is one or several', () => {
  expect([moreWords(3), moreWords(1, 'line'), moreWords(2, 'line')]).toEqual([
    'and 3 more',
    'and 1 more line',
    'and 2 more lines',
  ]);
  expect([hiddenWords(1), hiddenWords(2)]).toEqual([
    '1 group without a VFIO driver is not shown',
    '2 groups without a VFIO driver are not shown',
  ]);
});

test('what was done and not let go is told as lists, which a face may shorten', () => {
  const at = { position: 7, time: null };
  const by = { pid: 9, comm: 'qemu' };
  const file = { kind: 'device', device: '0000:3b:00.0', group: '26' } as const;
  const call = { ...at, ...by, ...file, fd: 3 };
  const holder = { ...by, cgroup: null, via: 'fd', fd: 3, file: 'f7' } as const;
  const span = {
    opened: [{ ...call, file: 'f7', isSeen: true, released: null }],
    bound: [],
    refused: [],
    held: [{ ...holder, ...file }],
    owned: [],
    coverage: { from: 0, to: 9, fromTime: null, toTime: null, unknown: [] },
  };
  expect(spanWords(span)).toEqual([
    'Opened:',
    '  position 7  qemu[9]  fd 3  device 0000:3b:00.0 (group 26)  NOT RELEASED',
    'Still held:',
    '  qemu[9]  fd 3  device 0000:3b:00.0 (group 26)',
  ]);
  const short = spanWords(span, (title, rows) => [`${title} ${rows.length}`]);
  expect(short).toEqual(['Opened: 1', 'Bound: 0', 'Refused: 0', 'Still held: 1']);
});

test('verify says what the rules say could not have happened', async () => {
  const ledger = await openLedger(':memory:');
  const [device, absent] = ['0000:3b:00.0', '0000:5e:00.0'];
  const host = { boot: 'b', kernel: '7.3.4', profile: 'linux-7.3', iommufd: true };
  const node = { driver: 'vfio-pci', cdev: 'vfio0' };
  const facts: Fact[] = [
    { type: 'host.booted', data: { ...host, simulated: false } },
    { type: 'device.added', data: { device, group: '26', name: null, model: null, ...node } },
    { type: 'process.started', data: { pid: 7, comm: 'qemu', cgroup: null } },
    { type: 'driver.unbound', data: { device: absent, driver: 'nvme' } },
    { type: 'driver.settled', data: { device, driver: 'nvme' } },
    { type: 'group.opened', data: { pid: 7, fd: 3, group: '99', cloexec: false } },
    { type: 'driver.bound', data: { device, ...node } },
    {
      type: 'operation.refused',
      data: { operation: 'open_iommufd', errno: 'EACCES', pid: 7, cloexec: false },
    },
  ];
  const idOf = (position: number) => String(position).padStart(24, '0');
  await ledger.append(
    -1,
    facts.map((fact, position) => ({ ...fact, id: idOf(position), time: null })),
  );
  await ledger.refresh();
  const { faults } = ledger.verify({ head: `3:${'0'.repeat(64)}` });
  expect(faults.map(({ position, kind, detail }) => `${position} ${kind}: ${detail}`)).toEqual([
    `3 rules: driver.unbound: there is no device ${absent}`,
    `4 rules: ${device} was seen with driver nvme, but should have vfio-pci`,
    '5 rules: open_group passed; by linux-7.3 it would get ENOENT, no-such-node',
    '5 rules: group.opened: the node does not exist',
    "6 rules: device in state 'idle' does not admit 'driver.bound'",
    '7 rules: open_iommufd got EACCES; by linux-7.3 it would pass',
    '3 head: not the head that was kept: the hash differs',
  ]);
});

test('a refusal says its cause in the same sentence wherever it is told', async () => {
  const ledger = await openLedger(':memory:');
  const gpu = { name: 'gpu', bdf: '0000:3b:00.0', group: 26, driver: 'vfio-pci' };
  const topology = { kernel: '6.1.0', iommufd: false, devices: [gpu] };
  const scenario = 'open_group G gpu\nopen_group H gpu\n';
  await ledger.simulate(scenario, { topology, profile: 'linux-6.1' });
  const cause = 'group-already-open';
  const summary = 'another file of the group is open; only one can be open at a time';
  expect(ledger.why('gpu')).toMatchObject({ cause, summary });
  expect(ledger.between('start', 'end').refused).toMatchObject([{ cause, summary }]);
});

test('a violation of an invariant is told with the files and drivers that make it', () => {
  const group = '26';
  const told = [
    violationWords({ invariant: 'one-context-per-group', group, by: { owners: ['f4', 'f9'] } }),
    violationWords({
      invariant: 'no-user-owner-beside-kernel-driver',
      group,
      by: { owner: 'f4', driver: 'xhci_hcd' },
    }),
    violationWords({
      invariant: 'no-group-file-beside-bound-cdev',
      group,
      by: { open: ['f9'], bound: ['f4', 'f6'] },
    }),
    violationWords({ invariant: 'one-open-file-per-group', group, by: { open: ['f4', 'f9'] } }),
    violationWords({
      invariant: 'one-bound-file-per-device',
      group,
      by: { device: '0000:3b:00.0', open: ['f4', 'f9'] },
    }),
    violationWords({ invariant: 'container-device-keeps-group-open', group, by: { open: 'f9' } }),
    violationWords({ invariant: 'release-ends-ownership', group, by: { owner: 'f4' } }),
    violationWords({ invariant: 'owner-is-claimed', group, by: { owner: null, claimed: ['f4'] } }),
    violationWords({ invariant: 'owner-is-claimed', group, by: { owner: 'f4', claimed: [] } }),
  ];
  expect(told).toEqual([
    'group 26 is claimed by f4 and f9',
    'group 26 is claimed by f4 while xhci_hcd does DMA in it',
    'group 26 is open as f9 while f4, f6 is bound',
    'group 26 is open as f4, f9',
    'device 0000:3b:00.0 is open through f4, f9',
    'f9 is open, and no file of group 26 is',
    'group 26 is owned by f4, which nothing keeps alive',
    'group 26 is owned by nobody, claimed by f4',
    'group 26 is owned by f4, claimed by nobody',
  ]);
});

test('a command for a host holds nothing of the evidence but numbers and addresses', () => {
  const at = { group: '1;id', device: '0000:3b:00.0 $(id)', pid: 7 };
  expect(commandFor('group-already-open', at)).toBe('fuser -v /dev/vfio/*');
  expect(commandFor('not-ownership', at)).toBe('dmesg | grep -i -e vfio -e iommu -e dmar');
  expect(commandFor('group-already-open', { ...at, group: '26' })).toBe('fuser -v /dev/vfio/26');
});

test('a command that finds open devices finds their anonymous files', () => {
  const [, grep = ''] = commandFor('device-open-elsewhere', null).split(' | ');
  const row = 'qemu 4711 root 31u a_inode 0,14 0 12345 [vfio-device]\n';
  expect(execSync(grep, { input: row, encoding: 'utf8' })).toBe(row);
});
