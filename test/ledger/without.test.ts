import { describe, expect, test } from 'vitest';
import { attemptAnew } from '../../ledger/without.ts';
import { WhatIf, type SupposedEvent } from '../../ledger/what-if.ts';
import { openLedger, readEvidence, type Ledger } from '../../ledger.ts';
import { newestKernel, type Profile } from '../../machines/profile.ts';
import { explainRefusal } from '../../projections/why/refusals.ts';
import { Timeline } from '../../projections/timeline.ts';
import { countOf, isCampaign } from '../support/effort.ts';
import { placed } from '../support/random-logs.ts';
import { recordings, textOf } from '../support/truth.ts';

const topology = {
  kernel: '7.3.4',
  iommufd: true,
  devices: [
    { name: 'gpu', bdf: '0000:3b:00.0', group: 26, driver: 'vfio-pci', cdev: 'vfio0' },
    { name: 'audio', bdf: '0000:3b:00.1', group: 26, driver: 'vfio-pci', cdev: 'vfio1' },
    { name: 'nic', bdf: '0000:5e:00.0', group: 40, driver: 'mlx5_core' },
  ],
};

async function played(scenario: string): Promise<Ledger> {
  const ledger = await openLedger(':memory:');
  await ledger.simulate(scenario, { topology, profile: 'linux-7.3' });
  return ledger;
}

/** Positions of the events of a type. */
function positionsOf(ledger: Ledger, type: string): number[] {
  return ledger.events.flatMap((event) => (event.type === type ? [event.position] : []));
}

const refused = `
open_iommufd I
open_cdev A gpu
bind A I
@P2 open_iommufd J
@P2 open_cdev B audio
@P2 bind B J
@P2 alloc_ioas J X
@P2 attach B X
`;

describe('a history without an event', () => {
  test('lets pass what it stood in the way of', async () => {
    const ledger = await played(refused);
    const [bind = -1] = positionsOf(ledger, 'device.bound');
    const fork = ledger.without([bind]);
    expect(fork.from).toBe(bind - 1);
    expect(fork.who('audio').owner).toMatchObject({
      kind: 'iommufd',
      holders: [{ comm: 'P2' }, { comm: 'P2' }],
    });
    expect(fork.log({ refused: true })).toEqual([]);
    expect(ledger.log({ refused: true })).toHaveLength(2);
  });

  test('refuses what depended on it', async () => {
    const ledger = await played(refused);
    const [, device = -1] = positionsOf(ledger, 'device.opened');
    const causes = ledger
      .without([device])
      .log({ refused: true })
      .map(({ position }) => ledger.without([device]).why(position))
      .map(({ operation, errno, cause }) => [operation, errno, cause]);
    expect(causes).toEqual([
      ['bind', 'EBADF', 'bad-descriptor'],
      ['attach', 'EBADF', 'bad-descriptor'],
    ]);
  });

  test('has the numbers that its calls return now, and the pids and addresses of the log', async () => {
    const ledger = await played(`
open_iommufd Z
open_iommufd I
open_cdev A gpu
bind A I
alloc_ioas I X
alloc_ioas I Y
attach A Y
mmap M A 0
fork P2
@P2 dup B A
@P2 close A
@P2 detach B
munmap M
`);
    const [first = -1] = positionsOf(ledger, 'iommufd.opened');
    const [unused = -1] = positionsOf(ledger, 'ioas.allocated');
    const fork = ledger.without([first, unused]);
    expect(fork.log({ refused: true })).toEqual([]);
    const types = (past: { events: readonly { type: string }[] }) =>
      past.events.map(({ type }) => type);
    const left = types(ledger).filter((_, position) => position !== first && position !== unused);
    expect(types(fork)).toEqual(left);
    const datas = fork.events.map(({ type, data }) => [type, data]);
    expect(datas).toContainEqual(['device.bound', { pid: 101, fd: 4, iommufd: 3, id: 1 }]);
    expect(datas).toContainEqual([
      'device.attached',
      expect.objectContaining({ pid: 101, fd: 4, pt: 2 }),
    ]);
    expect(datas).toContainEqual(['descriptor.duplicated', { pid: 102, fd: 4, as: 5 }]);
    expect(datas).toContainEqual(['device.detached', { pid: 102, fd: 5 }]);
  });

  test('leaves a number to the descriptor that was duplicated over', async () => {
    const ledger = await played(
      'open_group G gpu\nopen_container C\ndup2 G C\nset_container G C\n',
    );
    const [duplicated = -1] = positionsOf(ledger, 'descriptor.duplicated');
    expect(ledger.log({ refused: true })).toHaveLength(1);
    expect(ledger.without([duplicated]).log({ refused: true })).toEqual([]);
  });

  test('makes no calls of a process that was not started', async () => {
    const ledger = await played('open_iommufd I\nfork P2\n@P2 dup J I\n@P2 close J\nclose I\n');
    const [fork = -1] = positionsOf(ledger, 'process.forked');
    const types = ledger.without([fork]).events.map(({ type }) => type);
    expect(types.slice(fork)).toEqual(['descriptor.closed']);
  });

  test('goes on with drivers, exec, exits and boots', async () => {
    const ledger = await played(`
open_cdev A gpu cloexec=1
set_driver gpu none
exec
bg_wait
exit
seq again
open_cdev A gpu
set_driver nic none
`);
    const [opened = -1] = positionsOf(ledger, 'device.opened');
    const fork = ledger.without([opened]);
    // Nothing is in the way of the unbind now, and so there is no change to wait for.
    expect(fork.events.slice(opened).map(({ type }) => type)).toEqual([
      'driver.unbound',
      'process.executed',
      'operation.refused',
      'process.exited',
      'host.booted',
      'device.added',
      'device.added',
      'device.added',
      'process.started',
      'device.opened',
      'driver.unbound',
    ]);
  });

  test('binds no driver to a device that has not lost its own', async () => {
    const again = await played(
      'open_cdev A audio\nset_driver gpu none\nset_driver gpu vfio-pci\nset_driver gpu none\n',
    );
    const [unbound = -1] = positionsOf(again, 'driver.unbound');
    const fork = again.without([unbound]);
    expect(fork.events.slice(unbound).map(({ type }) => type)).toEqual(['driver.unbound']);
  });

  test('can itself do without another', async () => {
    const ledger = await played(refused);
    const [bind = -1] = positionsOf(ledger, 'device.bound');
    const fork = ledger.without([bind]);
    const again = fork.events.findIndex(({ type }) => type === 'device.attached');
    expect(fork.without([again]).events).toHaveLength(fork.length - 1);
  });

  test('is a bad request for what is no event, and for a boot', async () => {
    const ledger = await played(refused);
    expect(() => ledger.without([])).toThrow('without takes an array of positions');
    expect(() => ledger.without([99])).toThrow('there is no event at position 99');
    expect(() => ledger.without([-1])).toThrow('there is no event at position -1');
    expect(() => ledger.without([0])).toThrow('position 0 is a boot');
  });

  test('is unsupported where the evidence does not show what was asked', async () => {
    const ledger = await openLedger(':memory:');
    const path = '/dev/vfio/devices/vfio0';
    const trace = `7 openat(AT_FDCWD, "${path}", O_RDWR) = 3
7 openat(AT_FDCWD, "/dev/iommu", O_RDWR) = 4
7 ioctl(3, VFIO_DEVICE_BIND_IOMMUFD) = 0
`;
    await ledger.import(trace, { format: 'strace', topology });
    const [opened = -1] = positionsOf(ledger, 'device.opened');
    expect(() => ledger.without([opened])).toThrow(
      expect.objectContaining({ code: 'unsupported' }),
    );
  });
});

/** A refusal, and the positions without which it would have passed. */
interface Explained {
  readonly position: number;
  readonly because: readonly number[];
}

async function timelineOf(profile: Profile, name: string): Promise<Timeline<SupposedEvent>> {
  const collected = await readEvidence([{ name, chunks: [textOf(profile, name)] }]);
  const timeline = new Timeline<SupposedEvent>({ whole: 500 });
  for (const event of placed(await collected.events.all())) {
    timeline.take({ ...event, schema: 6, hash: null } as SupposedEvent);
  }
  return timeline;
}

function* refusalsOf(timeline: Timeline<SupposedEvent>): Generator<Explained> {
  for (const { type, position } of timeline.events) {
    if (type !== 'operation.refused') continue;
    const { because } = explainRefusal(timeline, position);
    if (because.length > 0) yield { position, because };
  }
}

/** The recorded refusals that pass now, of those before a position, and what becomes of that one. */
function tried(timeline: Timeline<SupposedEvent>, leftOut: readonly number[], until: number) {
  const fork = new WhatIf(timeline, Math.min(...leftOut) - 1);
  const attempts = attemptAnew(timeline, fork, leftOut, until);
  const passing = [...attempts].flatMap(([position, { errno }]) => {
    const event = timeline.at(position);
    if (position >= until || event.type !== 'operation.refused') return [];
    // A driver that is refused has unbound the one before all the same.
    return errno === null || event.data.operation === 'set_driver' ? [position] : [];
  });
  return { passing, errno: attempts.get(until)?.errno };
}

const compared = recordings().filter(
  ([profile, name]) => isCampaign || (profile === newestKernel && name === 'questions'),
);

describe('without the events that `because` names, a refusal passes', () => {
  test.each(compared)('%s: %s', async (profile, name) => {
    const timeline = await timelineOf(profile, name);
    const all = [...refusalsOf(timeline)];
    const count = countOf('refusals without their reasons', { test: 15, soak: 25, full: 1e6 });
    const every = Math.max(1, Math.ceil(all.length / count));
    const wrong: unknown[] = [];
    let [agreeing, inTheWay, unmade] = [0, 0, 0];
    for (const { position, because } of all.filter((_, index) => index % every === 0)) {
      let leftOut = because;
      let outcome = tried(timeline, leftOut, position);
      if (outcome.errno === null) agreeing++;
      // Its process was not started: `because` asks what the call of another would get.
      else if (outcome.errno === undefined) unmade++;
      else {
        // An attempt that had been refused passes now, and is in the way itself.
        while (outcome.errno !== null && outcome.passing.length > 0) {
          leftOut = [...leftOut, ...outcome.passing];
          outcome = tried(timeline, leftOut, position);
        }
        if (outcome.errno === null) inTheWay++;
        else wrong.push({ position, because, leftOut, errno: outcome.errno });
      }
    }
    process.stdout.write(
      `${profile} ${name}: ${agreeing} pass, ${inTheWay} have an attempt in the way that passes now, ${unmade} are not made, ${wrong.length} are refused: ${JSON.stringify(wrong.slice(0, 5))}\n`,
    );
    // The number of an object that the kernel gave to another one meanwhile means the new one here, and
    // the one before to `because`.
    expect(wrong.length).toBeLessThanOrEqual(1 + agreeing / 50);
    expect(agreeing).toBeGreaterThan(0);
    expect(unmade).toBeLessThan(agreeing / 10);
  });
});
