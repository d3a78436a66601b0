/**
 * How stretches of lanes are drawn: each state has a shape of its own, so that colour is not needed.
 *
 * @module
 */
import type { LaneStretch } from '../projections/lanes/lanes.ts';
import { colourNumber, type Colours } from './palette.ts';

/** A rectangle, in pixels. */
export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

type Canvas = CanvasRenderingContext2D;

/** Draws a stretch into its box. */
export function drawStretch(
  canvas: Canvas,
  stretch: LaneStretch,
  box: Box,
  colours: Colours,
): void {
  if (stretch.count > 1) return drawBusy(canvas, box, colours);
  const fill = fillOf(stretch, colours);
  switch (stretch.state) {
    case 'absent':
      return;
    case 'idle':
      return bar(canvas, inner(box, 2), colours.faint);
    case 'open':
      return outlined(canvas, inner(box, box.height - 8), colours.paper, colours.ink);
    case 'bound':
      return outlined(canvas, inner(box, box.height - 4), fill, colours.faint);
    case 'attached':
      outlined(canvas, inner(box, box.height - 4), fill, colours.faint);
      return bar(canvas, { ...box, y: box.y + box.height - 5, height: 3 }, colours.ink);
    case 'leaving':
      outlined(canvas, inner(box, box.height - 4), fill, colours.ink);
      return hatched(canvas, inner(box, box.height - 4), colours.ink, 6);
    case 'unknown':
      hatched(canvas, inner(box, box.height - 8), colours.unknown, 5);
      return outlined(canvas, inner(box, box.height - 8), null, colours.unknown);
  }
}

/** Many intervals in one column: full height, striped. */
function drawBusy(canvas: Canvas, { x, y, width, height }: Box, colours: Colours): void {
  const box = { x: Math.floor(x), y: y + 1, width: Math.max(3, width), height: height - 2 };
  bar(canvas, box, colours.faint);
  for (let at = 2; at < box.height - 1; at += 4) {
    bar(canvas, { ...box, y: box.y + at, height: 1.5 }, colours.paper);
  }
}

function fillOf({ owner }: LaneStretch, colours: Colours): string {
  if (owner === null) return colours.paper;
  const number = colourNumber(owner);
  if (number !== null) return colours.owners[number] ?? colours.kernel;
  return owner.kind === 'unknown' ? colours.paper : colours.kernel;
}

/** The middle of a box, so many pixels high. */
function inner({ x, y, width, height }: Box, wanted: number): Box {
  return { x, y: y + (height - wanted) / 2, width, height: wanted };
}

function bar(canvas: Canvas, { x, y, width, height }: Box, colour: string): void {
  canvas.fillStyle = colour;
  canvas.fillRect(x, y, Math.max(1, width), height);
}

function outlined(canvas: Canvas, box: Box, fill: string | null, line: string): void {
  const { x, y, width, height } = box;
  if (fill !== null) bar(canvas, box, fill);
  if (width < 4) return;
  canvas.strokeStyle = line;
  canvas.lineWidth = 1;
  canvas.strokeRect(x + 0.5, y + 0.5, width - 1, height - 1);
}

/** Slanted lines, `gap` pixels apart. */
export function hatched(
  canvas: Canvas,
  { x, y, width, height }: Box,
  line: string,
  gap: number,
): void {
  canvas.save();
  canvas.beginPath();
  canvas.rect(x, y, Math.max(1, width), height);
  canvas.clip();
  canvas.beginPath();
  canvas.strokeStyle = line;
  canvas.lineWidth = 1;
  const begin = Math.floor((x - height) / gap) * gap;
  for (let at = begin; at < x + width; at += gap) {
    canvas.moveTo(at, y + height);
    canvas.lineTo(at + height, y);
  }
  canvas.stroke();
  canvas.restore();
}
