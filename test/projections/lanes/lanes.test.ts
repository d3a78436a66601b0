import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isRecordedAt } from '../../../projections/found-groups.ts';
import { lanesBetween, lanesOver, type Lane } from '../../../projections/lanes/lanes.ts';
import { HostAtMoment } from '../../../projections/moment.ts';
import type { Owner, Table } from '../../../projections/shapes.ts';
import { Timeline } from '../../../projections/timeline.ts';
import { anyHistory, segmentLengths } from '../../support/any-history.ts';
import { countOf } from '../../support/effort.ts';
import { partlySeen } from '../../support/partly-seen.ts';
import type { Log } from '../../support/random-logs.ts';

function timelineOf(log: Log, first: number, whole: number): Timeline {
  const timeline = new Timeline({ first, whole });
  for (const event of log) if (event.position >= first) timeline.take(event);
  return timeline;
}

const drawnLog = fc
  .tuple(
    fc.oneof(
      anyHistory,
      partlySeen.map(({ log }) => log),
    ),
    fc.double({ min: 0, max: 0.7, noNaN: true }),
    fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.constant(1)),
    segmentLengths,
  )
  .map(([log, share, isCut, whole]) => {
    return timelineOf(log, Math.floor(log.length * share) * isCut, whole);
  })
  .filter(({ first, head }) => head >= first);

/** Every look of a lane, position by position. */
function looksOf({ stretches }: Lane): string[] {
  return stretches.flatMap(({ from, to, state, owner }) => {
    return Array.from({ length: to - from }, () => lookText(state, owner));
  });
}

function lookText(state: string, owner: Pick<Owner, 'kind' | 'file'> | null): string {
  return `${state} ${owner?.kind ?? 'none'} ${owner?.file ?? '-'}`;
}

/** How the table, and `who` of what is not in it, say that a lane looks at a position. */
function lookInTable(timeline: Timeline, table: Table, { kind, id }: Lane): string {
  const position = table.at.position ?? -1;
  const moment = new HostAtMoment(timeline, position);
  if (!timeline.isKnownAt(position)) return lookText('unknown', { kind: 'unknown', file: null });
  if (kind === 'group') {
    const row = table.groups.find(({ group }) => group === id);
    const { owner } = row ?? moment.who(`g${id}`);
    const unowned = row === undefined ? 'absent' : row.opener === null ? 'idle' : 'open';
    const state = { none: unowned, unknown: 'unknown' }[owner.kind as 'none'] ?? 'bound';
    return lookText(state, owner);
  }
  const row = table.devices.find(({ device }) => device === id);
  if (row !== undefined) return lookText(row.state, row.owner);
  const { owner } = moment.who(id);
  return lookText(mayBeThere(timeline, id, position) ? 'unknown' : 'absent', owner);
}

/** Whether evidence finds a device that is not in the table only later. */
function mayBeThere(timeline: Timeline, device: string, position: number): boolean {
  const named = [...timeline.positionsOf(`device ${device}`)];
  const added = named.map((at) => timeline.at(at)).find(({ type }) => type === 'device.added');
  if (added === undefined) return !isRecordedAt(timeline, named[0] ?? 0);
  return position < added.position && added.data.evidence?.rule !== undefined;
}

function* positionsIn({ first, head }: Timeline): Generator<number> {
  for (let position = first; position <= head; position++) yield position;
}

describe('lanes', () => {
  test('show at every position what the table shows there', () => {
    const check = (timeline: Timeline) => {
      const { first, head } = timeline;
      const range = { from: first, end: head + 1 };
      const lanes = lanesBetween(timeline.cursor(), range, Math.max(3, head + 1));
      const looks = new Map(lanes.map((lane) => [`${lane.kind} ${lane.id}`, looksOf(lane)]));
      for (const position of positionsIn(timeline)) {
        const table = new HostAtMoment(timeline, position).table();
        const ids = [
          ...table.groups.map(({ group }) => `group ${group}`),
          ...table.devices
            .map(({ device }) => `device ${device}`)
            .filter((id) => !id.includes('?')),
        ];
        expect([...looks.keys()]).toEqual(expect.arrayContaining(ids));
        for (const lane of lanes) {
          const look = looks.get(`${lane.kind} ${lane.id}`)?.[position - first];
          const place = `${lane.kind} ${lane.id} at ${position}: `;
          expect(place + look).toBe(place + lookInTable(timeline, table, lane));
        }
      }
      for (const { stretches } of lanes) for (const { count } of stretches) expect(count).toBe(1);
    };
    fc.assert(fc.property(drawnLog, check), {
      numRuns: countOf('lanes', { test: 40, soak: 600, full: 10_000 }),
    });
  });

  const drawnPart = drawnLog.chain((timeline) => {
    const { first, head } = timeline;
    const position = fc.integer({ min: first, max: head + 1 });
    const edges = fc
      .array(position, { minLength: 2, maxLength: 12 })
      .map((some) => some.toSorted((a, b) => a - b))
      .filter((some) => some[0]! < some.at(-1)!);
    return fc.record({ timeline: fc.constant(timeline), edges });
  });

  test('have every interval, merged only within a column', () => {
    const check = ({ timeline, edges }: { timeline: Timeline; edges: readonly number[] }) => {
      const range = { from: edges[0]!, end: edges.at(-1)! };
      const exact = lanesBetween(timeline.cursor(), range, timeline.head + 3);
      const merged = lanesOver(timeline.cursor(), edges);
      const names = (lanes: readonly Lane[]) => lanes.map((lane) => ({ ...lane, stretches: [] }));
      expect(names(merged)).toEqual(names(exact));
      for (const [index, { stretches }] of merged.entries()) {
        let from = range.from;
        for (const stretch of stretches) {
          const within = exact[index]!.stretches.filter(
            (interval) => interval.from >= stretch.from && interval.to <= stretch.to,
          );
          expect(stretch.from).toBe(from);
          expect(stretch.count).toBe(within.length);
          const longest = Math.max(...within.map((interval) => interval.to - interval.from));
          const { state, owner } = stretch;
          expect(
            within.filter((interval) => interval.to - interval.from === longest),
          ).toContainEqual(expect.objectContaining({ state, owner }));
          if (stretch.count > 1) expect(columnAt(edges, from)).toBe(columnAt(edges, stretch.to));
          from = stretch.to;
        }
        expect(from).toBe(range.end);
        expect(stretches.length).toBeLessThan(2 * edges.length);
      }
    };
    fc.assert(fc.property(drawnPart, check), {
      numRuns: countOf('merged-lanes', { test: 40, soak: 600, full: 10_000 }),
    });
  });

  test('have no more stretches than are asked for', () => {
    const check = ({ timeline, edges }: { timeline: Timeline; edges: readonly number[] }) => {
      const atMost = edges.length + 1;
      const range = { from: edges[0]!, end: edges.at(-1)! };
      const exact = lanesBetween(timeline.cursor(), range, timeline.head + 3);
      const lanes = lanesBetween(timeline.cursor(), range, atMost);
      for (const [index, { stretches }] of lanes.entries()) {
        const all = exact[index]!.stretches;
        expect(stretches.length).toBeLessThanOrEqual(atMost);
        if (all.length <= atMost) expect(stretches).toEqual(all);
        expect(stretches.reduce((sum, { count }) => sum + count, 0)).toBe(all.length);
      }
    };
    fc.assert(fc.property(drawnPart, check), {
      numRuns: countOf('few-lanes', { test: 20, soak: 300, full: 5000 }),
    });
  });
});

function columnAt(edges: readonly number[], position: number): number {
  return edges.findLastIndex((edge) => edge <= position);
}
