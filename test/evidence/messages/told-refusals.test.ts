/**
 * What becomes of a refusal that is told in words: the log has it, and nothing that nobody saw.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { DataOf } from '../../../events/vocabulary.ts';
import { openLedger, type Ledger } from '../../../ledger.ts';
import { saveKernel } from '../../../machines/checkpoint.ts';
import { Kernel } from '../../../machines/kernel.ts';
import { causesOf, causeTable, hasKernelSource } from '../../../machines/operations.ts';
import { isBesideOwnership } from '../../../machines/outside-refusals.ts';
import { kernels } from '../../../machines/profile.ts';
import { effectOf } from '../../../processes/effects.ts';
import { anyLog } from '../../support/random-logs.ts';

const device = '0000:a1:00.0';

/** A line of each operation that programs tell of, by the words for its errno. */
const lines: Readonly<Record<string, (number: number, words: string) => string>> = {
  open_group: (_, words) => `EAL: Cannot open /dev/vfio/61: ${words}`,
  open_container: (n, words) => `EAL:   cannot open VFIO container, error ${n} (${words})`,
  open_iommufd: (_, words) => `vfio: error opening /dev/iommu: ${words}`,
  open_cdev: (_, words) => `crosvm: failed to open /dev/vfio/devices/vfio5: ${words}`,
  group_status: (n, words) =>
    `EAL:   ${device} cannot get VFIO group status, error ${n} (${words})`,
  set_container: (n, words) =>
    `EAL:   ${device} cannot add VFIO group to container, error ${n} (${words})`,
  set_iommu: (_, words) =>
    `vfio ${device}: failed to setup container for group 61: Failed to set iommu for container: ${words}`,
  get_device: (_, words) => `vfio ${device}: error getting device from group 61: ${words}`,
  bind: (_, words) => `vfio ${device}: error bind device fd=41 to iommufd=17: ${words}`,
  attach: (_, words) =>
    `vfio ${device}: [iommufd=17] error attach ${device} (41) to id=3: ${words}`,
  map_dma: (_, words) => `kvm: VFIO_MAP_DMA failed: ${words}`,
  reset: (_, words) => `${device} VFIO_DEVICE_RESET: ${words}`,
  hot_reset: (_, words) => `${device} VFIO_DEVICE_PCI_HOT_RESET: ${words}`,
  set_driver: (_, words) => `failed to bind device '${device}' to driver 'vfio-pci': ${words}`,
};

const errnos = [
  [1, 'EPERM', 'Operation not permitted'],
  [2, 'ENOENT', 'No such file or directory'],
  [9, 'EBADF', 'Bad file descriptor'],
  [12, 'ENOMEM', 'Cannot allocate memory'],
  [13, 'EACCES', 'Permission denied'],
  [16, 'EBUSY', 'Device or resource busy'],
  [17, 'EEXIST', 'File exists'],
  [19, 'ENODEV', 'No such device'],
  [22, 'EINVAL', 'Invalid argument'],
  [25, 'ENOTTY', 'Inappropriate ioctl for device'],
] as const;

const told = Object.entries(lines).flatMap(([operation, line]) =>
  errnos.map(([number, errno, words]) => ({ operation, errno, line: line(number, words) })),
);

/** What the table of causes says of an errno that a kernel gave. */
const rowsOf = (operation: string, errno: string) =>
  causeTable().filter(
    (row) =>
      row.operation === operation &&
      row.errno === errno &&
      hasKernelSource(row) &&
      row.profiles.some((profile) => kernels.includes(profile)),
  );
const isExplained = (operation: string, errno: string) =>
  rowsOf(operation, errno).length > 0 || isBesideOwnership(errno);

async function imported(...text: readonly string[]): Promise<Ledger> {
  const ledger = await openLedger(':memory:');
  await ledger.import(text.join('\n'));
  return ledger;
}

const refusalsOf = (ledger: Ledger) => ledger.log({ refused: true });
const dataOf = (ledger: Ledger) => refusalsOf(ledger).map(({ data }) => data as object);

describe('a refusal that a program tells of', () => {
  test.each(told)('$operation $errno opens no file, and says what the line says', async (row) => {
    const { operation, errno, line } = row;
    const ledger = await imported(line);
    expect(dataOf(ledger)).toMatchObject([{ operation, errno }]);
    expect(ledger.events.filter(({ type }) => effectOf(type).opens !== null)).toEqual([]);
    for (const data of dataOf(ledger)) if ('fd' in data) expect(data.fd).toBeNull();
    expect(ledger.at('end').table().files).toEqual([]);
    // Verify may dispute an errno that no kernel gives for an open or a driver bind.
    const isOnFile = dataOf(ledger).some((data) => 'fd' in data);
    if (isOnFile || isExplained(operation, errno)) expect(ledger.verify().faults).toEqual([]);
  });

  test('has a cause only where no other can have that errno, and else every cause that can', async () => {
    let open = 0;
    for (const { operation, errno, line } of told) {
      const ledger = await imported(line);
      const [{ position } = { position: -1 }] = refusalsOf(ledger);
      const { cause, candidates } = ledger.why(position);
      const causes = new Set(rowsOf(operation, errno).map((row) => row.cause));
      if (cause === 'unknown') {
        open++;
        expect(new Set(candidates.map((candidate) => candidate.cause))).toEqual(causes);
      } else {
        expect(candidates).toEqual([]);
        if (causes.size > 0) expect([...causes], line).toContain(cause);
        // A node that is not there is all that ENOENT of an open can say to who gives its path.
        if (causes.size > 1) expect([operation, cause]).toEqual(['open_cdev', 'no-such-node']);
      }
      for (const { next, summary } of candidates) expect(`${next}${summary}`).not.toBe('');
    }
    expect(open).toBeGreaterThan(20);
  });

  test('can be asked about by all that it names', async () => {
    const ledger = await imported(
      `qemu-kvm: vfio ${device}: failed to open /dev/vfio/61: Device or resource busy`,
      'EAL: Cannot open /dev/vfio/62: No such file or directory',
    );
    for (const subject of [device, 'g61']) {
      const { operation, errno, cause, candidates, blocker } = ledger.why(subject);
      expect([operation, errno, cause, blocker]).toEqual(['open_group', 'EBUSY', 'unknown', null]);
      expect(candidates).toContainEqual({
        cause: 'group-already-open',
        summary: expect.stringContaining('another file'),
        next: 'fuser -v /dev/vfio/61',
      });
      expect(ledger.who(subject)).toMatchObject({ owner: { kind: 'unknown' }, holders: [] });
    }
    expect(ledger.at('end').device(device).group).toBe('61');
    const missing = ledger.why('g62');
    expect(missing).toMatchObject({ cause: 'no-such-node', candidates: [] });
    expect(missing.summary).toContain('not passed into the container');
    expect(ledger.who('g62')).toMatchObject({ owner: { kind: 'unknown' }, holders: [] });
  });

  test('says in words what it may be, and how to find out', async () => {
    const ledger = await imported('EAL: Cannot open /dev/vfio/61: Device or resource busy');
    const text = ledger.explain(ledger.why('g61'));
    expect(text).toContain('it may be:\n');
    expect(text).toContain('\n  fuser -v /dev/vfio/61 ');
    expect(text).not.toContain('would not pass');
  });

  test('twice finds its group once, and gives no device a driver', async () => {
    const line = `qemu-kvm: vfio ${device}: failed to open /dev/vfio/61: Device or resource busy`;
    const ledger = await imported(line, line);
    expect(
      ledger.events.map(({ type }) => type).filter((type) => type.startsWith('driver')),
    ).toEqual([]);
  });

  test('keeps the cause that its own line shows', async () => {
    const ledger = await imported(
      `[    9.5] vfio-pci ${device}: Firmware has requested this device have a 1:1 IOMMU mapping, rejecting configuring the device without a 1:1 mapping. Contact your platform vendor.`,
    );
    expect(ledger.why(device)).toMatchObject({ errno: 'EINVAL', cause: 'not-ownership' });
  });

  test('on a kernel that is known may have its cause by that kernel alone', async () => {
    const line = `vfio ${device}: error bind device fd=41 to iommufd=17: Inappropriate ioctl for device`;
    const causeOn = async (profile: string | undefined) => {
      const ledger = await openLedger(':memory:');
      await ledger.import(line, profile === undefined ? {} : { profile });
      return ledger.why(device).cause;
    };
    expect(await causeOn(undefined)).toBe('unknown');
    expect(await causeOn('linux-6.12')).toBe('wrong-file-kind');
  });
});

describe('what a program found out for itself', () => {
  const conclusions = [
    [`vfio ${device}: group 61 is not viable`, 'set_container', 'owned-by-kernel-driver', null],
    [
      `EAL:   ${device} VFIO group is not viable! Not all devices in IOMMU group bound to VFIO or unbound`,
      'set_container',
      'owned-by-kernel-driver',
      null,
    ],
    [
      `vfio: Cannot reset device ${device}, depends on group 62 which is not owned.`,
      'hot_reset',
      'reset-not-owned',
      { kind: 'group', subject: '62' },
    ],
    [
      `vfio: Cannot reset device ${device}, depends on device 0000:a1:00.1 which is not owned.`,
      'hot_reset',
      'reset-not-owned',
      { kind: 'device', subject: '0000:a1:00.1' },
    ],
    [
      `vfio: Cannot reset device ${device}, no available reset mechanism.`,
      'hot_reset',
      'not-ownership',
      null,
    ],
    [
      `vfio ${device}: group 61 used in multiple address spaces`,
      'attach',
      'sibling-attached-elsewhere',
      null,
    ],
  ] as const;

  test.each(conclusions)('%s', async (line, operation, cause, blocker) => {
    const ledger = await imported(line);
    const [event] = refusalsOf(ledger);
    expect(event?.data).toMatchObject({
      operation,
      errno: null,
      cause,
      evidence: { certainty: 'inferred', rule: 'concluded-by-the-program' },
    });
    const found = ledger.why(device);
    expect(found).toMatchObject({ operation, errno: null, cause, candidates: [] });
    expect([found.because, found.wouldPassAfter]).toEqual([[], null]);
    if (blocker === null) expect(found.blocker).toBeNull();
    else expect(found.blocker).toMatchObject({ ...blocker, holders: [] });
    expect(ledger.explain(found)).toContain('concluded that the kernel would refuse');
    expect(ledger.verify().faults).toEqual([]);
    expect(ledger.replayed({ profile: 'linux-6.1' }).attempts).toBe(0);
    const subject = found.blocker?.subject;
    if (subject !== undefined) {
      const named = found.blocker?.kind === 'group' ? `g${subject}` : subject;
      expect(ledger.why(named).position).toBe(found.position);
      expect(ledger.who(named).holders).toEqual([]);
    }
    expect(ledger.who(device)).toMatchObject({ owner: { kind: 'unknown' }, holders: [] });
  });

  test('moves no machine, whatever the host', () => {
    const concluded = fc.constantFrom('owned-by-kernel-driver', 'reset-not-owned', 'nonsense');
    const group = fc.constantFrom('1', '2', '3', '26');
    fc.assert(
      fc.property(anyLog, concluded, group, (log, cause, named) => {
        const kernel = new Kernel();
        for (const event of log)
          if (kernel.isKnown || event.type === 'host.booted') kernel.take(event);
        const data: DataOf<'operation.refused'> = {
          operation: 'set_container',
          errno: null,
          pid: 1,
          fd: null,
          container: null,
          group: named,
          cause,
        };
        const before = saveKernel(kernel);
        kernel.take({ type: 'operation.refused', data, position: log.length });
        expect(saveKernel(kernel)).toEqual({ ...before, position: log.length });
        expect(kernel.explain(data).cause).toBe(cause === 'nonsense' ? 'unknown' : cause);
      }),
      { numRuns: 100 },
    );
  });
});

test('an errno that the firmware, a driver or a cgroup may give is not one of the rules alone', () => {
  expect(causesOf('set_container', 'EINVAL', ['linux-7.3'])).toContain('not-ownership');
  expect(causesOf('open_group', 'EPERM', kernels)).toEqual([
    'needs-cap-sys-rawio',
    'not-ownership',
  ]);
  expect(causesOf('bind', 'EBADFD', kernels)).toEqual(['not-an-iommufd']);
});

test.each([
  ['ioctl(5, VFIO_GROUP_SET_CONTAINER, [3]) = -1 EINVAL (Invalid argument)', 'EINVAL'],
  ['open /dev/vfio/33 = -1 EBUSY', 'EBUSY'],
  ['VFIO_DEVICE_RESET failed ret=-1: Inappropriate ioctl for device', 'ENOTTY'],
  ['VFIO_DEVICE_RESET failed ret=-1', 'EPERM'],
])('what a call returns is no errno if one stands behind: %s', async (words, errno) => {
  const ledger = await openLedger(':memory:');
  await ledger.import(`app: ${words}\n`, { format: 'text' });
  const errnos = [...ledger.each('operation.refused')].map(
    ({ data }) => 'errno' in data && data.errno,
  );
  expect(errnos).toEqual([errno]);
});

test.each([
  'EAL: Cannot open /dev/vfio/26 (held by pid 4711): Device or resource busy',
  'app: pid 4711 has it; failed to open /dev/vfio/26: Device or resource busy',
])('a pid that is in the way is not that of who was refused: %s', async (words) => {
  const ledger = await openLedger(':memory:');
  await ledger.import(`${words}\n`, { format: 'text' });
  const pids = [...ledger.each('operation.refused')].map(({ data }) => 'pid' in data && data.pid);
  expect(pids).toHaveLength(1);
  expect(pids).not.toContain(4711);
});
