import { expect, test } from 'vitest';
import { openLedger, type Ledger } from '../../../ledger.ts';
import { kernelsAsked, recording, textOf } from '../../support/truth.ts';

const { topology } = recording('linux-7.3', 'questions');
const profile = 'linux-7.3';

interface Played {
  readonly ledger: Ledger;
  /** The errno of each line, or `ok`. */
  readonly ends: readonly string[];
  /** The position of each line. */
  readonly at: readonly number[];
}

async function played(...lines: readonly string[]): Promise<Played> {
  const ledger = await openLedger(':memory:');
  const answers = await ledger.simulate(lines.join('\n'), { profile, topology });
  return {
    ledger,
    ends: answers.map(({ errno = 'ok' }) => errno),
    at: answers.map(({ position }) => position),
  };
}

const mapsOf = ({ events }: Ledger): unknown[] =>
  events.flatMap(({ type, data }) => (type === 'ioas.mapped' ? [data] : []));

/** From the issue that reported it: by the rules of before, the group had an owner. */
const owned = [
  'open_iommufd I',
  'alloc_ioas I X',
  'compat_ioas I set X',
  'ioas_map I X',
  'exec',
  'open_group G d2',
  'set_container G I',
  'get_device A G d2',
  'set_driver d3 none',
];

test('a device whose IOAS has lost its mapper is not obtained, and nothing is claimed', async () => {
  const { ledger, ends, at } = await played(...owned);
  expect(ends.slice(-3)).toEqual(['ok', 'EFAULT', 'ok']);
  const group = topology.devices.find(({ name }) => name === 'd2')?.group ?? '';
  expect(ledger.at('end').group(group).owner.kind).toBe('none');
  const [executed, refused] = [at[4]!, at[7]!];
  expect(ledger.why(refused)).toMatchObject({
    cause: 'mapper-gone',
    errno: 'EFAULT',
    because: [executed],
    candidates: [],
    blocker: null,
    wouldPassAfter: null,
  });
  expect(ledger.verify().faults).toEqual([]);
});

const attached = ['open_cdev A d0', 'bind A I'];
const gone = ['open_iommufd I', 'alloc_ioas I X', 'ioas_map I X', 'exec', ...attached];

test.each([
  ['an attach', [...gone, 'attach A X']],
  ['a page table', [...gone, 'alloc_hwpt I A X H']],
  ['a replace', [...gone, 'alloc_ioas I Y', 'attach A Y', 'attach A X']],
  ['a map of a container', ['open_group G d0', 'open_iommufd I', 'set_container G I', 'map_dma I']],
])('%s is refused once the mapper is gone', async (_, lines) => {
  const more = lines.includes('map_dma I') ? ['exec', 'get_device A G d0'] : [];
  const { ledger, ends, at } = await played(...lines, ...more);
  expect(ends.filter((end) => end !== 'ok')).toEqual(['EFAULT']);
  expect(ends.at(-1)).toBe('EFAULT');
  expect(ledger.why(at.at(-1)!).cause).toBe('mapper-gone');
});

test.each([
  ['the process of a mapper lives', ['send I P2', '@P2 open_cdev A d0', '@P2 bind A I']],
  ['its child ends', ['fork P2', '@P2 exit', ...attached]],
])('the pages can be pinned while %s', async (_, lines) => {
  const attach = lines.at(-1)!.startsWith('@P2') ? '@P2 attach A :1' : 'attach A X';
  const maps = ['open_iommufd I', 'alloc_ioas I X', 'ioas_map I X'];
  const { ends } = await played(...maps, ...lines, attach);
  expect(ends.filter((end) => end !== 'ok')).toEqual([]);
});

test('pinned pages stay usable until the last page table is gone', async () => {
  const lines = ['open_iommufd I', 'alloc_ioas I X', 'ioas_map I X', ...attached, 'attach A X'];
  const others = ['open_cdev B d9', 'bind B I', 'attach B X', 'detach A', 'attach A X'];
  const last = ['detach A', 'detach B', 'attach A X'];
  const { ends } = await played(...lines, 'exec', ...others, ...last);
  expect(ends.slice(lines.length + 1)).toEqual([...Array(7).fill('ok'), 'EFAULT']);
});

test('only the first map of an address space into an IOAS is an event', async () => {
  const { ledger } = await played(
    'open_iommufd I',
    'alloc_ioas I X',
    'ioas_map I X iova=0x1000',
    'ioas_map I X iova=0x2000',
    'fork P2',
    '@P2 ioas_map I X iova=0x3000',
    '@P2 ioas_map I X iova=0x4000',
    'exec',
    'ioas_map I X iova=0x5000',
    'ioas_map I X iova=0x6000',
    'destroy I X',
    'alloc_ioas I X',
    'ioas_map I X iova=0x1000',
    'compat_ioas I set X',
    'map_dma I iova=0x9000',
    'alloc_ioas I Y',
    'compat_ioas I set Y',
    'map_dma I',
    '@P2 map_dma I iova=0x9000',
    'open_group G d0',
    'open_container C',
    'set_container G C',
    'set_iommu C',
    'map_dma C',
  );
  const [by, child] = [
    { pid: 101, fd: 3 },
    { pid: 102, fd: 3 },
  ];
  expect(mapsOf(ledger)).toEqual([
    { ...by, ioas: 1, iova: 0x1000, size: 4096 },
    { ...child, ioas: 1, iova: 0x3000, size: 4096 },
    { ...by, ioas: 1, iova: 0x5000, size: 4096 },
    { ...by, ioas: 1, iova: 0x1000, size: 4096 },
    { ...by, iova: 0x100000, size: 4096 },
    { ...child, iova: 0x9000, size: 4096 },
  ]);
  expect(ledger.verify().faults).toEqual([]);
});

/** The sequences of a recording as a scenario. */
function scenarioOf({ answers: recorded }: ReturnType<typeof recording>): string {
  const lines = [...Map.groupBy(recorded, ({ seq }) => seq)].flatMap(([seq, said]) => [
    `seq ${seq}`,
    ...said.map(({ p, op }) => (/^P\d$/.test(p) ? `@${p} ${op}` : op)),
  ]);
  return lines.join('\n');
}

test.each(kernelsAsked('mappers'))(
  'a recording of %s has the maps of a simulation',
  async (asked) => {
    const recorded = recording(asked, 'mappers');
    await using simulated = await openLedger(':memory:');
    await simulated.simulate(scenarioOf(recorded), { profile: asked, topology: recorded.topology });
    await using imported = await openLedger(':memory:');
    await imported.import(textOf(asked, 'mappers'), { format: 'truth', profile: asked });
    expect(mapsOf(simulated).length).toBeGreaterThan(20);
    expect(mapsOf(imported)).toEqual(mapsOf(simulated));
    expect(imported.verify().faults).toEqual([]);
  },
);

test('a log of before shows no maps: the cause is unknown, and the owner as it was recorded', async () => {
  const { ledger } = await played(...owned);
  const events = ledger.events
    .filter(({ type }) => type !== 'ioas.mapped')
    .map((event, position) => ({ ...event, position, schema: 5 }));
  const lines = [...events, { end: { events: events.length } }];
  const older = await openLedger(':memory:');
  await older.import(lines.map((line) => JSON.stringify(line)).join('\n'), { format: 'events' });
  const { position } = older.events.find(({ type }) => type === 'operation.refused')!;
  const why = older.why(position);
  expect(why).toMatchObject({ cause: 'unknown', errno: 'EFAULT', because: [] });
  expect(why.candidates.map(({ cause }) => cause)).toEqual([
    'mapper-gone',
    'malformed-argument',
    'not-ownership',
  ]);
  expect(
    older
      .at('end')
      .table()
      .groups.map(({ group, owner }) => [group, owner.kind]),
  ).toEqual(
    ledger
      .at('end')
      .table()
      .groups.map(({ group, owner }) => [group, owner.kind]),
  );
  expect(older.verify().faults).toEqual([]);
});

test('a what-if attaches by the same rule', async () => {
  const { ledger } = await played(...gone);
  const fork = ledger.at('end').fork();
  const attach = { operation: 'attach', pid: 101, fd: 4, pt: 1 } as const;
  expect(fork.attempt(attach)).toMatchObject({ errno: 'EFAULT', cause: 'mapper-gone' });
  fork.attempt({ operation: 'alloc_ioas', pid: 101, fd: 3 });
  expect(fork.attempt({ ...attach, pt: 3 }).errno).toBeNull();
});

const call = (number: string) => `_IOC(_IOC_NONE, 0x3b, ${number}, 0), 0x7ffd0`;
const trace = [
  '101 execve("/usr/bin/vmm", ["vmm"], 0x7ffd8 /* 9 vars */) = 0',
  '101 openat(AT_FDCWD, "/dev/iommu", O_RDWR) = 3',
  '101 openat(AT_FDCWD, "/dev/vfio/devices/vfio0", O_RDWR) = 4',
  '101 ioctl(4, VFIO_DEVICE_BIND_IOMMUFD, {argsz=16, flags=0, iommufd=3} => {out_devid=1}) = 0',
  `101 ioctl(3, ${call('0x81')}) = 0`,
  `101 ioctl(3, ${call('0x85')}) = 0`,
  `101 ioctl(3, ${call('0x85')}) = 0`,
  '101 execve("/usr/bin/next", ["next"], 0x7ffd8 /* 9 vars */) = 0',
];
const attach = '101 ioctl(4, VFIO_DEVICE_ATTACH_IOMMUFD_PT, {argsz=12, flags=0, pt_id=2}) = ';
const refused = `${attach}-1 EFAULT (Bad address)`;

async function traced(...lines: readonly string[]): Promise<Ledger> {
  const ledger = await openLedger(':memory:');
  await ledger.import(lines.join('\n'), { format: 'strace' });
  return ledger;
}

test('strace shows the map, the exec and the refusal, and so the cause', async () => {
  const ledger = await traced(...trace, refused);
  expect(mapsOf(ledger)).toMatchObject([{ pid: 101, fd: 3, ioas: null }]);
  const { position } = ledger.events.at(-1)!;
  expect(ledger.why(position)).toMatchObject({ cause: 'mapper-gone', blocker: null });
  expect(ledger.verify().faults).toEqual([]);
});

test('what strace does not show leaves the cause unknown', async () => {
  const ledger = await traced(...trace.filter((line) => !line.includes('0x85')), refused);
  const why = ledger.why(ledger.events.at(-1)!.position);
  expect(why.cause).toBe('unknown');
  expect(why.candidates.map(({ cause }) => cause)).toContain('mapper-gone');
  expect(ledger.verify().faults).toEqual([]);
});

test('an attach that passed may have met an IOAS that was unmapped: it is no contradiction', async () => {
  const ledger = await traced(...trace, `${attach}0`);
  expect(ledger.at('end').device('vfio0').state).toBe('attached');
  expect(ledger.verify().faults).toEqual([]);
});
