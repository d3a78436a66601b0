import fc from 'fast-check';
import { expect, test } from 'vitest';
import { KERNEL_PID } from '../../../processes/process-table.ts';
import { pastHoldersOf } from '../../../projections/attest/past-holders.ts';
import { handsOf } from '../../../projections/group-hands.ts';
import type { SegmentHands } from '../../../projections/index/segment-hands.ts';
import { touchedGroups } from '../../../projections/index/touched-groups.ts';
import { Timeline } from '../../../projections/timeline.ts';
import { anyHistory, segmentLengths } from '../../support/any-history.ts';
import { countOf, isCampaign } from '../../support/effort.ts';

const UNKNOWN = 1;
const setOf = (pid: number | null): number => {
  return pid === null || pid >= KERNEL_PID ? UNKNOWN : 2 << (pid % 8);
};

const setsIn = ({ spans, columns }: SegmentHands): number[] =>
  Array.from({ length: spans }, (_, span) => setOf(columns.spans.pid.cells[span]!));

test('every process with a hand on a group touches it, and not all touch every group', () => {
  const counts = { touches: 0, references: 0, leftOut: 0 };
  fc.assert(
    fc.property(
      anyHistory,
      segmentLengths,
      fc.double({ min: 0, max: 1, noNaN: true }),
      (log, size, share) => {
        const timeline = new Timeline({ whole: size });
        for (const event of log) timeline.take(event);
        const to = Math.floor(share * timeline.head);
        const unseenUntil = Math.floor(to / 3);
        const watched = { setsIn, unknown: UNKNOWN, unseenUntil };
        const touched = touchedGroups(timeline.hands.from(), to, watched);
        for (const group of timeline.groups()) {
          const sets = touched.get(timeline.hands.codeOf(group)!) ?? 0;
          const hands = handsOf(timeline, group, -1, to + 1);
          const past = pastHoldersOf(timeline, hands);
          for (const { holder, of, to: end } of hands) {
            const isPlain = holder.via === 'fd' || holder.via === 'mapping';
            const holders = past.get(of)?.filter(({ since }) => since < (end ?? Infinity)) ?? [];
            const pids = holders.length > 0 ? holders.map(({ pid }) => pid) : [null];
            const expected = (isPlain ? [holder.pid] : pids).map(setOf);
            for (const set of expected) expect(sets & set, `${group} and ${of}`).toBe(set);
            counts.touches += expected.length;
            if (!isPlain) counts.references++;
            const isUnseen = Number(of.slice(1)) < unseenUntil && (end ?? Infinity) > unseenUntil;
            if (isUnseen) expect(sets & UNKNOWN).toBe(UNKNOWN);
          }
          counts.leftOut += (sets & ((2 << 8) - 1)) === (2 << 8) - 1 ? 0 : 1;
        }
      },
    ),
    { numRuns: countOf('logs whose groups are touched', { test: 20, soak: 400, full: 4000 }) },
  );
  const { touches, references, leftOut } = counts;
  expect(Math.min(touches, leftOut)).toBeGreaterThan(0);
  // Few logs have them.
  if (isCampaign) expect(references).toBeGreaterThan(0);
});
