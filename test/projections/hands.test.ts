import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Holder } from '../../ledger.ts';
import type { Fact } from '../../events/vocabulary.ts';
import type { HostAt } from '../../machines/host-at.ts';
import type { FileId } from '../../processes/process-table.ts';
import { handsOf, type HandIn } from '../../projections/group-hands.ts';
import { historyOf } from '../../projections/history.ts';
import { groupAt, partiesAt } from '../../projections/parties-at.ts';
import type { Subject } from '../../projections/subjects.ts';
import { Timeline } from '../../projections/timeline.ts';
import { holdersOf } from '../../projections/views.ts';
import { walk } from '../../projections/walk.ts';
import { anyHistory, segmentLengths } from '../support/any-history.ts';
import { countOf } from '../support/effort.ts';
import { shownAt, stepsOf, Steps } from '../support/hands.ts';
import { placed, type Log } from '../support/random-logs.ts';

const RUNS = countOf('logs whose hands are counted', { test: 8, soak: 100, full: 2000 });

function timelineOf(log: Log, size: number): Timeline {
  const timeline = new Timeline({ whole: size });
  for (const event of log) timeline.take(event);
  return timeline;
}

/** The hands on a group at a moment, each in one line. */
function handsAt(host: HostAt, id: string): string[] {
  const group = host.group(id);
  if (group === undefined) return [];
  const owner = group.isUnknown ? null : group.owner;
  const found: string[] = [];
  for (const { id: file, kind, group: of, pins, pinnedBy } of host.files()) {
    const reasons = [
      group.opener === file ? 'opens' : '',
      kind === 'device' && of === id && pins.length > 0 ? 'bound' : '',
      owner !== null && keeps(host, file, owner) ? 'keepsOwner' : '',
    ].filter((reason) => reason !== '');
    if (reasons.length === 0) continue;
    const references = pinnedBy.map((pin) => ({ via: 'kernel', file: pin }));
    for (const holder of [...holdersOf(host, file), ...references]) {
      found.push(lineOf(holder, file, reasons));
    }
  }
  return found.toSorted();
}

/** Whether a file is another one, or keeps it alive. */
function keeps(host: HostAt, file: FileId, other: FileId): boolean {
  if (file === other) return true;
  return (host.file(file)?.pins ?? []).some((pin) => keeps(host, pin, other));
}

type Held = Pick<Holder, 'via' | 'file'> & Partial<Holder>;

function lineOf(
  holder: Held | { via: string; file: FileId },
  of: FileId,
  reasons: string[],
): string {
  const { pid = null, comm = null, cgroup = null, via, fd = null, file } = holder as Held;
  return JSON.stringify([of, reasons, pid, comm, cgroup, via, fd, file]);
}

function inLine(hand: HandIn): string {
  const reasons = (['opens', 'bound', 'keepsOwner'] as const).filter((reason) => hand[reason]);
  return lineOf(hand.holder, hand.of, reasons);
}

test('the hands on a group are those that the host shows at every position', () => {
  let [counted, references] = [0, 0];
  fc.assert(
    fc.property(anyHistory, segmentLengths, (log, size) => {
      const timeline = timelineOf(log, size);
      const groups = timeline.groups();
      const hands = new Map(groups.map((group) => [group, handsOf(timeline, group, -1, null)]));
      for (const { event, host } of walk(timeline)) {
        for (const [group, all] of hands) {
          const there = all.filter(
            ({ from, to }) => from <= event.position && event.position < (to ?? Infinity),
          );
          expect(there.map(inLine).toSorted(), `group ${group} after ${event.position}`).toEqual(
            handsAt(host, group),
          );
        }
      }
      const found = [...hands.values()].flat();
      counted += found.length;
      references += found.filter(({ holder }) => holder.via === 'kernel').length;
    }),
    { numRuns: RUNS },
  );
  expect(Math.min(counted, references)).toBeGreaterThan(0);
});

test('in a part of the log they are the same, clipped to it', () => {
  const share = fc.double({ min: 0, max: 1, noNaN: true });
  fc.assert(
    fc.property(anyHistory, segmentLengths, share, share, (log, size, one, other) => {
      const timeline = timelineOf(log, size);
      const [from = 0, to = 0] = [one, other]
        .map((each) => Math.floor(each * log.length))
        .toSorted((a, b) => a - b);
      fc.pre(from < to);
      for (const group of timeline.groups()) {
        const clipped = handsOf(timeline, group, -1, null)
          .filter((hand) => hand.from < to && (hand.to ?? Infinity) > from)
          .map((hand) => ({
            ...hand,
            from: Math.max(hand.from, from),
            to: Math.min(hand.to ?? Infinity, to),
          }));
        const found = handsOf(timeline, group, from, to);
        expect(sorted(found)).toEqual(sorted(clipped));
      }
    }),
    { numRuns: RUNS },
  );
});

const sorted = (hands: readonly object[]) => hands.map((hand) => JSON.stringify(hand)).toSorted();

test('those in the intervals of any subject are the holders of its owner at every position', () => {
  let [counted, late] = [0, 0];
  fc.assert(
    fc.property(anyHistory, segmentLengths, (log, size) => {
      const timeline = timelineOf(log, size);
      const subjects = subjectsOf(timeline, log);
      const histories = subjects.map((subject) => historyOf(timeline, subject));
      const seen = histories.map((intervals) => intervals.map(() => new Steps()));
      for (const { event, host } of walk(timeline)) {
        for (const [index, subject] of subjects.entries()) {
          const at = (histories[index] ?? []).findIndex(
            ({ from, to }) => (from ?? -1) <= event.position && event.position < (to ?? Infinity),
          );
          const interval = histories[index]?.[at];
          if (interval === undefined) throw new Error(`${subject.id} has no interval`);
          const now = { ...subject, position: event.position };
          const { owner } = partiesAt(timeline, host, now);
          expect(interval.owner.kind).toBe(owner.kind);
          const group = groupAt(timeline, host, now);
          const asked: Subject = group === null ? subject : { kind: 'group', id: group };
          seen[index]?.[at]?.look(event.position, shownAt(host, asked, owner));
        }
      }
      for (const [index, intervals] of histories.entries()) {
        for (const [at, interval] of intervals.entries()) {
          expect(stepsOf(interval.hands, interval)).toEqual(seen[index]?.[at]?.all);
          counted += interval.hands.length;
          late += interval.hands.filter(({ from }) => from !== interval.from).length;
          for (const { from, fromTime, to, toTime } of interval.hands) {
            expect(fromTime).toBe(log[from]?.time ?? null);
            expect(toTime).toBe(to === null ? null : (log[to]?.time ?? null));
          }
        }
      }
    }),
    { numRuns: RUNS },
  );
  expect(Math.min(counted, late)).toBeGreaterThan(0);
});

function subjectsOf(timeline: Timeline, log: Log): Subject[] {
  const files = log.flatMap(({ type, position }) =>
    /opened|obtained/.test(type) ? [position] : [],
  );
  const pids = new Set(
    log.flatMap(({ data }) => ('pid' in data && data.pid !== null ? [data.pid] : [])),
  );
  const devices = new Set(
    log.flatMap(({ type, data }) => (type === 'device.added' ? [data.device] : [])),
  );
  return [
    ...timeline.groups().map((id): Subject => ({ kind: 'group', id })),
    ...[...devices].map((id): Subject => ({ kind: 'device', id })),
    ...files.map((position): Subject => ({ kind: 'file', id: `f${position}` })),
    ...[...pids].map((pid): Subject => ({ kind: 'process', id: String(pid) })),
  ];
}

test('a process that gets other names has another hand, whatever the names hold', () => {
  const call = { pid: 8, cloexec: false };
  const facts: Fact[] = [
    {
      type: 'host.booted',
      data: { boot: 'b', kernel: '6.12.0', profile: 'linux-6.12', iommufd: true, simulated: false },
    },
    {
      type: 'device.added',
      data: {
        device: '0000:3b:00.0',
        group: '26',
        name: null,
        model: null,
        driver: 'vfio-pci',
        cdev: 'vfio0',
      },
    },
    { type: 'process.found', data: { pid: 8, comm: 'a\0b', cgroup: 'c' } },
    { type: 'group.opened', data: { ...call, fd: 3, group: '26' } },
    { type: 'container.opened', data: { ...call, fd: 4 } },
    { type: 'container.set', data: { pid: 8, fd: 3, container: 4 } },
    { type: 'process.found', data: { pid: 8, comm: 'a', cgroup: 'b\0c' } },
    { type: 'container.opened', data: { ...call, fd: 5 } },
  ];
  const intervals = historyOf(timelineOf(placed(facts), 100), { kind: 'group', id: '26' });
  const hands = intervals.at(-1)!.hands;
  expect(hands.map(({ comm, cgroup, from, to }) => [comm, cgroup, from, to])).toEqual([
    ['a\0b', 'c', 5, 6],
    ['a', 'b\0c', 6, null],
  ]);
});
