/** Driver changes that were refused: the device and the driver are taken from the lines around. */
import { describe, expect, test } from 'vitest';
import { openLedger, type Ledger } from '../../../ledger.ts';

const device = '0000:c4:00.0';
const other = '0000:c4:00.1';
const BIND = '/sys/bus/pci/drivers/vfio-pci/bind';
const UNBIND = '/sys/bus/pci/drivers/nvme/unbind';
const OVERRIDE = `/sys/bus/pci/devices/${device}/driver_override`;

async function imported(lines: readonly string[]): Promise<Ledger> {
  const ledger = await openLedger(':memory:');
  await ledger.import(lines.join('\n'));
  return ledger;
}

const refusals = (ledger: Ledger) =>
  ledger.events.flatMap((event) => {
    if (event.type !== 'operation.refused') return [];
    const { data } = event;
    return [
      data.operation === 'set_driver'
        ? [data.operation, data.device, data.driver, data.errno]
        : [data.operation, data.errno],
    ];
  });

const busy = 'Device or resource busy';

describe('a change that was refused', () => {
  test.each([
    ['bash', [`root@lab:~# echo ${device} > ${BIND}`, `bash: echo: write error: ${busy}`]],
    ['a login shell', [`# echo -n "${device}" >${BIND}`, `-bash: echo: write error: ${busy}`]],
    ['a script', [`+ echo ${device} > ${BIND}`, `./b.sh: line 9: echo: write error: ${busy}`]],
    ['printf', [`$ printf '${device}\\n' > ${BIND}`, `bash: printf: write error: ${busy}`]],
    [
      'German',
      [
        `$ echo ${device} > ${BIND}`,
        'bash: echo: Schreibfehler: Das Gerät oder die Ressource ist belegt.',
      ],
    ],
    ['Chinese', [`$ echo ${device} > ${BIND}`, 'bash: echo: 写入错误：设备或资源忙']],
    [
      'French',
      [`$ echo ${device} | tee ${BIND}`, `tee: ${BIND}: Périphérique ou ressource occupé`],
    ],
    ['zsh', [`lab# echo ${device} > ${BIND}`, 'zsh: write error: device or resource busy']],
    ['busybox', [`/ # echo ${device} > ${BIND}`, `sh: write error: ${busy}`]],
    ['tee', [`$ echo ${device} | sudo tee ${BIND}`, device, `tee: ${BIND}: ${busy}`]],
    ['tee without a prompt', [`echo ${device} | sudo tee -a ${BIND}`, `tee: ${BIND}: ${busy}`]],
    ['dd', [`$ echo ${device} | dd of=${BIND}`, `dd: error writing '${BIND}': ${busy}`]],
    ['a here string', [`$ sudo tee ${BIND} <<< ${device}`, `tee: ${BIND}: ${busy}`]],
    [
      'sh -c',
      [`$ sudo sh -c "echo ${device} > ${BIND}"`, `sh: line 1: echo: write error: ${busy}`],
    ],
    ['without the domain', [`$ echo c4:00.0 > ${BIND}`, `bash: echo: write error: ${busy}`]],
    [
      'Python',
      [
        '  File "/opt/bind.py", line 12, in bind',
        `    open("${BIND}", "w").write("${device}")`,
        `OSError: [Errno 16] ${busy}`,
      ],
    ],
    ['Python, with the file', [`binding ${device}`, `OSError: [Errno 16] ${busy}: '${BIND}'`]],
    [
      'Go',
      [
        `time="2026-03-04T05:06:07Z" level=error msg="binding ${device}: write ${BIND}: device or resource busy"`,
      ],
    ],
    ['Rust', [`Error: cannot bind ${device}: ${BIND}: ${busy} (os error 16)`]],
    [
      'set -x, which prints no redirection',
      [`+ echo vfio-pci`, `+ tee ${BIND}`, `+ echo ${device}`, `tee: ${BIND}: ${busy}`],
    ],
    [
      'driverctl',
      [
        `$ sudo driverctl set-override ${device} vfio-pci`,
        `/usr/sbin/driverctl: line 40: echo: write error: ${busy}`,
        `driverctl: failed to bind device ${device} to driver vfio-pci`,
      ],
    ],
    ['a device that is named just before', [`${device} next`, `tee: ${BIND}: ${busy}`]],
    [
      'SPDK',
      [
        `${device} (8086 0a54): nvme -> vfio-pci`,
        `./scripts/setup.sh: line 141: echo: write error: ${busy}`,
      ],
    ],
    [
      'dpdk-devbind',
      [`Error: bind failed for ${device} - Cannot bind to driver vfio-pci: [Errno 16] ${busy}`],
    ],
    [
      'dpdk-devbind and its file',
      [`Error: bind failed for ${device} - Cannot open ${BIND}: [Errno 16] ${busy}: '${BIND}'`],
    ],
    ['libvirt', [`error: Failed to bind PCI device '${device}' to vfio-pci: ${busy}`]],
    [
      'Incus',
      [
        `Error: Failed setting driver override "vfio-pci" for device "${device}" via "${OVERRIDE}": write ${OVERRIDE}: device or resource busy`,
      ],
    ],
    ['an override', [`$ echo vfio-pci > ${OVERRIDE}`, `bash: echo: write error: ${busy}`]],
    [
      'an override with escapes',
      [`$ echo vfio-pci > ${OVERRIDE.replaceAll(':', '\\:')}`, `bash: ${OVERRIDE}: ${busy}`],
    ],
  ])('%s', async (_, lines) => {
    const ledger = await imported(lines);
    expect(refusals(ledger)).toEqual([['set_driver', device, 'vfio-pci', 'EBUSY']]);
    const [refused] = ledger.log({ refused: true });
    expect(ledger.why(refused?.position ?? -1).cause).toBe('unknown');
    expect(ledger.who(device)).toMatchObject({ holders: [], waiters: [] });
    expect(ledger.verify().faults).toEqual([]);
  });

  test.each([
    [
      'an unbind',
      [`$ echo ${device} > ${UNBIND}`, 'bash: echo: write error: No such device'],
      'ENODEV',
    ],
    [
      'an unbind by its device',
      [`tee: /sys/bus/pci/devices/${device}/driver/unbind: No such file or directory`],
      'ENOENT',
    ],
    [
      'a probe',
      [
        `$ echo ${device} > /sys/bus/pci/drivers_probe`,
        'bash: echo: write error: Invalid argument',
      ],
      'EINVAL',
    ],
    ['Python', [`OSError: [Errno 22] Invalid argument: '${OVERRIDE}'`], 'EINVAL'],
    ['zsh', [`zsh: permission denied: ${OVERRIDE}`], 'EACCES'],
    [
      'libvirt',
      [`error: Failed to unbind PCI device '${device}' from nvme: No such device`],
      'ENODEV',
    ],
  ])('without a driver: %s', async (_, lines, errno) => {
    expect(refusals(await imported(lines))).toEqual([['set_driver', device, null, errno]]);
  });

  test.each([
    [
      'new_id, in one line',
      [
        `$ lspci -ns ${device}`,
        `$ echo ${device}; echo 8086 10ca > /sys/bus/pci/drivers/vfio-pci/new_id`,
        'bash: echo: write error: File exists',
      ],
      'EEXIST',
    ],
    [
      'new_id, after the unbind',
      [
        `# echo ${device} > ${UNBIND}`,
        '# echo 8086 10ca > /sys/bus/pci/drivers/vfio-pci/new_id',
        '-bash: echo: write error: File exists',
      ],
      'EEXIST',
    ],
    [
      'new_id, by tee',
      [
        `# lspci -Dnn -s ${device}`,
        '# echo 8086 10ca | tee /sys/bus/pci/drivers/vfio-pci/new_id',
        'tee: /sys/bus/pci/drivers/vfio-pci/new_id: File exists',
      ],
      'EEXIST',
    ],
  ])('by the ids of a device: %s', async (_, lines, errno) => {
    expect(refusals(await imported(lines))).toEqual([['set_driver', device, 'vfio-pci', errno]]);
  });
});

test('what the kernel and the shell tell is one', async () => {
  const probe = `[  188.562656] vfio-pci ${device}: probe with driver vfio-pci failed with error -22`;
  const shell = [`$ echo ${device} > ${BIND}`, 'bash: echo: write error: Invalid argument'];
  for (const lines of [
    [...shell, '$ dmesg | tail -n 1', probe],
    [probe, ...shell],
  ]) {
    expect(refusals(await imported(lines))).toEqual([['set_driver', device, 'vfio-pci', 'EINVAL']]);
  }
});

test('libvirt names the device in the line before, in its own form', async () => {
  const ledger = await imported([
    'error: Failed to detach device pci_0000_c4_00_0',
    "error: Failed to add PCI device ID '8086 10ca' to vfio-pci: File exists",
  ]);
  expect(refusals(ledger)).toEqual([['set_driver', device, 'vfio-pci', 'EEXIST']]);
});

describe('a program that prints no errno', () => {
  test.each([
    [
      'dash, whose words are always the same',
      [`$ echo ${device} > ${BIND}`, 'sh: 1: echo: echo: I/O error'],
    ],
    ['an old dpdk-devbind', [`Error: bind failed for ${device} - Cannot bind to driver vfio-pci`]],
    ['Proxmox, for a device', [`TASK ERROR: Cannot bind ${device} to vfio`]],
    ['driverctl alone', [`driverctl: failed to bind device ${device} to driver vfio-pci`]],
    ['Proxmox', [`can't unbind/bind PCI group to VFIO '${device}'`]],
  ])('was refused, and why is not known: %s', async (_, lines) => {
    const ledger = await imported(lines);
    expect(refusals(ledger)).toEqual([['set_driver', device, 'vfio-pci', null]]);
    const [event] = ledger.log({ refused: true });
    expect(event?.data).toMatchObject({
      evidence: { certainty: 'inferred', rule: 'told-without-an-errno' },
    });
    const found = ledger.why(device);
    expect(found).toMatchObject({ cause: 'unknown', because: [], wouldPassAfter: null });
    expect(ledger.explain(found)).toContain('was refused; the errno is not shown');
    expect(ledger.verify().faults).toEqual([]);
  });

  test('has the errno of the shell that it runs in', async () => {
    const ledger = await imported([
      '/usr/sbin/driverctl: line 40: echo: write error: No such device',
      `driverctl: failed to bind device ${device} to driver vfio-pci`,
    ]);
    expect(refusals(ledger)).toEqual([['set_driver', device, 'vfio-pci', 'ENODEV']]);
  });
});

test.each([
  ['a line of its own', [`$ DEV=${device}`, `$ echo $DEV > ${BIND}`]],
  [
    'quoted, in braces',
    [`export DEV="${device}" DRV=vfio-pci`, 'echo "${DEV}" > /sys/bus/pci/drivers/${DRV}/bind'],
  ],
  ['in the same line', [`$ DEV=${device}; echo $DEV > ${BIND}`]],
])('a variable of the shell stands for what it was set to: %s', async (_, lines) => {
  const ledger = await imported([...lines, `bash: echo: write error: ${busy}`]);
  expect(refusals(ledger)).toEqual([['set_driver', device, 'vfio-pci', 'EBUSY']]);
});

describe('no guess', () => {
  test.each([
    [
      'a loop',
      [
        `$ DEV=${device}`,
        `$ for DEV in ${other} ${device}; do echo $DEV > ${BIND}; done`,
        `bash: echo: write error: ${busy}`,
      ],
    ],
    [
      'another variable',
      [`$ echo ${device} > ${BIND}`, `$ echo $OTHER > ${BIND}`, `bash: echo: write error: ${busy}`],
    ],
    [
      'a line that names two',
      [`${device} and ${other}`, `about ${device}`, `tee: ${BIND}: ${busy}`],
    ],
    [
      'ids of one of two',
      [
        `# echo ${device} > ${UNBIND}`,
        `# echo ${other} > ${UNBIND}`,
        '# echo 8086 10ca > /sys/bus/pci/drivers/vfio-pci/new_id',
        'bash: echo: write error: File exists',
      ],
    ],
    [
      'what somebody writes',
      [`I cannot bind ${device} to vfio-pci any more, and could not unbind ${device} either.`],
    ],
    [
      'two devices',
      [`echo ${device} > ${BIND}`, `echo ${other} > ${BIND}`, `tee: ${BIND}: ${busy}`],
    ],
    [
      'no device',
      ['$ echo $DEV > /sys/bus/pci/drivers/vfio-pci/bind', `bash: echo: write error: ${busy}`],
    ],
    [
      'another command',
      [`$ echo ${device} > ${BIND}`, '$ echo 1 > /sys/class/x', `bash: echo: write error: ${busy}`],
    ],
    [
      'far away',
      [
        `$ echo ${device} > ${BIND}`,
        ...Array.from({ length: 40 }, () => 'ok'),
        `bash: echo: write error: ${busy}`,
      ],
    ],
    ['a command that was not refused', [`$ echo ${device} > ${BIND}`, '$ ls']],
    ['ls', [`$ ls ${OVERRIDE}`, `ls: cannot access '${OVERRIDE}': No such file or directory`]],
  ])('%s', async (_, lines) => {
    const ledger = await openLedger(':memory:');
    // Some say nothing of VFIO at all.
    await ledger.import(lines.join('\n')).catch(() => null);
    expect(refusals(ledger)).toEqual([]);
  });

  test('of several commands with prompts the last one was refused', async () => {
    const ledger = await imported([
      `$ echo ${device} > ${BIND}`,
      `$ echo ${other} > ${BIND}`,
      `bash: echo: write error: ${busy}`,
    ]);
    expect(refusals(ledger)).toEqual([['set_driver', other, 'vfio-pci', 'EBUSY']]);
  });

  test('of several that set -x prints, too', async () => {
    const ledger = await imported([
      `+ echo ${device}`,
      `+ tee ${BIND}`,
      `+ echo ${other}`,
      '+ tee /sys/bus/pci/drivers/nvme/unbind',
      `bash: echo: write error: ${busy}`,
    ]);
    expect(refusals(ledger)).toEqual([]);
  });
});
