import { beforeAll, describe, expect, test } from 'vitest';
import type { Fact, LedgerEvent } from '../../events/vocabulary.ts';
import { openLedger, type Ledger } from '../../ledger.ts';

const mdev = '4b20d080-1b54-4048-85b3-a6a62d165c01';

const topology = {
  kernel: '7.3.4',
  iommufd: true,
  devices: [
    { name: 'gpu', bdf: '0000:3b:00.0', group: 26, driver: 'vfio-pci', cdev: 'vfio0' },
    { name: 'gpu-audio', bdf: '0000:3b:00.1', group: 26, driver: 'vfio-pci', cdev: 'vfio1' },
    { name: 'nvme', bdf: '0000:5e:00.0', group: 41, driver: 'vfio-pci', cdev: 'vfio2' },
  ],
};

const added = (device: string, group: string, name: string | null, cdev: string | null): Fact => ({
  type: 'device.added',
  data: { device, name, group, driver: 'vfio-pci', model: null, cdev },
});

async function recorded(facts: readonly Fact[]): Promise<Ledger> {
  const ledger = await openLedger(':memory:');
  const events = facts.map((fact, index): LedgerEvent => ({
    ...fact,
    id: `x${index}`,
    time: null,
  }));
  await ledger.append(-1, events);
  await ledger.refresh();
  return ledger;
}

describe('a host of a scenario', () => {
  let ledger: Ledger;

  beforeAll(async () => {
    ledger = await openLedger(':memory:');
    const scenario =
      'open_iommufd I\nopen_cdev A gpu\nbind A I\n@P2 open_group G g99\n@P2 open_group F gone\n';
    await ledger.simulate(scenario, { topology });
  });

  const file = (): string => ledger.at().device('gpu').owner.file ?? '';

  test.each([
    ['device', '0000:3b:00.0', '0000:3b:00.0'],
    ['device', '3b:00.0', '0000:3b:00.0'],
    ['device', '3B:00.0', '0000:3b:00.0'],
    ['device', '0000:3B:00.0', '0000:3b:00.0'],
    ['device', 'gpu', '0000:3b:00.0'],
    ['device', 'device gpu', '0000:3b:00.0'],
    ['device', 'vfio2', '0000:5e:00.0'],
    ['device', '/dev/vfio/devices/vfio2', '0000:5e:00.0'],
    ['device', '/sys/bus/pci/devices/0000:5e:00.0', '0000:5e:00.0'],
    ['device', '/sys/devices/pci0000:5d/0000:5e:00.0/', '0000:5e:00.0'],
    ['group', '26', '26'],
    ['group', 'g26', '26'],
    ['group', 'group 26', '26'],
    ['group', '/dev/vfio/26', '26'],
    ['group', '/sys/kernel/iommu_groups/26', '26'],
    ['process', 'pid:101', '101'],
    ['process', 'pid 101', '101'],
    ['process', 'P1[101]', '101'],
  ])('%s %s is %s', (kind, word, id) => {
    expect(ledger.at().subject(word)).toEqual({ kind, id });
    expect(ledger.who(word)).toMatchObject({ kind, subject: id });
  });

  test.each(['file:', '', 'file ', 'iommufd '])('%sf… is a file', (prefix) => {
    expect(ledger.at().subject(`${prefix}${file()}`)).toEqual({ kind: 'file', id: file() });
  });

  test('what a refusal names is known, and nobody owns what no event tells of', () => {
    for (const word of ['g99', '/dev/vfio/99']) {
      expect(ledger.who(word)).toMatchObject({ subject: '99', owner: { kind: 'none' } });
      expect(ledger.why(word)).toMatchObject({ operation: 'open_group', errno: 'ENOENT' });
    }
    expect(ledger.why('gone')).toMatchObject({ operation: 'open_group', errno: 'ENOENT' });
    expect(ledger.who('gone')).toMatchObject({ kind: 'device', owner: { kind: 'none' } });
  });

  test.each([
    ['gup', "no device 'gup'; nearest is gpu"],
    ['0000:3b:00.7', "no device '0000:3b:00.7'; nearest are 0000:3b:00.1, 0000:3b:00.0"],
    ['vfio9', "no device 'vfio9'; nearest are vfio2, vfio1 and vfio0"],
    ['/dev/vfio/27', "no group '/dev/vfio/27'; nearest is g26"],
    ['pid:111', "no process 'pid:111'; nearest are pid:101"],
    ['P2[101]', "no process 'P2[101]'; nearest are pid:101"],
    ['file:f9999', "no file 'file:f9999'; nearest"],
    ['9b:00.0', "no device '9b:00.0'; nearest"],
    ['?', "no device '?'; nearest"],
  ])('%s is unknown, and the nearest names are told', (word, message) => {
    expect(() => ledger.who(word)).toThrow(expect.objectContaining({ code: 'unknown-subject' }));
    expect(() => ledger.who(word)).toThrow(`this log has ${message}`);
  });

  test('digits that are no refusal may be a group, which the error names', () => {
    expect(() => ledger.why(26)).toThrow(
      /^position 26 is past the end.*; digits are a position, group 26 is g26$/,
    );
    expect(() => ledger.why('41')).toThrow('digits are a position, group 41 is g41');
    expect(() => ledger.why(0)).toThrow(/^position 0 is not a refusal: 'host.booted'$/);
  });
});

describe('what a trace does not name', () => {
  const trace = [
    '7 1.0 open("/dev/vfio/vfio", O_RDWR) = 3',
    '7 1.1 open("/dev/vfio/26", O_RDWR) = 4',
    '7 1.2 ioctl(4, VFIO_GROUP_SET_CONTAINER, [3]) = 0',
    '7 1.3 ioctl(4, VFIO_GROUP_GET_DEVICE_FD, 0x7ffd) = 5',
    '7 1.4 +++ exited with 0 +++',
  ].join('\n');

  test('is no device, of which nobody could be the owner', async () => {
    const ledger = await openLedger(':memory:');
    await ledger.import(trace, { format: 'strace' });
    expect(ledger.log().map(({ type }) => type)).toContain('device.obtained');
    expect(() => ledger.who('?')).toThrow("this log has no device '?'; nearest");
    expect(() => ledger.history('?')).toThrow("this log has no device '?'; nearest");
  });

  test('or only a refusal names may be there, in unknown hands', async () => {
    const ledger = await openLedger(':memory:');
    const path = '/dev/vfio/devices/vfio';
    const evidence =
      `7 1.0 open("${path}3", O_RDWR) = -1 EBUSY (Device or resource busy)\n` +
      `7 1.1 open("${path}4", O_RDWR) = -1 ENOENT (No such file or directory)\n`;
    await ledger.import(evidence, { format: 'strace' });
    expect(ledger.at().device('vfio3')).toMatchObject({
      state: 'unknown',
      owner: { kind: 'unknown' },
    });
    expect(ledger.who('vfio4').owner.kind).toBe('unknown');
    expect(ledger.history('vfio4')).toMatchObject([{ from: null, owner: { kind: 'unknown' } }]);
  });

  test('hides no nearest name, although all files are closed and all processes gone', async () => {
    const ledger = await openLedger(':memory:');
    await ledger.import(trace, { format: 'strace' });
    expect(() => ledger.who('pid:8')).toThrow("no process 'pid:8'; nearest is pid:7");
    expect(() => ledger.who('f99')).toThrow(/no file 'f99'; nearest are f\d/);
    expect(() => ledger.who('G26')).toThrow("no device 'G26'; nearest is g26");
  });
});

test("a topology's own name comes first", async () => {
  const named = ['g26', 'f1', 'pid:101', '26', 'P1[101]'];
  const devices = named.map((name, index) => {
    return { name, bdf: `0000:0${index}:00.0`, group: 26 + index, driver: 'vfio-pci' };
  });
  const ledger = await openLedger(':memory:');
  const settings = { topology: { kernel: '7.3.4', iommufd: true, devices } };
  await ledger.simulate('open_iommufd I\n', settings);
  for (const [index, name] of named.entries()) {
    expect(ledger.at().subject(name), name).toEqual({ kind: 'device', id: `0000:0${index}:00.0` });
  }
  // An expression says which kind it means.
  const found = ledger.bisect({ where: 'group 26 owner.kind = none' });
  expect(found?.detail).toContain('group 26');
});

test('an address without a domain that is in several is refused, with both', async () => {
  const ledger = await recorded([
    added('0000:3b:00.0', '1', null, null),
    added('0001:3b:00.0', '2', null, null),
    added('0001:3c:00.0', '3', null, null),
  ]);
  expect(() => ledger.who('3B:00.0')).toThrow(
    expect.objectContaining({
      code: 'bad-request',
      message: expect.stringContaining('0000:3b:00.0 or 0001:3b:00.0'),
    }),
  );
  expect(ledger.who('3c:00.0').subject).toBe('0001:3c:00.0');
});

test('a mediated device goes by its UUID, and a group without an IOMMU by its node', async () => {
  const ledger = await recorded([
    added(mdev, '7', null, 'vfio3'),
    added('0000:05:00.0', 'noiommu-0', null, null),
    added('0000:06:00.0', '8', null, null),
  ]);
  for (const word of [mdev, mdev.toUpperCase(), `/sys/bus/mdev/devices/${mdev}`, 'vfio3']) {
    expect(ledger.at().subject(word), word).toEqual({ kind: 'device', id: mdev });
  }
  for (const word of ['noiommu-0', '/dev/vfio/noiommu-0', 'g0', '0']) {
    expect(ledger.at().subject(word), word).toEqual({ kind: 'group', id: 'noiommu-0' });
  }
  expect(() => ledger.who('noiommu-1')).toThrow(/nearest (?:is|are) .*noiommu-0/);
  expect(() => ledger.why('99')).toThrow(/^position 99 is past the end[^;]*$/);
  const named = await recorded([added('0000:05:00.0', 'noiommu-5', null, null)]);
  expect(() => named.why('5')).toThrow(/; digits are a position, group 5 is noiommu-5$/);
  // Traces that show only the number.
  expect(ledger.at().subject('noiommu-8')).toEqual({ kind: 'group', id: '8' });
});

test('a node that was opened in vain is known, by its group and by its device', async () => {
  const ledger = await openLedger(':memory:');
  const scenario = ['27', 'noiommu-3', 'vfio', 'devices/vfio2', 'devices/vfio9']
    .map((node, index) => `open_path A${index} /dev/vfio/${node}\n`)
    .join('');
  await ledger.simulate(scenario, { topology: { ...topology, iommufd: false } });
  expect(ledger.log({ refused: true })).not.toHaveLength(0);
  for (const [word, operation] of [
    ['g27', 'open_group'],
    ['noiommu-3', 'open_path'],
    ['vfio9', 'open_cdev'],
  ] as const) {
    expect(ledger.why(word), word).toMatchObject({ operation, errno: 'ENOENT' });
  }
  expect(() => ledger.who('g28')).toThrow('this log has no group');
});
