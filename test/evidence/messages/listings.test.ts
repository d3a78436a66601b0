import { describe, expect, test } from 'vitest';
import { openLedger, type Ledger } from '../../../ledger.ts';

async function pasted(text: string) {
  const ledger = await openLedger(':memory:');
  const report = await ledger.import(text);
  return { ledger, report };
}

const refusals = (ledger: Ledger) => [...ledger.each('operation.refused')];
const busy = (group: number) => `Cannot open /dev/vfio/${group}: Device or resource busy`;

describe('a link in a log', () => {
  const opened = (ledger: Ledger) => ledger.who('g27').holders.map(({ pid, fd }) => [pid, fd]);
  const mapped =
    '2026-01-06T10:00:00.1Z INFO device-plugin: mapping container device 0 -> /dev/vfio/27';
  const row = 'lrwx------ 1 root root 64 Mar  4 05:06 13 -> /dev/vfio/27';
  test.each([
    ['a mapping', [mapped], []],
    ['a mapping after the name of a directory', ['INFO scanned /proc/4711/fd', mapped], []],
    ['a row without its directory', [row], []],
    [
      'a row after another line',
      ['$ ls -l /proc/4711/fd', 'total 0', row, 'Hm.', row],
      [[4711, 13]],
    ],
    ['a whole path', ['INFO vmm: /proc/4711/fd/13 -> /dev/vfio/27'], [[4711, 13]]],
  ])('%s', async (_, lines, holders) => {
    const { ledger } = await pasted([...lines, `EAL: ${busy(27)}`].join('\n'));
    expect(opened(ledger)).toEqual(holders);
  });

  test('a row of fuser after another line is none', async () => {
    const users = (pid: number) => `                     root       ${pid} F.... testpmd`;
    const lines = [
      '$ fuser -v /dev/vfio/27',
      `/dev/vfio/27:${users(7)}`,
      users(8),
      'Hm.',
      users(9),
    ];
    const { report } = await pasted(lines.join('\n'));
    expect(report.seen).toEqual({ fuser: 2 });
  });
});

describe('a listing without a time', () => {
  const fuser = '/dev/vfio/26:        root       4711 F.... testpmd';
  const stamped = (second: number) => `2026-03-04T05:06:0${second}Z vmm[7]: ${busy(26)}`;

  test('does not show what was held before', async () => {
    const text = ['$ fuser -v /dev/vfio/26', fuser, '$ kill 4711', `EAL: ${busy(26)}`].join('\n');
    const { ledger } = await pasted(text);
    const events = [...ledger.each()].map(({ type }) => type);
    expect(events.indexOf('operation.refused')).toBeLessThan(events.indexOf('group.opened'));
    expect(ledger.who('g26').holders).toMatchObject([{ pid: 4711, comm: 'testpmd' }]);
    expect(await ledger.import(text)).toMatchObject({ appended: 0 });
  });

  test('stands at the end, keeps its line, and takes no time', async () => {
    const { ledger } = await pasted([stamped(7), fuser, stamped(8)].join('\n'));
    expect(refusals(ledger)).toHaveLength(2);
    const last = [...ledger.each('group.opened')];
    expect(last).toMatchObject([{ time: null, data: { evidence: { line: 2 } } }]);
    expect(last[0]!.position).toBeGreaterThan(refusals(ledger)[1]!.position);
  });

  const held = (ledger: Ledger) => ledger.who('g26').holders.map(({ pid, fd }) => [pid, fd]);
  const header = 'COMMAND  PID USER   FD   TYPE DEVICE SIZE/OFF NODE NAME';
  const row = (pid: number, fd: number) =>
    `qemu    ${pid} root   ${fd}u   CHR  243,0      0t0  812 /dev/vfio/26`;

  test('shows one file of a group, whoever has a descriptor of it', async () => {
    const listing = ['$ lsof /dev/vfio/26', header, row(11, 47), row(11, 48), row(12, 47)];
    const { ledger } = await pasted(listing.join('\n'));
    expect(held(ledger)).toEqual([
      [11, 47],
      [11, 48],
      [12, 47],
    ]);
    expect(ledger.at('end').group('26').opener?.holders).toHaveLength(3);
    expect(ledger.verify().faults).toEqual([]);
  });

  test('replaces what an earlier one showed', async () => {
    const listing = [
      '$ lsof /dev/vfio/26',
      header,
      row(11, 47),
      '$ kill 11',
      '$ lsof /dev/vfio/26',
    ];
    const { ledger } = await pasted([...listing, header, row(12, 47)].join('\n'));
    expect(held(ledger)).toEqual([[12, 47]]);
    const both = await pasted([...listing, header, row(12, 47), row(11, 47)].join('\n'));
    expect(held(both.ledger)).toEqual([
      [11, 47],
      [12, 47],
    ]);
    for (const one of [ledger, both.ledger]) expect(one.verify().faults).toEqual([]);
  });

  test('with a time of its own, it stands where it is', async () => {
    const { ledger } = await pasted([`2026-03-04T05:06:06Z ${fuser}`, stamped(7)].join('\n'));
    expect([...ledger.each('group.opened')]).toMatchObject([
      { time: '2026-03-04T05:06:06.000000Z' },
    ]);
    expect([...ledger.each()].at(-1)?.type).toBe('operation.refused');
  });
});

describe('a listing of /dev/vfio', () => {
  const rows = [
    'total 0',
    'drwxr-xr-x  3 root root      100 Jan  5 10:00 .',
    'crw-------  1 root root  241,  0 Jan  5 10:00 26',
    'crw-------+ 1 root kvm   241,  1 Jan  5 10:00 noiommu-3',
    'drwxr-xr-x  2 root root       60 Jan  5 10:00 devices',
    'crw-rw-rw-  1 root root   10,196 Jan  5 10:00 vfio',
  ];
  const whole = 'crw------- 1 root root 241, 0 Jan  5 10:00 /dev/vfio/26';
  const found = (ledger: Ledger) =>
    [...ledger.each('group.found')].map(({ data }) => ('group' in data ? data.group : null));

  test.each([
    ['after its command', ['$ ls -l /dev/vfio', ...rows], ['26', '3']],
    ['after a command of root', ['root@pve:~# ls -la /dev/vfio/', ...rows], ['26', '3']],
    ['after its header', ['/dev/vfio:', ...rows], ['26', '3']],
    ['by whole paths', ['$ ls -l /dev/vfio/*', whole], ['26']],
    ['beside a refusal', [`EAL: ${busy(27)}`, '$ ls -l /dev/vfio', ...rows], ['27', '26', '3']],
  ])('shows groups that have a node, and not who has them: %s', async (_how, lines, groups) => {
    const { ledger, report } = await pasted(lines.join('\n'));
    expect(found(ledger)).toEqual(groups);
    expect(report.seen['ls -l']).toBe(lines.includes(whole) ? 1 : 2);
    const { owner, holders } = ledger.who('26');
    expect([owner.kind, holders]).toEqual(['unknown', []]);
    expect(ledger.verify().faults).toEqual([]);
  });

  test('shows devices that have a node of their own', async () => {
    const row = 'crw------- 1 root root 511, 0 Jan  5 10:00 vfio0';
    const { ledger } = await pasted(['$ ls -l /dev/vfio/devices', 'total 0', row].join('\n'));
    expect(ledger.who('vfio0').owner.kind).toBe('unknown');
    expect(found(ledger)).toEqual([]);
  });

  test.each([
    ['of another directory', ['$ ls -l /dev/dri', ...rows]],
    ['after another line', ['$ ls -l /dev/vfio', 'Hm.', ...rows]],
    ['without a directory', rows],
  ])('is not one %s', async (_how, lines) => {
    const { ledger } = await pasted([...lines, `EAL: ${busy(27)}`].join('\n'));
    expect(found(ledger)).toEqual(['27']);
  });
});
