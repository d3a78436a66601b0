/**
 * Where positions are on the screen: an axis of positions or of time, in columns of one pixel.
 *
 * @module
 */
import { clamp } from './range.ts';

/** A label beneath the lanes, and where it is, in pixels. */
interface Tick {
  readonly x: number;
  readonly label: string;
}

export interface Axis {
  /** The first position of each column, and the one after the last. Columns may be empty. */
  readonly edges: readonly number[];
  readonly ticks: readonly Tick[];
  /** Where a position begins, in pixels; it ends where the next one begins. */
  readonly xOf: (position: number) => number;
  /** The position that is shown at a pixel. */
  readonly positionAt: (x: number) => number;
}

/** Times of a history, in milliseconds since 1970, with fractions. */
export interface PictureClock {
  /** The time of the event at a position, or of the last one before it that has a time. */
  timeAt(position: number): number;
  /** The last position whose time is at or before an instant; -1 if there is none. */
  lastUntil(time: number): number;
}

/** Pixels between ticks, at least. */
const TICK_WIDTH = 90;

/** An axis on which every event takes the same width. */
export function axisOfPositions(from: number, end: number, width: number): Axis {
  const length = end - from;
  const xOf = (position: number) => ((position - from) / length) * width;
  const edges = Array.from({ length: width + 1 }, (_, x) => from + Math.ceil((x * length) / width));
  const step = Math.max(1, roundStep((length * TICK_WIDTH) / width));
  const ticks: Tick[] = [];
  for (let at = Math.ceil(from / step) * step; at < end; at += step) {
    ticks.push({ x: xOf(at), label: String(at) });
  }
  const positionAt = (x: number) => clamp(from + Math.floor((x / width) * length), from, end - 1);
  return { edges, ticks, xOf, positionAt };
}

/** An axis on which every second takes the same width. */
export function axisOfTime(clock: PictureClock, from: number, end: number, width: number): Axis {
  const [begin, last] = [clock.timeAt(from), clock.timeAt(end - 1)];
  // The last event needs some width, too.
  const span = Math.max((last - begin) * (1 + 4 / width), 0.001);
  const timeAt = (x: number) => begin + (x / width) * span;
  const edges = [from];
  for (let x = 1; x < width; x++) {
    const next = clock.lastUntil(timeAt(x) - 0.0005) + 1;
    edges.push(clamp(next, edges[x - 1] ?? from, end));
  }
  edges.push(end);
  const xOf = (position: number) => (position >= end ? width : columnOf(edges, position));
  const positionAt = (x: number) => {
    return clamp(clock.lastUntil(timeAt(clamp(x, 0, width))), from, end - 1);
  };
  return { edges, ticks: ticksOfTime(begin, span, width), xOf, positionAt };
}

/** The last column that begins at or before a position, and is not empty. */
function columnOf(edges: readonly number[], position: number): number {
  let [low, high] = [0, edges.length - 1];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (edges[middle]! <= position) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** 1, 2 or 5 times a power of ten: the least that is not less. */
function roundStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least));
  return power * ([1, 2, 5, 10].find((times) => times * power >= least) ?? 10);
}

const [SECOND, MINUTE, HOUR, DAY] = [1000, 60_000, 3_600_000, 86_400_000];
const timeSteps = [
  ...[1, 2, 5, 10, 15, 30].map((times) => times * SECOND),
  ...[1, 2, 5, 10, 15, 30].map((times) => times * MINUTE),
  ...[1, 2, 3, 6, 12].map((times) => times * HOUR),
];

function ticksOfTime(begin: number, span: number, width: number): Tick[] {
  const step = timeStep((span * TICK_WIDTH) / width);
  const ticks: Tick[] = [];
  for (let at = Math.ceil(begin / step) * step; at < begin + span; at += step) {
    ticks.push({ x: ((at - begin) / span) * width, label: tickLabel(at, step) });
  }
  return ticks;
}

function timeStep(least: number): number {
  if (least < SECOND) return Math.max(roundStep(least), 0.001);
  return timeSteps.find((step) => step >= least) ?? roundStep(least / DAY) * DAY;
}

/** As much of a time as tells ticks apart, UTC. */
function tickLabel(time: number, step: number): string {
  const text = new Date(time).toISOString();
  if (step >= DAY) return text.slice(0, 10);
  if (step >= MINUTE) return text.slice(11, 16);
  if (step >= SECOND) return text.slice(11, 19);
  return step >= 1 ? text.slice(17, 23) : `${text.slice(17, 23)}${microseconds(time)}`;
}

function microseconds(time: number): string {
  return String(Math.round((time % 1) * 1000)).padStart(3, '0');
}
