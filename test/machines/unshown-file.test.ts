import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Attempt, DataOf, Fact } from '../../events/vocabulary.ts';
import { Kernel } from '../../machines/kernel.ts';
import { explainRefusal } from '../../projections/why/refusals.ts';
import { Timeline } from '../../projections/timeline.ts';
import { countOf } from '../support/effort.ts';
import { anyLog, placed, randomLogs, type Log } from '../support/random-logs.ts';
import { unseenHost } from '../support/unseen-hosts.ts';

type Refused = DataOf<'operation.refused'>;

/** The same, as it would be in words that do not say on which file. */
function hidden(refused: Refused): Refused | null {
  return 'fd' in refused ? ({ ...refused, fd: null } as unknown as Refused) : null;
}

/** Puts every refusal of a log to its host as it was before, shown and unshown. */
function compared(log: Log) {
  const kernel = new Kernel();
  return log.flatMap((event) => {
    const isKnown = kernel.isKnown || event.type === 'host.booted';
    const unshown = event.type === 'operation.refused' ? hidden(event.data) : null;
    const found =
      event.type === 'operation.refused' && unshown !== null
        ? [{ shown: kernel.explain(event.data), unshown: kernel.explain(unshown) }]
        : [];
    if (isKnown) kernel.take(event);
    return found;
  });
}

const numRuns = countOf('unshown files', { test: 150, soak: 2000 });

describe('a refused call of which the file is not shown', () => {
  test.each([
    ['any log', anyLog],
    ['hosts whose boot nobody saw', unseenHost],
  ])('has the cause that it really has, or an unknown one: %s', (_of, logs) => {
    fc.assert(
      fc.property(logs, (log) => {
        for (const { shown, unshown } of compared(log)) {
          // What no kernel can have said may be what it says of another file.
          if (shown.cause === 'unknown') continue;
          expect(['unknown', shown.cause]).toContain(unshown.cause);
          const blocker = unshown.refusal?.blocker ?? null;
          if (blocker !== null) expect(blocker).toEqual(shown.refusal?.blocker);
        }
      }),
      { numRuns },
    );
  });

  test('often has a cause that can be told, and often none', () => {
    const found = fc.sample(randomLogs.recorded, { numRuns: 60, seed: 1 }).flatMap(compared);
    const told = found.filter(({ unshown }) => unshown.cause !== 'unknown');
    expect(told.length).toBeGreaterThan(found.length / 10);
    expect(told.length).toBeLessThan(found.length);
    expect(told.some(({ unshown }) => unshown.refusal !== null)).toBe(true);
  });
});

const boot = {
  type: 'host.booted',
  data: { boot: 'b', kernel: '6.12.0', profile: null, iommufd: true, simulated: false },
} as const;

function plugged(device: string, group: string): Fact {
  const nothing = { name: null, model: null, cdev: null };
  return { type: 'device.added', data: { device, group, driver: 'vfio-pci', ...nothing } };
}

const begun: readonly Fact[] = [
  boot,
  plugged('0000:01:00.0', '1'),
  plugged('0000:02:00.0', '2'),
  { type: 'process.started', data: { pid: 1, comm: 'vm', cgroup: null } },
];
const opened = (group: string, fd: number): Fact => ({
  type: 'group.opened',
  data: { pid: 1, fd, group, cloexec: true },
});
const container: Fact = {
  type: 'container.opened',
  data: { pid: 1, fd: 9, cloexec: true },
};
const set = (fd: number): Fact => ({ type: 'container.set', data: { pid: 1, fd, container: 9 } });

function hostAfter(...facts: readonly Fact[]): Kernel {
  const kernel = new Kernel();
  for (const event of placed([...begun, ...facts])) kernel.take(event);
  return kernel;
}

const getDevice = { operation: 'get_device', pid: 1, fd: null, device: '0000:01:00.0' } as const;

function causeOf(kernel: Kernel, attempt: Attempt, errno: string) {
  return kernel.explain({ ...attempt, errno } as unknown as Refused).cause;
}

test('what can be told of it is told of every file that the process has', () => {
  expect(causeOf(hostAfter(opened('1', 3)), getDevice, 'EINVAL')).toBe('no-container');
  // The device of a group is got from its file alone, whichever others there are.
  const both = hostAfter(opened('1', 3), opened('2', 4));
  expect(causeOf(both, getDevice, 'EINVAL')).toBe('no-container');
  expect(causeOf(both, getDevice, 'ENODEV')).toBe('no-such-device');
  // A container that nothing drives says EINVAL to what it does not know.
  const either = hostAfter(opened('1', 3), container, set(3));
  expect(either.explain({ ...getDevice, fd: 3, errno: 'EINVAL' }).cause).toBe('no-iommu-driver');
  expect(causeOf(either, getDevice, 'EINVAL')).toBe('unknown');
});

test('it is not taken for a descriptor that is not open', () => {
  const host = hostAfter(opened('1', 3), container);
  expect(host.judge({ operation: 'close', pid: 1, fd: null })).toBeNull();
  expect(host.judge({ operation: 'set_container', pid: 1, fd: null, container: 9 })).toBeNull();
  expect(host.judge(getDevice)?.cause).toBe('no-container');
  expect(causeOf(host, getDevice, 'EBADF')).toBe('bad-descriptor');
  expect(causeOf(host, getDevice, 'ENOTTY')).toBe('wrong-file-kind');
});

test('where nobody saw the host boot, it may be a file that nobody saw it open', () => {
  const evidence = { source: 'trace', line: null, certainty: 'assumed' } as const;
  const kernel = new Kernel();
  const found: Fact = { ...boot, data: { ...boot.data, evidence } };
  for (const event of placed([found, ...begun.slice(1), opened('1', 3)])) kernel.take(event);
  expect(kernel.judge(getDevice)).toBeNull();
  expect(causeOf(kernel, getDevice, 'EINVAL')).toBe('unknown');
  expect(causeOf(kernel, getDevice, 'EBADF')).toBe('bad-descriptor');
});

test('when it would pass is looked for among the files of its process', () => {
  const facts: readonly Fact[] = [
    ...begun,
    opened('1', 3),
    {
      type: 'operation.refused',
      data: { operation: 'get_device', pid: 1, fd: 3, device: null, errno: 'EINVAL' },
    },
    // So much else that only what has to do with the attempt is looked at.
    ...Array.from({ length: 300 }, (): Fact => ({ type: 'process.executed', data: { pid: 2 } })),
    container,
    set(3),
    { type: 'iommu.set', data: { pid: 1, fd: 9, iommu: 1 } },
  ];
  const timeline = new Timeline();
  for (const event of placed(facts)) {
    const unshown = event.type === 'operation.refused' ? hidden(event.data) : null;
    timeline.take(unshown === null ? event : ({ ...event, data: unshown } as typeof event));
  }
  const refused = begun.length + 1;
  expect(explainRefusal(timeline, refused)).toMatchObject({
    cause: 'no-container',
    because: [],
    wouldPassAfter: facts.length - 1,
  });
});
