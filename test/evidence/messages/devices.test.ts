/**
 * Listings that show the driver or the group of a device: what they show is so then.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { devicesParser, looksLikeDevices } from '../../../evidence/messages/device-listing.ts';
import { openLedger } from '../../../ledger.ts';
import { readLongLines, shownBy, surviveMutation } from './support.ts';

const gpu = '0000:c4:00.0';
const audio = '0000:c4:00.1';
const UUID = '5d0d1c5e-3f1b-4c2a-9b7e-2f6a4f1d9c33';

const VGA =
  'VGA compatible controller [0300]: Matrox Electronics Systems Ltd. G200eH3 [102b:0538] (rev 01)';
const driver = (device: string, name: string | null) => ({
  did: 'list-driver',
  device,
  driver: name,
});
const group = (device: string, number: string) => ({ did: 'list-group', device, group: number });
const read = (text: string) => shownBy(devicesParser(), text.replaceAll('\n\n', '\n \n'));

/** A listing as a whole: its lines in one parser, blank ones included. */
function shown(lines: readonly string[]): unknown[] {
  const parser = devicesParser();
  return lines
    .flatMap((line) => parser.line(line))
    .map(({ did, ...rest }) => {
      const { device, group: of, driver: name } = rest as Record<string, unknown>;
      return did === 'list-group' ? { did, device, group: of } : { did, device, driver: name };
    });
}

describe('lspci', () => {
  const block = (bound: string) => [
    `c4:00.0 ${VGA}`,
    '\tSubsystem: Hewlett Packard Enterprise Device [1590:02a1]',
    `\tKernel driver in use: ${bound}`,
    '\tKernel modules: mgag200, nouveau',
  ];
  test.each([
    ['-nnk', block('mgag200'), [driver(gpu, 'mgag200')]],
    ['with domains', block('vfio-pci').with(0, `${gpu} ${VGA}`), [driver(gpu, 'vfio-pci')]],
    [
      '-nk',
      ['c4:00.0 0300: 102b:0538 (rev 01)', ...block('mgag200').slice(1)],
      [driver(gpu, 'mgag200')],
    ],
    [
      '-k',
      block('xhci_hcd').with(0, 'c4:00.0 USB controller: AMD Device'),
      [driver(gpu, 'xhci_hcd')],
    ],
    ['without a driver in use', block('x').toSpliced(2, 1), []],
    ['a driver without its device', block('x').slice(2), []],
    [
      'several, one without a driver',
      [
        ...block('mgag200'),
        `c4:00.1 Audio device [0403]: AMD`,
        '\tKernel modules: snd_hda_intel',
        'c4:00.2 USB controller [0c03]: AMD',
        '\tKernel driver in use: vfio-pci',
      ],
      [driver(gpu, 'mgag200'), driver('0000:c4:00.2', 'vfio-pci')],
    ],
    [
      'grep -A3 between',
      [...block('mgag200'), '--', '\tKernel driver in use: other'],
      [driver(gpu, 'mgag200')],
    ],
    ['cut at a blank line', [`c4:00.0 ${VGA}`, '', '\tKernel driver in use: x'], []],
    [
      'lines that were picked out',
      [
        '$ lspci -nnk | grep -E "VGA|in use"',
        `c4:00.0 ${VGA}`,
        '\tKernel driver in use: snd_hda_intel',
      ],
      [],
    ],
    [
      'rows that were picked out with what follows',
      ['$ lspci -nnk | grep -i -A 3 VGA', ...block('mgag200')],
      [driver(gpu, 'mgag200')],
    ],
    [
      '-v',
      [
        `c4:00.0 ${VGA}`,
        '\tFlags: bus master, fast devsel, latency 0, IRQ 38, IOMMU group 57',
        '\tMemory at a0000000 (32-bit)',
        '\tKernel driver in use: mgag200',
      ],
      [group(gpu, '57'), driver(gpu, 'mgag200')],
    ],
    ['-vv', [`c4:00.0 ${VGA}`, '\tIOMMU group: 57'], [group(gpu, '57')]],
    [
      '-vmmk',
      [
        'Slot:\tc4:00.0',
        'Class:\tVGA compatible controller',
        'Driver:\tmgag200',
        'Module:\tnouveau',
        'IOMMUGroup:\t57',
      ],
      [driver(gpu, 'mgag200'), group(gpu, '57')],
    ],
    ['quoted', block('mgag200').map((line) => `> ${line}`), [driver(gpu, 'mgag200')]],
  ])('%s', (_, lines, expected) => {
    expect(shown(lines)).toEqual(expected);
  });
});

describe('a loop over the groups', () => {
  const row = `c4:00.0 ${VGA}`;
  test.each([
    [
      'a line each',
      [`IOMMU Group 57 ${row}`, 'IOMMU Group 58 c5:00.0 Ethernet controller [0200]: X'],
      [group(gpu, '57'), group('0000:c5:00.0', '58')],
    ],
    [
      'the group first',
      [
        'IOMMU Group 57:',
        `\t${row}`,
        `\tc4:00.1 Audio device: AMD`,
        'IOMMU Group 58:',
        '\tc5:00.0 Ethernet controller: X',
      ],
      [group(gpu, '57'), group(audio, '57'), group('0000:c5:00.0', '58')],
    ],
    ['with ids before', [`Group 57:\t[102b:0538] [R] ${row}`], [group(gpu, '57')]],
    ['with domains', [`IOMMU group 57: ${gpu} VGA`], [group(gpu, '57')]],
    ['a heading', ['### Group 57 ###', `    ${row}`], [group(gpu, '57')]],
    [
      'and drivers',
      [
        'IOMMU Group 57:',
        `\t${row}`,
        '\t\tKernel driver in use: mgag200',
        `\tc4:00.1 Audio device: AMD`,
        '\t\tKernel driver in use: vfio-pci',
      ],
      [group(gpu, '57'), driver(gpu, 'mgag200'), group(audio, '57'), driver(audio, 'vfio-pci')],
    ],
    ['text between', ['IOMMU Group 57:', 'I do not know.', row], []],
    ['a blank line between', ['IOMMU Group 57:', '', row], []],
    ['an mdev', [`IOMMU Group 58 ${UUID}`], [group(UUID, '58')]],
  ])('%s', (_, lines, expected) => {
    expect(shown(lines)).toEqual(expected);
  });
});

describe('dpdk-devbind, SPDK, driverctl', () => {
  test.each([
    [
      [`${gpu} 'Ethernet Controller X710 1572' drv=vfio-pci unused=i40e,igb_uio`],
      [driver(gpu, 'vfio-pci')],
    ],
    [
      [`${gpu} 'Ethernet Controller X710 1572' if=eth1 drv=i40e unused=vfio-pci *Active*`],
      [driver(gpu, 'i40e')],
    ],
    [
      [`${gpu} 'Ethernet Controller X710 1572' numa_node=1 if=eth1 drv=i40e unused=vfio-pci`],
      [driver(gpu, 'i40e')],
    ],
    [[`${gpu} 'Ethernet Controller X710 1572' unused=i40e,vfio-pci`], [driver(gpu, null)]],
    [[`${gpu} 'Device 1234' unused=`], [driver(gpu, null)]],
    [[`${gpu} '82599ES 10-Gigabit SFI/SFP+' drv=igb_uio unused=ixgbe`], [driver(gpu, 'igb_uio')]],
    [
      [`NVMe   ${gpu}    8086   0a54   0       vfio-pci         -          -`],
      [driver(gpu, 'vfio-pci')],
    ],
    [
      [`NVMe   ${gpu}    8086   0a54   unknown nvme             nvme0      nvme0n1`],
      [driver(gpu, 'nvme')],
    ],
    [
      ['$ sudo driverctl list-devices', `${gpu} vfio-pci [*]`, `${audio} (none)`],
      [driver(gpu, 'vfio-pci'), driver(audio, null)],
    ],
    [
      ['# driverctl -v list-devices network', `${gpu} i40e (Ethernet Controller X710)`],
      [driver(gpu, 'i40e')],
    ],
    [['$ driverctl list-overrides', `${gpu} vfio-pci`], []],
    [[`${gpu} vfio-pci`], []],
    [["No 'Crypto' devices detected", '==========', '<none>'], []],
  ])('%j', (lines, expected) => {
    expect(shown(lines)).toEqual(expected);
  });
});

describe('/sys', () => {
  const link = (name: string, to: string) =>
    `lrwxrwxrwx 1 root root 0 Mar  4 05:06 ${name} -> ${to}`;
  const place = `../../../../devices/pci0000:c0/0000:c0:01.1/${gpu}`;
  test.each([
    [[`/sys/kernel/iommu_groups/57/devices/${gpu}`], [group(gpu, '57')]],
    [[`/sys/kernel/iommu_groups/58/devices/${UUID}`], [group(UUID, '58')]],
    [[link(`/sys/kernel/iommu_groups/57/devices/${gpu}`, place)], [group(gpu, '57')]],
    [
      [
        '$ ls -l /sys/kernel/iommu_groups/57/devices',
        'total 0',
        link(gpu, place),
        link(audio, place),
      ],
      [group(gpu, '57'), group(audio, '57')],
    ],
    [
      ['$ ls /sys/kernel/iommu_groups/57/devices/', `${gpu}  ${audio}`],
      [group(gpu, '57'), group(audio, '57')],
    ],
    [
      [
        '/sys/kernel/iommu_groups/57/devices:',
        gpu,
        audio,
        '',
        '/sys/kernel/iommu_groups/58/devices:',
        UUID,
      ],
      [group(gpu, '57'), group(audio, '57'), group(UUID, '58')],
    ],
    [
      [
        '# ls -l /sys/bus/pci/drivers/vfio-pci/',
        link(gpu, place),
        '--w------- 1 root root 4096 Mar  4 05:06 bind',
      ],
      [driver(gpu, 'vfio-pci')],
    ],
    [
      [
        '$ ls /sys/bus/pci/drivers/vfio-pci',
        `${gpu}  bind  module  new_id  remove_id  uevent  unbind`,
      ],
      [driver(gpu, 'vfio-pci')],
    ],
    [
      [link(`/sys/bus/pci/devices/${gpu}/iommu_group`, '../../../../kernel/iommu_groups/57')],
      [group(gpu, '57')],
    ],
    [
      [link(`/sys/bus/pci/devices/${gpu}/driver`, '../../../../bus/pci/drivers/vfio-pci')],
      [driver(gpu, 'vfio-pci')],
    ],
    [
      [
        `$ ls -l /sys/bus/pci/devices/${gpu}/`,
        link('driver', '../../../../bus/pci/drivers/mgag200'),
        link('iommu_group', '../../../../kernel/iommu_groups/57'),
      ],
      [driver(gpu, 'mgag200'), group(gpu, '57')],
    ],
    [
      [`$ readlink /sys/bus/pci/devices/${gpu}/iommu_group`, '../../../../kernel/iommu_groups/57'],
      [group(gpu, '57')],
    ],
    [
      [`$ readlink -f /sys/bus/pci/devices/${gpu}/driver`, '/sys/bus/pci/drivers/mgag200'],
      [driver(gpu, 'mgag200')],
    ],
    [
      [
        `$ readlink /sys/bus/pci/devices/${gpu}/driver`,
        '$ readlink x',
        '../../../../bus/pci/drivers/mgag200',
      ],
      [],
    ],
    [['$ ls /sys/kernel/iommu_groups/57/devices', 'ls: cannot access it', gpu], []],
    [['$ cat /sys/kernel/iommu_groups/57/devices', gpu], []],
    [[`root@lab:~# echo ${gpu} | tee /sys/bus/pci/drivers/vfio-pci/bind`, gpu], []],
  ])('%j', (lines, expected) => {
    expect(shown(lines)).toEqual(expected);
  });
});

describe('virsh nodedev-dumpxml', () => {
  const xml = [
    '<device>',
    '  <name>pci_0000_c4_00_0</name>',
    '  <path>/sys/devices/pci0000:c0/0000:c0:01.1/0000:c4:00.0</path>',
    '  <driver>',
    '    <name>vfio-pci</name>',
    '  </driver>',
    "  <capability type='pci'>",
    "    <iommuGroup number='57'>",
    "      <address domain='0x0000' bus='0xc4' slot='0x00' function='0x0'/>",
    "      <address domain='0x0000' bus='0xc4' slot='0x00' function='0x1'/>",
    '    </iommuGroup>',
    "    <address domain='0x0000' bus='0xc5' slot='0x00' function='0x0'/>",
    '  </capability>',
    '</device>',
  ];
  test.each([
    [
      'a device and its group',
      xml,
      [driver(gpu, 'vfio-pci'), group(gpu, '57'), group(gpu, '57'), group(audio, '57')],
    ],
    [
      'without a driver',
      xml.toSpliced(3, 3),
      [group(gpu, '57'), group(gpu, '57'), group(audio, '57')],
    ],
    [
      'an mdev',
      [`<name>mdev_${UUID.replaceAll('-', '_')}_0000_c4_00_0</name>`, "<iommuGroup number='58'/>"],
      [group(UUID, '58')],
    ],
    ['a domain', ['<name>alpha</name>', '<driver>', '<name>vfio</name>'], []],
  ])('%s', (_, lines, expected) => {
    expect(shown(lines)).toEqual(expected);
  });
});

test('whichever tool shows it, a device has the driver and the group that are shown', () => {
  const hex = (most: number, digits: number) =>
    fc.nat({ max: most }).map((number) => number.toString(16).padStart(digits, '0'));
  const parts = fc.tuple(hex(0xff, 2), hex(0x1f, 2), fc.nat({ max: 7 }));
  const name = fc.stringMatching(/^[a-z][a-z\d_-]{0,20}[a-z\d_]$/);
  const number = fc.nat({ max: 9999 }).map(String);
  const forms: Readonly<Record<string, (short: string, bound: string, of: string) => string[]>> = {
    '-nnk': (short, bound) => [`${short} ${VGA}`, `\tKernel driver in use: ${bound}`],
    '-vmmk': (short, bound, of) => [`Slot:\t${short}`, `Driver:\t${bound}`, `IOMMUGroup:\t${of}`],
    devbind: (short, bound) => [`0000:${short} 'X710' drv=${bound} unused=`],
    driverctl: (short, bound) => ['$ driverctl list-devices', `0000:${short} ${bound}`],
    loop: (short, _, of) => [`IOMMU Group ${of} ${short} ${VGA}`],
    find: (short, _, of) => [`/sys/kernel/iommu_groups/${of}/devices/0000:${short}`],
    xml: (short, bound, of) => [
      `<name>pci_0000_${short.replaceAll(/[:.]/g, '_')}</name>`,
      `<driver><name>${bound}</name></driver>`,
      `<iommuGroup number='${of}'/>`,
    ],
  };
  fc.assert(
    fc.property(
      fc.constantFrom(...Object.keys(forms)),
      parts,
      name,
      number,
      (form, [bus, slot, fn], bound, of) => {
        const short = `${bus}:${slot}.${fn}`;
        const listed = shown(forms[form]!(short, bound, of));
        const expected = [driver(`0000:${short}`, bound), group(`0000:${short}`, of)];
        expect(listed.length).toBeGreaterThan(0);
        for (const one of listed) expect(expected).toContainEqual(one);
      },
    ),
  );
});

async function pasted(...lines: readonly string[]) {
  const ledger = await openLedger(':memory:');
  const report = await ledger.import(lines.join('\n'));
  return { ledger, report };
}

describe('in the log', () => {
  const nnk = (bound: string) => [`c4:00.0 ${VGA}`, `\tKernel driver in use: ${bound}`];
  const loop = `IOMMU Group 57 c4:00.0 ${VGA}`;

  test('a kernel driver owns, with its group and without', async () => {
    for (const lines of [
      nnk('mgag200'),
      [...nnk('mgag200'), '', loop],
      [loop, '', ...nnk('mgag200')],
    ]) {
      const { ledger } = await pasted(...lines);
      expect(ledger.who(gpu)).toMatchObject({ owner: { kind: 'kernel' }, holders: [] });
      expect(ledger.at('end').device(gpu)).toMatchObject({ driver: 'mgag200' });
      if (lines.includes(loop)) expect(ledger.who('g57').owner.kind).toBe('kernel');
      expect(ledger.verify().faults).toEqual([]);
    }
  });

  test.each(['vfio-pci', 'pcieport', 'mlx5_vfio_pci'])(
    'of %s, who has the device is unknown',
    async (bound) => {
      for (const lines of [nnk(bound), [...nnk(bound), '', loop], [loop, '', ...nnk(bound)]]) {
        const { ledger } = await pasted(...lines);
        expect(ledger.who(gpu)).toMatchObject({ owner: { kind: 'unknown' }, holders: [] });
        expect(ledger.verify().faults).toEqual([]);
      }
    },
  );

  test('it stands after the refusal that it explains, and is counted', async () => {
    const refusal = `qemu-kvm: vfio ${gpu}: group 57 is not viable`;
    const text = [
      '$ lspci -nnk',
      ...nnk('vfio-pci'),
      `c4:00.1 Audio device: AMD`,
      '\tKernel driver in use: snd_hda_intel',
      '$ virsh start alpha',
      refusal,
    ];
    const { ledger, report } = await pasted(...text);
    expect(report.seen).toEqual({ refusal: 1, lspci: 2 });
    const types = ledger.events.map(({ type }) => type);
    expect(types.indexOf('operation.refused')).toBeLessThan(types.lastIndexOf('driver.bound'));
    expect(ledger.log({ refused: true })).toHaveLength(1);
    expect(await ledger.import(text.join('\n'))).toMatchObject({ appended: 0 });
  });

  test('another driver than before was bound meanwhile', async () => {
    const { ledger } = await pasted(
      `[    1.5] vfio-pci ${gpu}: enabling device (0140 -> 0142)`,
      ...nnk('mgag200'),
    );
    expect(ledger.events.map(({ type }) => type).slice(-2)).toEqual([
      'driver.unbound',
      'driver.bound',
    ]);
    expect(ledger.who(gpu).owner.kind).toBe('kernel');
  });

  test('the format devices reads nothing else', async () => {
    const ledger = await openLedger(':memory:');
    const lines = ['EAL: Cannot open /dev/vfio/57: Device or resource busy', ...nnk('mgag200')];
    await ledger.import(lines.join('\n'), { format: 'devices' });
    expect(ledger.log({ refused: true })).toEqual([]);
    expect(ledger.who(gpu).owner.kind).toBe('kernel');
  });

  test('it is found among other lines, however far', async () => {
    const noise = Array.from(
      { length: 5000 },
      (_, index) => `Mar  4 12:00:00 lab sshd[${index}]: Accepted`,
    );
    const { ledger, report } = await pasted(...noise, ...nnk('mgag200'), ...noise, loop, ...noise);
    expect(ledger.who('g57').owner.kind).toBe('kernel');
    expect(report.seen).toEqual({ lspci: 1, iommu_groups: 1 });
  });
});

const samples = [
  `c4:00.0 ${VGA}`,
  '\tKernel driver in use: vfio-pci',
  `IOMMU Group 57 c4:00.0 ${VGA}`,
  `${gpu} 'Ethernet Controller X710 1572' if=eth1 drv=i40e unused=vfio-pci *Active*`,
  `/sys/kernel/iommu_groups/57/devices/${gpu}`,
  '<name>pci_0000_c4_00_0</name>',
  "<iommuGroup number='57'>",
];

test('however it is changed, it is read or rejected', () => {
  surviveMutation(devicesParser, looksLikeDevices, samples);
});

test('long lines take no long time', () => {
  readLongLines(devicesParser, looksLikeDevices, samples);
});

test('a line alone is recognized', () => {
  for (const line of samples.slice(1).filter((text) => !text.startsWith('<name>'))) {
    expect(looksLikeDevices(line), line).toBe(true);
  }
  for (const line of ['0000:c4:00.0 vfio-pci', 'Kernel modules: nouveau', 'Group photo', '']) {
    expect(looksLikeDevices(line), line).toBe(false);
  }
  expect(read(samples.join('\n')).length).toBeGreaterThan(3);
});
