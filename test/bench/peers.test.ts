import { join } from 'node:path';
import { expect, test } from 'vitest';
import { judgeAll } from '../../bench/first-judging.ts';
import { hostHistory } from '../../bench/host.ts';
import { historyOf, hostKinds } from '../../bench/hosts.ts';
import { bareOwnerAt } from '../../projections/owner-at.ts';
import { Intervals, writeIntervals } from '../../bench/peers/owner-intervals.ts';
import { Ownership } from '../../bench/peers/ownership.ts';
import { changesOf, foldChanges } from '../../bench/peers/bare-table.ts';
import { columnsOf, foldColumns } from '../../bench/peers/typed-arrays.ts';
import { actorKernel, transitionKernel } from '../../bench/peers/xstate.ts';
import { Kernel } from '../../machines/kernel.ts';
import { LiveHost } from '../../machines/live-host.ts';
import { firstStart, SegmentBuilder } from '../../projections/index/builder.ts';
import { advance, Cursor } from '../../projections/index/journal.ts';
import { DEVICE, GROUP, HOLD, type CellRows } from '../../projections/index/standing.ts';
import { Timeline } from '../../projections/timeline.ts';
import { nobody, ownerWithoutHolders } from '../../projections/views.ts';
import { temporaryFolder } from '../log/folder.ts';
import { countOf, someOf } from '../support/effort.ts';

const dir = temporaryFolder();
const COUNT = countOf('events that peers fold', { test: 5000, soak: 20_000 });
const history = [...hostHistory(COUNT)].map((event, position) => ({ ...event, position }));

/** By group, the file that owns it, as the machines have it. */
function ownersOf(kernel: Kernel): Map<string, string> {
  const owners = [...kernel.groups()].flatMap(({ group, record: { owner } }) =>
    owner === null ? [] : [[group, owner] as const],
  );
  return new Map(owners);
}

test('what peers fold by hand is what the machines say, after each event', () => {
  const kernel = new Kernel();
  const ownership = new Ownership();
  for (const event of history) {
    kernel.take(event);
    ownership.take(event);
    const byNumber = (a: readonly [string, string], b: readonly [string, string]) =>
      Number(a[0]) - Number(b[0]);
    const theirs = [...ownership.owners].toSorted(byNumber);
    expect(theirs, `after ${event.position}`).toEqual([...ownersOf(kernel)].toSorted(byNumber));
  }
});

test('columns of numbers fold to the same owners', () => {
  const ownership = new Ownership();
  for (const event of history) ownership.take(event);
  const folded = [...foldColumns(columnsOf(COUNT))].flatMap((file, group) =>
    file === 0 ? [] : [[String(group), `f${file}`] as const],
  );
  expect(new Map(folded)).toEqual(ownership.owners);
});

test('a bare fold over changes comes to the same table', () => {
  const builder = new SegmentBuilder(firstStart(0), 65_536);
  for (const event of history) builder.take(event);
  const { segment } = builder;
  const folded = foldChanges(changesOf([segment]));
  const standing = segment.parts.start.copy();
  advance(segment.parts.journal, standing, new Cursor(), segment.length);
  const cellsOf = ({ cells, width, count }: CellRows, cell: number) =>
    Array.from({ length: count }, (_, row) => cells[row * width + cell]);
  const { groups, devices, holds } = standing;
  expect([...folded.owner!.subarray(0, groups.count)]).toEqual(cellsOf(groups, GROUP.kind));
  expect([...folded.owningFile!.subarray(0, groups.count)]).toEqual(cellsOf(groups, GROUP.owner));
  expect([...folded.state!.subarray(0, devices.count)]).toEqual(cellsOf(devices, DEVICE.state));
  expect([...folded.heldFile!.subarray(0, holds.count)]).toEqual(cellsOf(holds, HOLD.file));
});

test('XState in the place of the tables judges the same', () => {
  const some = history.slice(0, 3000);
  const ours = judgeAll(some, new LiveHost());
  expect(ours.changes.length).toBeGreaterThan(100);
  for (const kernel of [transitionKernel(), actorKernel()]) {
    expect(judgeAll(some, new LiveHost({ kernel }))).toEqual(ours);
    expect(kernel.contradictions).toEqual([]);
  }
});

test.each(someOf(hostKinds, 3))(
  'a table of intervals has the owners of every moment: %s',
  async (kind) => {
    const timeline = new Timeline();
    const host = new LiveHost();
    const path = join(dir, `${kind}.db`);
    const events = [...(await historyOf(kind, 2000))].map((event, position) => {
      return { ...event, position };
    });
    for (const event of events) timeline.take(event);
    expect(writeIntervals(timeline, path)).toBeGreaterThan(50);
    const intervals = new Intervals(path);
    const owned = new Set<string>();
    const others: unknown[] = [];
    for (const event of events) {
      host.take(event);
      for (const group of timeline.groups()) {
        const known = host.group(group);
        const owner = known === undefined ? nobody : ownerWithoutHolders(known);
        const answers = [
          intervals.at(group, event.position) ?? nobody,
          bareOwnerAt(timeline, group, event.position),
        ];
        owned.add(owner.kind);
        if (answers.some((answer) => answer.kind !== owner.kind || answer.file !== owner.file)) {
          others.push({ group, position: event.position, owner, answers });
        }
      }
    }
    intervals.close();
    expect(others).toEqual([]);
    expect(owned.size).toBeGreaterThan(2);
  },
);
