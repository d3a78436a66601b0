/**
 * The rows of the picture: where each lane is, in pixels.
 *
 * @module
 */
import type { Lane } from '../projections/lanes/lanes.ts';

export interface DrawnRow {
  readonly lane: Lane;
  readonly top: number;
  readonly height: number;
}

const GROUP_HEIGHT = 26;
const DEVICE_HEIGHT = 20;
/** Above each group but the first. */
const GAP = 8;

/** The lanes one below the other, a gap above each group; and their height together. */
export function rowsOf(lanes: readonly Lane[]): {
  readonly rows: readonly DrawnRow[];
  readonly height: number;
} {
  let top = 0;
  const rows = lanes.map((lane): DrawnRow => {
    if (lane.kind === 'group' && top > 0) top += GAP;
    const height = lane.kind === 'group' ? GROUP_HEIGHT : DEVICE_HEIGHT;
    const row = { lane, top, height };
    top += height;
    return row;
  });
  return { rows, height: top };
}
