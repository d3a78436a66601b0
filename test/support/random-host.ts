/**
 * Random hosts as they can be, for tests that read them: who has what of VFIO, by which way.
 *
 * @module
 */
import * as fc from 'fast-check';
import type { Compare } from '../../evidence/reading/kcmp.ts';
import type { CopiedHost } from './copied-host.ts';

const ways = ['container', 'compat', 'cdev', 'group', 'closed-group', 'idle'] as const;

interface Tenant {
  readonly way: (typeof ways)[number];
  /** Groups of one device or two. */
  readonly sizes: readonly number[];
  readonly isMapped: boolean;
  /** Whether descriptors of what is mapped are closed. */
  readonly isClosed: boolean;
  readonly isForked: boolean;
  /** How its descriptors are counted off from. */
  readonly from: number;
  readonly startedAt: number;
}

export interface RandomHost {
  readonly host: CopiedHost;
  readonly compare: Compare;
}

interface Held {
  path: string;
  device?: string;
  cloexec: boolean;
}

export const anyHost: fc.Arbitrary<RandomHost> = fc
  .record({
    tenants: fc.array(
      fc.record({
        way: fc.constantFrom(...ways),
        sizes: fc.array(fc.integer({ min: 1, max: 2 }), { minLength: 1, maxLength: 3 }),
        isMapped: fc.boolean(),
        isClosed: fc.boolean(),
        isForked: fc.boolean(),
        from: fc.integer({ min: 3, max: 6 }),
        startedAt: fc.integer({ min: 1, max: 2 }),
      }),
      { maxLength: 4 },
    ),
    kernelGroups: fc.integer({ min: 0, max: 2 }),
    isNamed: fc.boolean(),
    isShuffled: fc.boolean(),
  })
  .map(build);

interface Choices {
  readonly tenants: readonly Tenant[];
  /** How many groups kernel drivers have. */
  readonly kernelGroups: number;
  /** Whether devices' files say of which they are, as since Linux 6.18. */
  readonly isNamed: boolean;
  /** Whether pids descend. */
  readonly isShuffled: boolean;
}

function build({ tenants, kernelGroups, isNamed, isShuffled }: Choices): RandomHost {
  const devices: NonNullable<CopiedHost['devices']>[number][] = [];
  const processes: NonNullable<CopiedHost['processes']>[number][] = [];
  const files = new Map<string, string>();
  const plug = (group: number, size: number) =>
    Array.from({ length: size }, (_, index) => {
      const number = devices.length;
      const device = `0000:${(group + 16).toString(16)}:00.${index}`;
      const added = { device, group: String(group), driver: 'vfio-pci', cdev: `vfio${number}` };
      devices.push(added);
      return added;
    });
  let group = 1;
  for (const [index, tenant] of tenants.entries()) {
    const pid = 1000 + (isShuffled ? tenants.length - index : index) * 10;
    const { isMapped, isClosed, isForked, startedAt } = tenant;
    const way = !isNamed && tenant.way === 'closed-group' ? 'container' : tenant.way;
    const descriptors: Record<number, Held> = {};
    const maps: string[] = [];
    let fd = tenant.from;
    const open = (path: string, device?: string) => {
      const at = fd++;
      descriptors[at] = { path, cloexec: true, ...(device !== undefined && { device }) };
      files.set(`${pid} ${at}`, `${pid} ${at}`);
      return at;
    };
    const map = (path: string) => {
      const at = (0x7f0000000000 + maps.length * 0x20000).toString(16);
      const end = (0x7f0000010000 + maps.length * 0x20000).toString(16);
      maps.push(`${at}-${end} rw-s e0000000 00:0e 1057                       ${path}`);
    };
    if (way === 'container' || way === 'closed-group') open('/dev/vfio/vfio');
    if (way === 'compat' || way === 'cdev') open('/dev/iommu');
    for (const size of tenant.sizes) {
      const number = group++;
      const members = plug(number, way === 'closed-group' ? 1 : size);
      if (way === 'container' || way === 'compat' || way === 'group') open(`/dev/vfio/${number}`);
      if (way === 'idle' || way === 'group') continue;
      for (const { device, cdev } of members) {
        const isCdev = way === 'cdev';
        const path = isCdev ? `/dev/vfio/devices/${cdev}` : 'anon_inode:[vfio-device]';
        const shown = isNamed ? device : undefined;
        const at = open(path, shown);
        if (!isMapped || !isCdev) continue;
        map(path);
        if (!isClosed) continue;
        delete descriptors[at];
        files.delete(`${pid} ${at}`);
      }
    }
    const process = { pid, comm: `vm${index}`, cgroup: `/vm${index}`, startedAt };
    processes.push({ ...process, descriptors, maps });
    if (!isForked) continue;
    for (const at of Object.keys(descriptors)) files.set(`${pid + 1} ${at}`, `${pid} ${at}`);
    processes.push({ ...process, pid: pid + 1, descriptors, maps: [] });
  }
  for (let count = 0; count < kernelGroups; count++) {
    const number = 60 + count;
    devices.push({ device: `0000:f${count}:00.0`, group: String(number), driver: 'nvme' });
  }
  const fileAt = ({ pid, fd }: { pid: number; fd: number }) => files.get(`${pid} ${fd}`);
  const compare: Compare = (pairs) =>
    pairs.map(([a, b]) => (fileAt(a) === fileAt(b) ? 'same' : 'different'));
  return { host: { devices, processes }, compare };
}
