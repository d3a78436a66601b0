/**
 * Files that were open before a trace begins: nobody saw in which state they are.
 */
import { describe, expect, test } from 'vitest';
import { openLedger } from '../../ledger.ts';
import { restoreKernel, saveKernel } from '../../machines/checkpoint.ts';
import { Kernel } from '../../machines/kernel.ts';
import { Verifier } from '../../projections/audit/verification.ts';
import { placed } from '../support/random-logs.ts';

const line = (second: number, call: string) => `77 ${1_772_600_767 + second}.000000 ${call}`;
const group = '12</dev/vfio/61>';
const container = '13</dev/vfio/vfio>';
const cdev = '14</dev/vfio/devices/vfio2>';
const EINVAL = '-1 EINVAL (Invalid argument)';

async function causesIn(...calls: readonly string[]): Promise<string[]> {
  const ledger = await openLedger(':memory:');
  await ledger.import(calls.map((call, index) => line(index, call)).join('\n'));
  const found = ledger.log({ refused: true }).map(({ position }) => ledger.why(position));
  for (const { cause, candidates, because } of found) {
    expect(candidates.length > 1).toBe(cause === 'unknown');
    if (cause === 'unknown') expect(because).toEqual([]);
  }
  expect(ledger.verify().faults).toEqual([]);
  return found.map(({ cause }) => cause);
}

describe('a refusal that hangs on the state of a file that was open before the trace', () => {
  test.each([
    ['a group', `ioctl(${group}, VFIO_GROUP_GET_DEVICE_FD, 0x7f00) = ${EINVAL}`],
    ['a container', `ioctl(${container}, VFIO_IOMMU_MAP_DMA, 0x7f00) = ${EINVAL}`],
    ['an IOMMU driver', `ioctl(${container}, VFIO_SET_IOMMU, 0x1) = ${EINVAL}`],
    ['a device', `ioctl(${cdev}, VFIO_DEVICE_ATTACH_IOMMUFD_PT, 0x7f00) = ${EINVAL}`],
    ['a bus', `ioctl(${cdev}, VFIO_DEVICE_PCI_HOT_RESET, 0x7f00) = ${EINVAL}`],
  ])('has no cause: %s', async (_of, call) => {
    expect(await causesIn(call)).toEqual(['unknown']);
  });

  test('has one where the errno has no other', async () => {
    const call = `ioctl(15</dev/iommu>, IOMMU_DESTROY, 0x7f00) = -1 ENOENT (No such file or directory)`;
    expect(await causesIn(call)).toEqual(['no-such-object']);
  });

  test('has one again once a call that passed has set the state', async () => {
    const again = `ioctl(${container}, VFIO_SET_IOMMU, 0x1) = ${EINVAL}`;
    expect(
      await causesIn(
        again,
        `ioctl(${group}, VFIO_GROUP_SET_CONTAINER, [13</dev/vfio/vfio>]) = 0`,
        `ioctl(${container}, VFIO_SET_IOMMU, 0x1) = 0`,
        again,
      ),
    ).toEqual(['unknown', 'iommu-already-set']);
  });
});

test('a refusal on a descriptor whose open nobody saw contradicts no rule', () => {
  const boot = { boot: 'b', kernel: '6.12.0', profile: null, iommufd: true, simulated: false };
  const refused = { operation: 'set_container', errno: 'ENODEV', pid: 7, fd: 9 } as const;
  const faultsAfter = (certainty: 'observed' | 'assumed') => {
    const verifier = new Verifier();
    for (const event of placed([
      { type: 'host.booted', data: { ...boot, evidence: { source: 't', line: 1, certainty } } },
      { type: 'process.started', data: { pid: 7, comm: 'q', cgroup: null } },
      { type: 'operation.refused', data: { ...refused, container: null } },
    ])) {
      verifier.take(event);
    }
    return verifier.findings.map(({ kind }) => kind);
  };
  expect(faultsAfter('assumed')).toEqual([]);
  expect(faultsAfter('observed')).toEqual(['unexplained']);
});

test('a checkpoint keeps which files were found', () => {
  const evidence = { source: 't', line: 1, certainty: 'inferred', rule: 'found-open' } as const;
  const boot = { boot: 'b', kernel: '6.12.0', profile: null, iommufd: true, simulated: false };
  const kernel = new Kernel();
  for (const event of placed([
    { type: 'host.booted', data: { ...boot, evidence } },
    { type: 'process.found', data: { pid: 7, comm: 'q', cgroup: null } },
    { type: 'container.opened', data: { pid: 7, fd: 3, cloexec: false, evidence } },
    { type: 'container.opened', data: { pid: 7, fd: 4, cloexec: false } },
  ])) {
    kernel.take(event);
  }
  const refused = { operation: 'map_dma', errno: 'EINVAL', pid: 7, iova: 0, size: 4096 } as const;
  for (const host of [kernel, restoreKernel(saveKernel(kernel))]) {
    expect(host.explain({ ...refused, fd: 3 }).cause).toBe('unknown');
    expect(host.explain({ ...refused, fd: 4 }).cause).toBe('no-iommu-driver');
  }
});
