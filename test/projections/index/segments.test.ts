import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LiveHost } from '../../../machines/live-host.ts';
import { lineageOf } from '../../../projections/lineage.ts';
import { Timeline } from '../../../projections/timeline.ts';
import { hashesOf, MapShelf, readerOf } from '../../support/map-shelf.ts';
import { brokenLog } from '../../support/broken-logs.ts';
import { anyLog, placed, type Log } from '../../support/random-logs.ts';
import { countOf, inCampaigns } from '../../support/effort.ts';

const RUNS = countOf('logs in segments', { test: 15, soak: 100 });

const share = fc.double({ min: 0, max: 1, noNaN: true });
const whole = fc.constantFrom(5, 16, 100_000);

/** An index that was put on a shelf and taken up again from there. */
function resumed(log: Log, size: number): Timeline {
  const shelf = new MapShelf(hashesOf(log));
  const options = { shelf, reader: readerOf(log), whole: size };
  for (let turn = 0; ; turn++) {
    const timeline = new Timeline(options);
    for (const event of log.slice(timeline.head + 1)) timeline.take(event);
    timeline.settle();
    if (turn > 0) return timeline;
  }
}

function played(log: Log): LiveHost {
  const host = new LiveHost();
  for (const event of log) host.take(event);
  return host;
}

/** As a host is saved, and which devices each of its groups has, in order. */
function stateOf(host: LiveHost) {
  const kernel = LiveHost.machinesOf(host);
  const members = [...kernel.groups()].map(({ group, devices }) => [group, [...devices.keys()]]);
  return { saved: host.save(), members };
}

describe('a host that goes on from the start of a segment', () => {
  test('is the host that has taken every event', () => {
    fc.assert(
      fc.property(anyLog, share, whole, (log, part, size) => {
        const timeline = resumed(log, size);
        const position = Math.round(part * log.length) - 1;
        const saved = played(log.slice(0, position + 1)).save();
        expect(timeline.playedAt(position).save()).toEqual(saved);
        expect(timeline.host.save()).toEqual(played(log).save());
      }),
      { numRuns: RUNS },
    );
  });

  test('has the same devices in its groups', () => {
    fc.assert(
      fc.property(brokenLog, share, whole, (log, part, size) => {
        const position = Math.round(part * log.length) - 1;
        const host = resumed(log, size).playedAt(position);
        expect(stateOf(host)).toEqual(stateOf(played(log.slice(0, position + 1))));
      }),
      { numRuns: RUNS },
    );
  });

  test('has them in their order after one was reported again, with another driver', () => {
    const added = (device: string, driver: string) => {
      const data = { device, driver, name: null, group: '1', model: null, cdev: null };
      return { type: 'device.added', data } as const;
    };
    const boot = { boot: 'b', kernel: '7.3.4', profile: null, iommufd: true, simulated: false };
    const [one, other] = ['0000:01:00.0', '0000:01:00.1'] as const;
    const log = placed([
      { type: 'host.booted', data: boot },
      added(one, 'e1000e'),
      added(other, 'igb'),
      added(one, 'ixgbe'),
    ]);
    const host = played(log);
    expect(stateOf(host).members).toEqual([['1', [other, one]]]);
    expect(stateOf(host.copy())).toEqual(stateOf(host));
  });
});

describe('types and boots', () => {
  test('are those of the events', () => {
    fc.assert(
      fc.property(anyLog, share, whole, (log, part, size) => {
        const timeline = resumed(log, size);
        expect(log.map(({ position }) => timeline.typeAt(position))).toEqual(
          log.map(({ type }) => type),
        );
        const position = Math.floor(part * (log.length - 1));
        const before = log.slice(0, position + 1).findLast(({ type }) => type === 'host.booted');
        expect(timeline.bootBefore(position)).toBe(before?.position ?? 0);
        const refused = log.filter(({ type }) => type === 'operation.refused');
        expect([
          ...timeline.select(0, position, null, new Set(['operation.refused'] as const)),
        ]).toEqual(refused.filter((event) => event.position <= position));
      }),
      { numRuns: RUNS },
    );
  });
});

describe('times', () => {
  const micros = fc.nat(999_999).map((fraction) => String(fraction).padStart(6, '0'));
  const far = fc
    .tuple(
      fc.date({
        min: new Date('0000-01-01T00:00:00Z'),
        max: new Date('9999-12-31T23:59:59Z'),
        noInvalidDate: true,
      }),
      micros,
    )
    .map(([date, fraction]) => `${date.toISOString().slice(0, 19)}.${fraction}Z`);
  const near = fc
    .tuple(fc.integer({ min: 0, max: 3 }), micros)
    .map(([second, fraction]) => `2026-01-02T00:00:0${second}.${fraction}Z`);
  const time = fc.option(fc.oneof(far, near, near), { freq: 4 });

  /** Events in which nothing but the times is of interest. */
  const logOf = (times: readonly (string | null)[]) =>
    placed(
      times.map((each, pid) => {
        return { type: 'process.started', data: { pid, comm: 'p', cgroup: null }, time: each };
      }),
    );

  test('come back as they were, in whatever order, and find the last event at an instant', () => {
    const times = fc.array(time, { minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(times, fc.oneof(far, near), share, whole, (all, instant, part, size) => {
        const log = logOf(all);
        const timeline = resumed(log, size);
        expect(log.map(({ position }) => timeline.timeAt(position))).toEqual(all);
        expect(timeline.isTimed).toBe(all.some((each) => each !== null));
        const until = Math.floor(part * log.length);
        const isBefore = (limit: string) => (each: string | null) => each !== null && each <= limit;
        for (const limit of [instant, ...all.flatMap((each) => each ?? [])]) {
          const last = all.findLastIndex(isBefore(limit));
          expect(timeline.lastUntil(limit)).toBe(last < 0 ? null : last);
          const within = all.slice(0, until + 1).findLastIndex(isBefore(limit));
          expect(timeline.lastUntil(limit, until)).toBe(within < 0 ? null : within);
        }
      }),
      { numRuns: RUNS },
    );
  });
});

describe('what is long or many', () => {
  const opened = { type: 'iommufd.opened', data: { pid: 1, fd: 4, cloexec: false } } as const;

  test.each(inCampaigns)('a descent of thousands of steps is told to its end, %s', () => {
    const dups = Array.from({ length: 9000 }, (_, turn) => {
      const [fd, as] = turn % 2 === 0 ? [4, 5] : [5, 4];
      return { type: 'descriptor.duplicated', data: { pid: 1, fd, as } } as const;
    });
    const timeline = new Timeline();
    for (const event of placed([opened, ...dups])) timeline.take(event);
    const chains = lineageOf(timeline, 'f0', 9000).map(({ chain }) => chain.length);
    expect(chains.toSorted((a, b) => a - b)).toEqual([9000, 9001]);
  });

  test('a process may end with a hundred thousand mappings', () => {
    const maps = Array.from({ length: 130_000 }, (_, mapping) => {
      return { type: 'mapping.created', data: { pid: 1, fd: 4, mapping, region: 0 } } as const;
    });
    const exited = { type: 'process.exited', data: { pid: 1, signal: null } } as const;
    const timeline = new Timeline();
    for (const event of placed([opened, ...maps, exited])) timeline.take(event);
    expect([...timeline.viewAt(timeline.head).files()]).toEqual([]);
  });
});
