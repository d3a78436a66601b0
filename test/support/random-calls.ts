/**
 * Hosts on which processes make calls at random, and the rules answer: much is refused, and for
 * many causes. Processes live long, fork, pass files on, lose descriptors and are killed; drivers
 * change, also while files are open; devices are unplugged and plugged in, which the calls do not
 * notice; now and then the host boots. The file of some refused calls is not shown.
 *
 * @module
 */
import fc from 'fast-check';
import type { DataOf, Fact } from '../../events/vocabulary.ts';
import { ScenarioHost } from '../../host/scenario-host.ts';
import type { Profile } from '../../machines/profile.ts';
import { parseLine, type OperationStatement } from '../../scenario/language.ts';
import { parseTopology } from '../../scenario/topology.ts';
import { drawFrom, type Draw } from './draw.ts';
import { placed, type Log } from './random-logs.ts';

const devices = [
  { name: 'd0', bdf: '0000:01:00.0', model: 'edu', group: '1', driver: 'vfio-pci', cdev: 'vfio0' },
  { name: 'd1', bdf: '0000:01:00.1', model: 'edu', group: '1', driver: 'vfio-pci', cdev: 'vfio1' },
  { name: 'd2', bdf: '0000:02:00.0', model: 'nvme', group: '2', driver: 'vfio-pci', cdev: 'vfio2' },
  { name: 'd3', bdf: '0000:03:00.0', model: 'e1000e', group: '3', driver: 'e1000e', cdev: null },
  { name: 'd4', bdf: '0000:03:00.1', model: 'edu', group: '3', driver: 'vfio-pci', cdev: 'vfio3' },
];
const topology = parseTopology({ topology: { kernel: '6.12.1', iommufd: true, devices } });

/** Statements, each as often as it is likely; `$d` and so on are drawn. */
const STATEMENTS = [
  ...Array<string>(4).fill('open_iommufd $I'),
  ...Array<string>(6).fill('open_cdev $A $d'),
  ...Array<string>(8).fill('bind $A $I'),
  'bind $A $G',
  'alloc_ioas $I $X',
  'alloc_ioas $I $X',
  'attach $A $X',
  'attach $A $X',
  'attach $A :9',
  'ioas_map $I $X',
  'ioas_map $I $X',
  'map_dma $I',
  'alloc_hwpt $I $A $X $Y',
  'attach $A $Y',
  'alloc_hwpt $I $A $X $Y flags=8',
  'attach $A $Y argsz=16 flags=1 pasid=1',
  'attach $A $Y argsz=16 flags=1',
  'detach $A argsz=12 flags=1 pasid=1',
  'detach $A argsz=12 flags=1',
  'detach $A',
  'destroy $I $X',
  'destroy $I $Y',
  'compat_ioas $I set $X',
  'compat_ioas $I get',
  ...Array<string>(3).fill('open_container $C'),
  ...Array<string>(5).fill('open_group $G $d'),
  ...Array<string>(5).fill('set_container $G $C'),
  'set_container $G $I',
  'set_iommu $C',
  'set_iommu $C',
  'set_iommu $I',
  ...Array<string>(5).fill('get_device $A $G $d'),
  'unset_container $G',
  'group_status $G',
  'map_dma $C',
  'reset $A',
  'hot_reset $A $G',
  'hot_reset $A',
  'mmap $M $A 0',
  'mmap $M $I 0',
  'munmap $M',
  'dup $A $A',
  'dup $G $G',
  ...Array<string>(3).fill('close $A'),
  'close $A',
  'close $I',
  'close $G',
  'close $C',
  'open_path $A /proc/self/fd/:4',
  'send $A $P',
  'send $G $P',
  'send $I $P',
  'fork $P',
  'exec',
  'exit',
  'kill $P',
  'set_driver $d vfio-pci',
  'set_driver $d vfio-pci',
  'set_driver $d e1000e',
  'set_driver $d none',
  'bg_wait',
  'bg_wait',
] as const;

const NAMES: Readonly<Record<string, readonly string[]>> = {
  A: ['A', 'A', 'B', 'D'],
  I: ['I', 'I', 'J'],
  C: ['C', 'C', 'K'],
  G: ['G', 'G', 'H'],
  X: ['X', 'X', 'Z'],
  Y: ['Y'],
  M: ['M'],
  d: ['d0', 'd1', 'd2', 'd2', 'd3', 'd4'],
  P: ['P1', 'P2', 'P3', 'P4'],
};

function statement(draw: Draw): string {
  const pick = <T>(some: readonly T[]): T => some[Math.floor(draw() * some.length)] as T;
  const words = pick(STATEMENTS).replaceAll(/\$(\w)/g, (_, name: string) =>
    pick(NAMES[name] ?? []),
  );
  return `@${pick(NAMES['P'] ?? [])} ${words.replace('fd/:', 'fd/')}`;
}

/** Of a few statements one that is not refused for a mistake of its caller, if there is one. */
function likely(host: ScenarioHost, draw: Draw): OperationStatement {
  for (let left = TRIES; ; left--) {
    const said = parseLine(statement(draw));
    if (said?.kind !== 'operation') continue;
    const refusal = host.live.judge(host.foresee(said));
    if (left === 0 || refusal === null || !mistakes.has(refusal.cause)) return said;
  }
}

const TRIES = 12;
const mistakes = new Set<string>([
  'bad-descriptor',
  'malformed-argument',
  'not-ownership',
  'process-exists',
  'unsupported',
  'wrong-file-kind',
]);

function calledFor(count: number, seed: number, profile: Profile, uptime: number): Log {
  const draw = drawFrom(seed);
  const host = new ScenarioHost(topology, profile);
  const events = host.boot('b0');
  for (let made = 1; events.length < count; made++) {
    if (made % uptime === 0) events.push(...host.boot(`b${made}`));
    events.push(...host.play(likely(host, draw)).facts);
  }
  return placed([...disturbed(events, draw)]);
}

/** How often of a hundred: a device is unplugged or plugged in, a refused call hides its file. */
const PLUG = 3;
const HIDE = 10;

/** The same events, between which devices go and come back, and with hidden files. */
function* disturbed(events: readonly Fact[], draw: Draw): Generator<Fact> {
  const often = (percent: number) => draw() * 100 < percent;
  const there = new Map<string, DataOf<'device.added'>>();
  const gone = new Map<string, DataOf<'device.added'>>();
  const [isPlugging, isHiding] = [often(50), often(50)];
  for (const event of events) {
    const { type, data } = event;
    if (type === 'host.booted') for (const devices of [there, gone]) devices.clear();
    if (type === 'device.added') there.set(data.device, data);
    const isHidden = isHiding && type === 'operation.refused' && 'fd' in data && often(HIDE);
    yield isHidden ? { type, data: { ...data, fd: null } } : event;
    if (!isPlugging || !often(PLUG)) continue;
    const [from, to] = often(50) ? [gone, there] : [there, gone];
    const moved = [...from.values()][Math.floor(draw() * from.size)];
    if (moved === undefined) continue;
    from.delete(moved.device);
    to.set(moved.device, moved);
    yield to === there
      ? { type: 'device.added', data: moved }
      : { type: 'device.removed', data: { device: moved.device } };
  }
}

/** The log of statements that are played on such a host, by Linux 6.12. */
export function played(statements: readonly string[], profile: Profile = 'linux-6.12'): Log {
  const host = new ScenarioHost(topology, profile);
  const events = host.boot('b0');
  for (const line of statements) {
    const said = parseLine(line);
    if (said?.kind !== 'operation') throw new RangeError(`no operation: ${line}`);
    events.push(...host.play(said).facts);
  }
  return placed(events);
}

/** Logs of so many events. */
export function calledHost(count: {
  readonly min: number;
  readonly max: number;
}): fc.Arbitrary<Log> {
  return fc
    .record({
      count: fc.integer(count),
      seed: fc.integer(),
      profile: fc.constantFrom<Profile>(
        'linux-6.1',
        'linux-6.12',
        'linux-7.3',
        'rfc-2021',
        'linux-5.10',
      ),
      uptime: fc.constantFrom(80, 1000, 100_000),
    })
    .map(({ count: events, seed, profile, uptime }) => calledFor(events, seed, profile, uptime));
}
