/**
 * Dates that do not exist and years that a log cannot write: no reader and no option takes them for
 * another time.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { LedgerError, openLedger, type ImportSettings } from '../../ledger.ts';
import { run } from '../cli/program.ts';
import { temporaryFolder } from '../log/folder.ts';
import { wrappers } from './wrappers/samples.ts';

const busy = (group: number) => `Cannot open /dev/vfio/${group}: Device or resource busy`;
const before = `2026-03-04T11:00:00Z vmm[7]: ${busy(26)}`;
const after = `2026-03-04T13:00:00Z vmm[7]: ${busy(27)}`;

/** What is rejected of a text, and the groups whose open was refused in the rest. */
async function readOf(text: string, settings: ImportSettings = {}) {
  const ledger = await openLedger(':memory:');
  const { rejected } = await ledger.import(text, settings);
  const refused = ledger.log({ refused: true }).map(({ time, data }) => {
    return [(data as { group?: string }).group, time];
  });
  return { rejected, refused };
}

/** The 30th of February in place of the 4th of March, as each wrapper spells it. */
function onNoDay(text: string): string {
  return text
    .replaceAll('2026-03-04', '2026-02-30')
    .replaceAll('2026/03/04', '2026/02/30')
    .replaceAll('20260304', '20260230')
    .replaceAll('E0304', 'E0230')
    .replaceAll(/Mar (?: 4|04) (?=\d\d:\d\d:)/g, 'Feb 30 ');
}

const atNoHour = (text: string) => text.replaceAll(/1[23]:00:00/g, '24:61:00');

for (const [what, change] of [
  ['a day', onNoDay],
  ['an hour', atNoHour],
] as const) {
  const changed = wrappers.filter(({ wrap }) => change(wrap('x')) !== wrap('x'));

  describe(`${what} that does not exist`, () => {
    test.each(changed)('is rejected with its line: $name', async ({ wrap }) => {
      const odd = change(wrap(busy(57)));
      const { rejected, refused } = await readOf(`${before}\n${odd}\n${after}`);
      const reason = expect.stringContaining('there is no such time: ') as string;
      expect(rejected).toMatchObject([{ file: 'text', reason }]);
      const lines = odd.trimEnd().split('\n').length;
      // The line after a record shows that it has ended.
      expect([1 + lines, 2 + lines]).toContain(rejected[0]?.line);
      expect(refused).toEqual([
        ['26', '2026-03-04T11:00:00.000000Z'],
        ['27', '2026-03-04T13:00:00.000000Z'],
      ]);
      const alone = await readOf(`${before}\n${odd}`);
      expect(alone.rejected).toHaveLength(1);
      expect(alone.refused).toHaveLength(1);
      const strict = readOf(`${before}\n${odd}\n${after}`, { strict: true });
      await expect(strict).rejects.toThrow(/^text:\d+: there is no such time: /);
    });
  });
}

test.each([
  ['a day of an audit record', 'audit(02/30/2026 12:00:00.123:4)', 'no such time: 2026-02-30'],
  ['an hour of an audit record', 'audit(03/04/2026 25:00:00.123:4)', 'no such time: 2026-03-04 25'],
])('%s is rejected', async (_what, stamp, reason) => {
  const record =
    `type=VIRT_RESOURCE msg=${stamp}: pid=1 uid=0 msg='virt=kvm resrc=dev reason=start vm="web" ` +
    `uuid=c0b26072-dd1b-4340-84fe-bf338c510818 device=0000:3b:00.0 exe="/usr/sbin/libvirtd" res=success'`;
  const { rejected } = await readOf(`${before}\n${record}`);
  expect(rejected).toMatchObject([{ line: 2, reason: expect.stringContaining(reason) }]);
});

test('an hour of strace, and a day in a trace of QEMU', async () => {
  const opened = 'openat(AT_FDCWD</>, "/dev/vfio/33", O_RDWR) = -1 EBUSY (Device or resource busy)';
  const strace = await readOf(`900 12:00:00 ${opened}\n900 24:00:00 ${opened}`);
  expect(strace.rejected).toMatchObject([{ line: 2 }]);
  expect(strace.refused).toHaveLength(1);
  const getfd = 'iommufd_cdev_getfd  /dev/vfio/devices/vfio0 (fd=9)';
  const lines = `2026-03-04T12:00:00Z ${getfd}\n2026-02-30T12:00:00Z ${getfd}`;
  const qemu = await readOf(lines, { format: 'qemu-trace' });
  expect(qemu.rejected).toMatchObject([{ line: 2, reason: expect.stringContaining('02-30') }]);
});

const outside = 'its time is not in the years 1 to 9999';

test.each([
  ['after its offset', `9999-12-31T23:59:59-01:00 vmm[7]: ${busy(57)}`, outside],
  ['before the year 1', `0001-01-01T00:59:59+01:00 vmm[7]: ${busy(57)}`, outside],
  ['in the year 0', `0000-06-01T00:00:00Z vmm[7]: ${busy(57)}`, outside],
  ['at no offset', `2026-03-04T12:00:00+24:00 vmm[7]: ${busy(57)}`, 'no such time: 2026-03-04 12'],
])('a time %s is rejected with its line', async (_where, line, reason) => {
  const { rejected, refused } = await readOf(`${before}\n${line}\n${after}`);
  expect(rejected).toMatchObject([{ line: 2, reason: expect.stringContaining(reason) }]);
  expect(refused.map(([group]) => group)).toEqual(['26', '27']);
});

test('a time is rejected that the caller converts to none', async () => {
  const none = [{ line: 2, reason: outside }];
  const local = (time: string) => `${time} a.go:1: ${busy(57)}`;
  const zoned = `${local('9999/12/31 12:00:00')}\n${local('9999/12/31 23:59:59')}`;
  expect((await readOf(zoned, { zone: '-01:00' })).rejected).toMatchObject(none);
  const uptime = (time: string) => `[${time}] vmm[7]: ${busy(57)}`;
  const booted = `${uptime('    0.345678')}\n${uptime('   12.345678')}`;
  const settings = { booted: '9999-12-31T23:59:59Z' };
  expect((await readOf(booted, settings)).rejected).toMatchObject(none);
});

test('the first and the last second that a log can write are read', async () => {
  const lines = ['0001-01-01T00:00:00Z', '1969-07-20T20:17:40Z', '9999-12-31T23:59:59Z'];
  const text = lines.map((time, index) => `${time} vmm[7]: ${busy(40 + index)}`).join('\n');
  expect(await readOf(text)).toEqual({
    rejected: [],
    refused: lines.map((time, index) => [`${40 + index}`, time.replace('Z', '.000000Z')]),
  });
});

test('an export with such a time is refused with its line', async () => {
  const event = {
    position: 0,
    id: 'e',
    schema: 1,
    type: 'process.exited',
    data: { pid: 1, signal: null },
  };
  for (const time of ['2026-02-30T00:00:00.000000Z', '9999-12-31T23:59:59-01:00']) {
    const text = `${JSON.stringify({ ...event, time })}\n{"end":{"events":1}}\n`;
    await expect(readOf(text)).rejects.toThrow(/^text:1: time: /);
  }
});

test('no option takes such a time', async () => {
  const folder = temporaryFolder();
  const file = join(folder, 'fuser');
  writeFileSync(file, '/dev/vfio/26:        root       4711 F.... testpmd\n');
  const times = ['2026-02-30', '2026-03-04T24:61', '2026-03-04T12:00+24:00', '0000-01-01'];
  for (const time of times) {
    for (const settings of [{ taken: time }, { booted: time }, { day: time.slice(0, 10) }]) {
      if (settings.day === '2026-03-04') continue;
      await expect(readOf(before, settings), time).rejects.toThrow(LedgerError);
    }
    const ledger = await openLedger(':memory:');
    await ledger.import(before);
    expect(() => ledger.at(time), time).toThrow(expect.objectContaining({ code: 'bad-when' }));
  }
  const log = join(folder, 'log.ledger');
  const { code, err } = await run(['import', '--log', log, `${file}@2026-02-30`]);
  expect({ code, err }).toEqual({ code: 2, err: expect.stringContaining("@2026-02-30: '2026-02") });
});
