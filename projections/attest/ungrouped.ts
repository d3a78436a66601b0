/**
 * Device files that were opened while the group of the device was not known: the hands on them are hands
 * in some group.
 *
 * @module
 */
import type { FoundCoverage } from '../coverage.ts';
import { keyOf } from '../subjects.ts';
import type { Timeline } from '../timeline.ts';
import type { StateRange } from '../when.ts';

/** From the open of such a file on, up to the event that tells the group or removes the device. */
export function ungroupedIn(
  timeline: Timeline,
  { from, to }: StateRange,
): FoundCoverage['unknown'] {
  return [...addedWithoutGroup(timeline, to)].flatMap(({ device, position }) => {
    const opened = firstOpen(timeline, device, position, to);
    const end = opened === null ? 0 : endOf(timeline, device, opened);
    if (opened === null || end <= from) return [];
    const start = Math.max(opened, from);
    const until = end > timeline.head ? null : Math.min(end, to + 1);
    return {
      subject: device,
      from: start,
      to: until,
      fromTime: timeline.timeAt(start),
      toTime: until === null ? null : timeline.timeAt(until),
      reason: { kind: 'group-unknown' },
    };
  });
}

function* addedWithoutGroup(timeline: Timeline, to: number) {
  for (const { first, columns } of timeline.hands.from()) {
    if (first > to) return;
    const { device, event } = columns.ungrouped;
    for (let row = 0; row < event.length; row++) {
      const position = first + event.cells[row]! - 1;
      if (position <= to) yield { device: timeline.devices()[device.cells[row]!]!, position };
    }
  }
}

/** The first open of a device's file from a position on, before its next event that adds it. */
function firstOpen(timeline: Timeline, device: string, from: number, to: number): number | null {
  const boot = timeline.bootAfter(from) ?? Infinity;
  for (const position of timeline.positionsOf(keyOf({ kind: 'device', id: device }), from + 1)) {
    if (position > to || position > boot) return null;
    const type = timeline.typeAt(position);
    if (type === 'device.opened') return position;
    if (type === 'device.added') return null;
  }
  return null;
}

function endOf(timeline: Timeline, device: string, opened: number): number {
  const boot = timeline.bootAfter(opened) ?? timeline.head + 1;
  for (const position of timeline.positionsOf(keyOf({ kind: 'device', id: device }), opened + 1)) {
    if (position >= boot) break;
    if (timeline.typeAt(position) === 'device.added') return position;
  }
  return boot;
}
