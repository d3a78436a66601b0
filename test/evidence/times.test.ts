/**
 * Times of evidence: what an event without a time takes, where a listing stands, and which of several
 * clocks counts.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openLedger, type ImportSettings, type Ledger } from '../../ledger.ts';
import { run } from '../cli/program.ts';
import { temporaryFolder } from '../log/folder.ts';

const folder = temporaryFolder();

const busy = (group: number) => `Cannot open /dev/vfio/${group}: Device or resource busy`;
const stamped = (second: number, group = 26) =>
  `2026-03-04T05:06:0${second}Z vmm[7]: ${busy(group)}`;
const fuser = '/dev/vfio/26:        root       4711 F.... testpmd';

async function imported(
  sources: Readonly<Record<string, string>>,
  settings: ImportSettings = {},
): Promise<Ledger> {
  const ledger = await openLedger(':memory:');
  const given = Object.entries(sources).map(([name, chunk]) => ({ name, chunks: [chunk] }));
  await ledger.importSources(given, settings);
  return ledger;
}

const placesOf = (ledger: Ledger) =>
  [...ledger.each()]
    .filter(({ type }) => type === 'group.opened' || type === 'operation.refused')
    .map(({ type, time }) => `${type} ${time?.slice(11, 19) ?? '-'}`);

describe('a listing without a time', () => {
  test('stands after all that it is imported with, whatever the order, and has no time', async () => {
    const log = `${stamped(1)}\n${stamped(9)}`;
    const after = ['operation.refused 05:06:01', 'operation.refused 05:06:09', 'group.opened -'];
    expect(placesOf(await imported({ a: fuser, b: log }))).toEqual(after);
    expect(placesOf(await imported({ a: log, b: fuser }))).toEqual(after);
    const mixed = await imported({ a: `${stamped(1)}\n${fuser}`, b: stamped(9) });
    expect(placesOf(mixed)).toEqual(after);
    expect(mixed.verify().faults).toEqual([]);
  });

  test('lends no time to what is imported next, and takes none of what was before', async () => {
    const ledger = await imported({ a: stamped(1) });
    await ledger.import(fuser);
    await ledger.import(stamped(9, 27));
    expect(placesOf(ledger)).toEqual([
      'operation.refused 05:06:01',
      'group.opened -',
      'operation.refused 05:06:09',
    ]);
    const listed = ledger.log({}).filter(({ type }) => type === 'group.opened');
    expect(listed.map(({ time }) => time)).toEqual([null]);
    // The last time there is counts, not that of the last event.
    const older = await imported({ a: stamped(5) });
    await older.import(fuser);
    await expect(older.import(stamped(3))).rejects.toThrow('before the last event of host');
  });

  test('can be given one: for all files, or for one of them', async () => {
    const log = `${stamped(1)}\n${stamped(9)}`;
    const between = [
      'operation.refused 05:06:01',
      'group.opened 05:06:05',
      'operation.refused 05:06:09',
    ];
    const taken = '2026-03-04T05:06:05Z';
    expect(placesOf(await imported({ a: log, b: fuser }, { taken }))).toEqual(between);
    // In the file of the log, too, wherever it stands there.
    expect(placesOf(await imported({ a: `${fuser}\n${log}` }, { taken }))).toEqual(between);
    expect(placesOf(await imported({ a: `${log}\n${fuser}` }, { taken }))).toEqual(between);
    const day = '2026-03-04';
    expect(placesOf(await imported({ a: log, b: fuser }, { taken: '05:06:05', day }))).toEqual(
      between,
    );
    await expect(imported({ a: fuser }, { taken: '05:06' })).rejects.toThrow('--day');
    await expect(imported({ a: fuser }, { taken: 'noon' })).rejects.toThrow("--taken: 'noon'");
    const twice = await imported({ a: `${log}\n${fuser}` }, { taken });
    expect(await twice.import(`${log}\n${fuser}`, { taken })).toMatchObject({ appended: 0 });
  });

  test('takes the time behind its name, unless a file has that name', async () => {
    const at = (name: string) => join(folder, name);
    writeFileSync(at('log'), `${stamped(1)}\n${stamped(9)}`);
    writeFileSync(at('fuser'), fuser);
    const openedAt = async (...args: readonly string[]) => {
      const path = at(`${Math.random()}.ledger`);
      const { code, err } = await run(['import', '--log', path, ...args, at('log')]);
      if (code !== 0) return `${code} ${err}`;
      const ledger = await openLedger(path, { readOnly: true });
      const [opened] = ledger.log({}).filter(({ type }) => type === 'group.opened');
      await ledger.close();
      return opened?.time ?? null;
    };
    expect(await openedAt(at('fuser'))).toBeNull();
    const when = '2026-03-04T05:06:05Z';
    const given = '2026-03-04T05:06:05.000000Z';
    expect(await openedAt(`${at('fuser')}@${when}`)).toBe(given);
    expect(await openedAt('--day', '2026-03-04', `${at('fuser')}@05:06:05`)).toBe(given);
    expect(await openedAt('--taken', when, at('fuser'))).toBe(given);
    const later = '2026-03-04T05:06:07Z';
    expect(await openedAt('--taken', later, `${at('fuser')}@${when}`)).toBe(given);
    expect(await openedAt(`${at('fuser')}@noon`)).toMatch(/^2 .*fuser@noon/);
    expect(await openedAt(at('no@thing'))).toMatch(/^2 .*no such file/);
    writeFileSync(at('fuser@05:06:05'), fuser);
    expect(await openedAt('--day', '2026-03-04', at('fuser@05:06:05'))).toBeNull();
    const now = Date.now();
    for (const spelled of [['--taken', '-10m'], ['--taken=-10m']]) {
      const time = (await openedAt(...spelled, at('fuser'))) ?? '';
      expect(Math.abs(Date.parse(time) - (now - 600_000))).toBeLessThan(120_000);
    }
  });
});

describe('an event without a time', () => {
  test('takes the nearest earlier one of its own source; none where there is none', async () => {
    const untimed = `vmm: ${busy(30)}`;
    const ledger = await imported({ a: `${untimed}\n${stamped(4)}\nvmm: ${busy(31)}` });
    expect(placesOf(ledger)).toEqual([
      'operation.refused -',
      'operation.refused 05:06:04',
      'operation.refused 05:06:04',
    ]);
    await ledger.import(`vmm: ${busy(32)}`);
    expect(placesOf(ledger).at(-1)).toBe('operation.refused -');
  });

  test('takes it also where another reader read the line that has it', async () => {
    const call = 'openat(AT_FDCWD, "/dev/vfio/57", O_RDWR) = -1 EBUSY (Device or resource busy)';
    const ledger = await imported({ a: `${stamped(4)}\n$ strace -f ./vmm\n812 ${call}` });
    expect(placesOf(ledger)).toEqual(['operation.refused 05:06:04', 'operation.refused 05:06:04']);
  });
});

describe('the time that a line prints', () => {
  const uptime = `[ 1234.500000] vfio-pci 0000:81:00.0: Relaying device request to user (#0)`;

  test('wins over an uptime that stands before it', async () => {
    const ledger = await imported({ a: `${uptime}\n${stamped(4)}\n${uptime.replace('0:', '1:')}` });
    const times = [...ledger.each()].map(({ type, time }) => [type, time?.slice(11, 19) ?? null]);
    expect(times).toContainEqual(['operation.refused', '05:06:04']);
    expect(times.find(([type]) => type === 'driver.unbind-blocked')).toEqual([
      'driver.unbind-blocked',
      null,
    ]);
  });

  test.each([
    ['earlier', '2026-03-04T04:00:00Z', '04:20:34'],
    ['later', '2026-03-04T06:00:00Z', '06:20:34'],
  ])('is kept where the boot that was given makes uptimes %s', async (_, booted, waited) => {
    const ledger = await imported({ a: `${uptime}\n${stamped(4)}` }, { booted });
    const times = [...ledger.each()].map(({ type, time }) => [type, time?.slice(11, 19) ?? null]);
    expect(times).toContainEqual(['driver.unbind-blocked', waited]);
    expect(times).toContainEqual(['operation.refused', '05:06:04']);
    for (const { data } of ledger.each('operation.refused')) {
      expect(data.evidence?.rule).toBeUndefined();
    }
  });
});
