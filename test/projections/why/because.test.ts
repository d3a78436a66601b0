import fc from 'fast-check';
import { expect, test } from 'vitest';
import { hostHistory } from '../../../bench/host.ts';
import type { CallOf, Fact, LedgerEvent, Placed } from '../../../events/vocabulary.ts';
import { readEvidence } from '../../../ledger.ts';
import { becauseAmong, becauseOf, slicedTrials } from '../../../projections/why/because.ts';
import type { Timeline } from '../../../projections/timeline.ts';
import { countOf, isCampaign, someOf } from '../../support/effort.ts';
import { calledHost, played } from '../../support/random-calls.ts';
import { placed } from '../../support/random-logs.ts';
import { compare, plainly, refusalsIn, timelineOf } from '../../support/tried-refusals.ts';
import { recordings, textOf } from '../../support/truth.ts';
import { unseenCalls } from '../../support/unseen-hosts.ts';

/** Trials take with the square of it. */
const LENGTH = countOf('events of a host that is tried', { test: 300, soak: 600 });
const DEVICES = countOf('devices of a host rebound', { test: 4, soak: 1000 });
const REBOUND = countOf('hosts rebound', { test: 1, soak: 12, full: 300 });
const ofDrivers = new Set(['set_driver', 'bg_wait']);

/** The long recordings are compared in campaigns alone. */
const short = recordings().filter(([, name]) =>
  ['drivers', 'ownership', 'questions'].includes(name),
);
const compared = isCampaign ? recordings() : someOf(short, 4);

test.each(compared)(
  'refusals recorded on %s, in %s, are because of what plain trials find',
  async (profile, name) => {
    const collected = await readEvidence([{ name, chunks: [textOf(profile, name)] }]);
    const timeline = timelineOf(placed(await collected.events.all()));
    const refusals = refusalsIn(timeline);
    expect(refusals.length).toBeGreaterThan(0);
    const count = countOf('recorded refusals tried plainly', { test: 10, soak: 60, full: 10_000 });
    const changes = refusals.filter(({ call }) => ofDrivers.has(call.operation));
    for (const some of [changes, refusals]) {
      const every = Math.max(1, Math.ceil(some.length / count));
      for (const refused of some.filter((_, index) => index % every === 0)) {
        compare(timeline, refused);
      }
    }
  },
);

/** Tries to rebind devices in use, the first that there are; waits, and closes their files. */
function rebindSome(timeline: Timeline<Placed<LedgerEvent>>): void {
  const { host } = timeline;
  const take = (fact: Fact) => {
    const position = timeline.head + 1;
    timeline.take({ ...fact, id: `e${position}`, time: null, position } as Placed<LedgerEvent>);
  };
  const attempt = (call: CallOf<'set_driver' | 'bg_wait'>) => {
    const refusal = host.judge(call);
    if (refusal === null) return;
    take({ type: 'operation.refused', data: { ...call, errno: refusal.errno } });
  };
  let left = DEVICES;
  for (const { device, driver } of host.devices()) {
    const files = [...host.files()].filter((file) => file.device === device);
    if (driver === null || files.length === 0) continue;
    if (left-- === 0) break;
    const rebind = { operation: 'set_driver', device, driver: 'nvme' } as const;
    const waiter = { pid: null, comm: 'driverctl' };
    attempt(rebind);
    take({ type: 'driver.unbind-blocked', data: { device, driver, next: 'nvme', waiter } });
    attempt(rebind);
    for (const { pid, fd, via } of files.flatMap(({ id }) => host.holders(id))) {
      if (via === 'fd' && fd !== null) take({ type: 'descriptor.closed', data: { pid, fd } });
    }
    attempt({ operation: 'bg_wait' });
    const now = host.device(device)?.driver ?? null;
    take({ type: 'driver.settled', data: { device, driver: now } });
  }
}

test('what concerns a change of a driver decides as the whole boot does', () => {
  const counts = { set_driver: 0, bg_wait: 0 };
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 1e6 }),
      fc.integer({ min: LENGTH / 2, max: LENGTH }),
      (seed, count) => {
        const timeline = timelineOf(placed([...hostHistory(count, seed)]));
        rebindSome(timeline);
        for (const operation of ['set_driver', 'bg_wait'] as const) {
          const refusals = refusalsIn(timeline).filter(({ call, position }) => {
            return call.operation === operation && position >= count;
          });
          for (const refused of refusals.slice(-2)) {
            compare(timeline, refused);
            counts[operation]++;
          }
        }
      },
    ),
    { numRuns: REBOUND, seed: 20261130 },
  );
  expect(counts.set_driver).toBeGreaterThanOrEqual(REBOUND);
  expect(counts.bg_wait).toBeGreaterThan(0);
});

test('whatever is refused on a host that is busy, what concerns it decides as the whole boot does', () => {
  let compared = 0;
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1e6 }), (seed) => {
      const timeline = timelineOf(placed([...hostHistory(LENGTH, seed)]));
      for (const refused of refusalsIn(timeline).slice(-5)) {
        compare(timeline, refused);
        compared++;
      }
    }),
    { numRuns: countOf('hosts tried plainly', { test: 3, soak: 12, full: 500 }), seed: 20261130 },
  );
  expect(compared).toBeGreaterThan(isCampaign ? 10 : 3);
});

test('whatever is refused where devices come and go, what concerns it decides as the whole boot does', () => {
  let compared = 0;
  fc.assert(
    fc.property(calledHost({ min: 40, max: 250 }), (log) => {
      const timeline = timelineOf(log);
      const ofNodes = refusalsIn(timeline).filter(({ cause }) => cause === 'no-such-node');
      for (const refused of ofNodes.slice(-8)) {
        const sliced = slicedTrials(timeline, refused);
        if (sliced === null) continue;
        const name = `${refused.position} ${refused.call.operation}`;
        expect(becauseAmong(timeline, refused, sliced), name).toEqual(plainly(timeline, refused));
        compared++;
      }
    }),
    { numRuns: countOf('hosts unplugged', { test: 12, soak: 120, full: 1200 }), seed: 20261130 },
  );
  expect(compared).toBeGreaterThan(5);
});

test('what concerns a change of a driver decides as the whole of a boot does that nobody saw', () => {
  let compared = 0;
  fc.assert(
    fc.property(unseenCalls, (log) => {
      const timeline = timelineOf(log);
      for (const refused of refusalsIn(timeline)) {
        if (!ofDrivers.has(refused.call.operation)) continue;
        const sliced = slicedTrials(timeline, refused);
        if (sliced === null) continue;
        expect(becauseAmong(timeline, refused, sliced)).toEqual(plainly(timeline, refused));
        compared++;
      }
    }),
    { numRuns: countOf('unseen hosts rebound', { test: 8, soak: 80, full: 800 }), seed: 20261130 },
  );
  expect(compared).toBeGreaterThan(5);
});

test('no event decides a call that the rules would not have refused', () => {
  const timeline = timelineOf(placed(played(['open_cdev A d2', 'close A'])));
  const call = { operation: 'open_group', pid: 101, group: '2', cloexec: false } as const;
  const position = timeline.head + 1;
  const cause = 'group-already-open';
  expect(becauseOf(timeline, { position, call, cause, blocker: null })).toEqual([]);
});
