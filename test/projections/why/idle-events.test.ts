/** Events of processes that only live on what they have inherited decide nothing, unless they do. */
import fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import type { Fact, LedgerEvent, Placed } from '../../../events/vocabulary.ts';
import { LiveHost } from '../../../machines/live-host.ts';
import { becauseAmong, judgeOf } from '../../../projections/why/because.ts';
import type { JudgedRefusal } from '../../../projections/why/counterfactual.ts';
import { causeAt } from '../../../projections/why/refusals.ts';
import { HeldEvents } from '../../../projections/why/played-events.ts';
import { Trials } from '../../../projections/why/trials.ts';
import { Timeline } from '../../../projections/timeline.ts';
import { countOf } from '../../support/effort.ts';
import { PlainTrials } from '../../support/plain-trials.ts';
import { placed } from '../../support/random-logs.ts';

const [OWNER, NEWCOMER, FIRST_CHILD] = [100, 101, 200];
const device = '0000:01:00.0';
const boot = { boot: 'b', kernel: '7.3.4', profile: null, iommufd: true, simulated: true };
const added = { device, name: null, group: '1', model: null, driver: 'vfio-pci', cdev: 'vfio0' };

const owned: readonly Fact[] = [
  { type: 'host.booted', data: boot },
  { type: 'device.added', data: added },
  { type: 'process.started', data: { pid: OWNER, comm: 'qemu', cgroup: null } },
  { type: 'process.started', data: { pid: NEWCOMER, comm: 'other', cgroup: null } },
  { type: 'iommufd.opened', data: { pid: OWNER, fd: 3, cloexec: false } },
  { type: 'device.opened', data: { pid: OWNER, fd: 4, device, cloexec: true } },
  { type: 'device.bound', data: { pid: OWNER, fd: 4, iommufd: 3, id: 1 } },
];

const fork = (pid: number, child: number): Fact => {
  return { type: 'process.forked', data: { pid, child, comm: 'helper' } };
};

/** A history that ends in a refused call of a process, and the refusal if an event can have made it. */
function refusedAfter(
  facts: readonly Fact[],
  pid: number,
): { readonly timeline: Timeline; readonly refused: JudgedRefusal } | null {
  const call = { operation: 'open_group', pid, group: '1', cloexec: true } as const;
  const events = placed([
    ...facts,
    { type: 'operation.refused', data: { ...call, errno: 'EBUSY' } },
  ]);
  const timeline = new Timeline<Placed<LedgerEvent>>();
  for (const event of events) timeline.take(event);
  const { cause, blocker } = causeAt(timeline, timeline.head);
  if (cause === 'unknown') return null;
  const refused = { position: timeline.head, call, cause, blocker: blocker?.file ?? null };
  return { timeline, refused };
}

const eventsBefore = (timeline: Timeline): readonly Placed<Fact>[] => timeline.events.slice(0, -1);

/** What the owner and its children do, by numbers: which of them, what, and with which of its files. */
function lives(steps: readonly (readonly [who: number, what: number, fd: number])[]): Fact[] {
  const living = [OWNER];
  let next = FIRST_CHILD;
  return steps.flatMap(([who, what, fd]): Fact[] => {
    const at = who % living.length;
    const pid = living[at] ?? OWNER;
    if (what < 4) {
      living.push(next);
      return [fork(pid, next++)];
    }
    switch (what) {
      case 4:
      case 5: {
        if (living.length > 1) living.splice(at, 1);
        return [{ type: 'process.exited', data: { pid, signal: null } }];
      }
      case 6:
        return [{ type: 'process.executed', data: { pid } }];
      case 7:
        return [{ type: 'mapping.created', data: { pid, fd: 4, mapping: fd, region: 0 } }];
      case 8:
        return [{ type: 'descriptor.duplicated', data: { pid, fd, as: fd + 2 } }];
      default:
        return [{ type: 'descriptor.closed', data: { pid, fd } }];
    }
  });
}

test('whatever processes inherit and let go, trials find what plain trials do', () => {
  let compared = 0;
  const step = fc.tuple(fc.nat(9), fc.nat(11), fc.integer({ min: 3, max: 6 }));
  fc.assert(
    fc.property(fc.array(step, { minLength: 4, maxLength: 40 }), fc.nat(3), (steps, caller) => {
      const pid = caller === 0 ? FIRST_CHILD : NEWCOMER;
      const found = refusedAfter([...owned, ...lives(steps)], pid);
      if (found === null) return;
      const { timeline, refused } = found;
      const events = eventsBefore(timeline);
      const plain = becauseAmong(timeline, refused, new PlainTrials(events, judgeOf(refused)));
      const ours = becauseAmong(
        timeline,
        refused,
        new Trials(new HeldEvents(events), judgeOf(refused), refused.call),
      );
      expect(ours).toEqual(plain);
      compared++;
    }),
    { numRuns: countOf('lives of processes', { test: 200, soak: 5000, full: 50_000 }), seed: 7 },
  );
  expect(compared).toBeGreaterThan(50);
});

test.each([
  ['live on', () => []],
  [
    'exit',
    (child: number): Fact[] => [{ type: 'process.exited', data: { pid: child, signal: null } }],
  ],
])('of an owner whose many children %s, few histories are played', (_, then) => {
  const children = Array.from({ length: 300 }, (__, index) => FIRST_CHILD + index);
  const found = refusedAfter(
    [...owned, ...children.flatMap((child) => [fork(OWNER, child), ...then(child)])],
    NEWCOMER,
  );
  const { timeline, refused } = found!;
  const played = vi.spyOn(LiveHost, 'restored');
  const trials = new Trials(new HeldEvents(eventsBefore(timeline)), judgeOf(refused), refused.call);
  expect(becauseAmong(timeline, refused, trials)).toEqual([6]);
  expect(played.mock.calls.length).toBeLessThan(5);
  played.mockRestore();
});
