/**
 * When files were released: only the events that changed a file are looked at.
 *
 * @module
 */
import type { FileId } from '../processes/process-table.ts';
import type { OpenedFile, Opening } from './activity.ts';
import type { Segment } from './index/segment.ts';
import type { Timeline } from './timeline.ts';

/** The release of each of some opened files that was released up to a position. `openings` ascend. */
export function releasesOf(
  timeline: Timeline,
  openings: readonly Pick<Opening, 'file' | 'position'>[],
  to: number,
): ReadonlyMap<FileId, OpenedFile['released']> {
  const released = new Map<FileId, OpenedFile['released']>();
  const [first] = openings;
  if (first === undefined) return released;
  /** By file: the position from which it is open. */
  const open = new Map<FileId, number>();
  let next = 0;
  for (const segment of timeline.segments(first.position)) {
    for (; openings[next] !== undefined && openings[next]!.position <= segment.last; next++) {
      open.set(openings[next]!.file, openings[next]!.position);
    }
    const changed = changesIn(segment, open, to);
    for (const [position, all] of [...changed].toSorted(([a], [b]) => a - b)) {
      const files = all.filter((file) => open.has(file));
      if (files.length === 0) continue;
      const host = timeline.viewAt(position);
      for (const file of files) {
        if (host.isOpen(file)) continue;
        open.delete(file);
        released.set(file, { position, time: timeline.timeAt(position) });
      }
    }
    if (segment.last >= to) break;
  }
  return released;
}

/** The files that changed at each position of a segment, from when they are open, up to a position. */
function changesIn(
  segment: Segment,
  open: ReadonlyMap<FileId, number>,
  to: number,
): ReadonlyMap<number, readonly FileId[]> {
  const changed = new Map<number, FileId[]>();
  for (const [file, since] of open) {
    let position = segment.changeFrom(since, { files: [file] });
    while (position !== null && position <= to) {
      const files = changed.get(position);
      if (files === undefined) changed.set(position, [file]);
      else files.push(file);
      position = segment.changeFrom(position + 1, { files: [file] });
    }
  }
  return changed;
}
