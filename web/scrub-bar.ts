/**
 * Draws the scrub bar: the axis with its marks, and a thumb at the moment.
 *
 * @module
 */
import type { Mark, MarkKind } from '../projections/lanes/marks.ts';
import { clamp } from './range.ts';
import { middleOf, type Picture } from './picture.ts';

type Canvas = CanvasRenderingContext2D;

export const SCRUB_HEIGHT = 52;
const LINE = 16;

export function drawScrubBar(canvas: Canvas, picture: Picture, at: number): void {
  const { axis, width, marks, colours } = picture;
  canvas.clearRect(0, 0, width, SCRUB_HEIGHT);
  canvas.fillStyle = colours.faint;
  canvas.fillRect(0, LINE, width, 1);
  canvas.font = '11px system-ui, sans-serif';
  canvas.textBaseline = 'top';
  for (const { x, label } of axis.ticks) {
    canvas.fillRect(Math.round(x), LINE, 1, 5);
    const half = canvas.measureText(label).width / 2;
    canvas.fillText(label, clamp(x - half, 0, width - 2 * half), LINE + 22);
  }
  for (const mark of marks) if (mark.lane === null) drawMark(canvas, mark, picture);
  const x = middleOf(axis, at);
  if (x < 0 || x > width) return;
  canvas.fillStyle = colours.accent;
  canvas.beginPath();
  canvas.moveTo(x - 6, 0);
  canvas.lineTo(x + 6, 0);
  canvas.lineTo(x, LINE);
  canvas.fill();
}

/** A shape for each kind of mark: diamond, cross, line, hatch, square. */
const shapes: Readonly<Record<MarkKind, (canvas: Canvas, x: number, y: number) => void>> = {
  driver: (canvas, x, y) => {
    canvas.moveTo(x, y - 5);
    canvas.lineTo(x + 5, y);
    canvas.lineTo(x, y + 5);
    canvas.lineTo(x - 5, y);
    canvas.fill();
  },
  exit: (canvas, x, y) => {
    for (const way of [1, -1]) {
      canvas.moveTo(x - 4, y - 4 * way);
      canvas.lineTo(x + 4, y + 4 * way);
    }
    canvas.stroke();
  },
  boot: (canvas, x) => {
    canvas.moveTo(x, 0);
    canvas.lineTo(x, LINE + 10);
    canvas.stroke();
  },
  gap: (canvas, x, y) => {
    canvas.strokeRect(x - 4, y - 4, 8, 8);
  },
  plug: (canvas, x, y) => {
    canvas.fillRect(x - 3.5, y - 3.5, 7, 7);
  },
  refusal: (canvas, x, y) => {
    canvas.arc(x, y, 5, 0, 2 * Math.PI);
    canvas.fill();
  },
};

function drawMark(canvas: Canvas, { kind, position }: Mark, { axis, colours }: Picture): void {
  const colour = kind === 'refusal' ? colours.refusal : colours.ink;
  canvas.fillStyle = colour;
  canvas.strokeStyle = kind === 'gap' ? colours.unknown : colour;
  canvas.lineWidth = 1.5;
  canvas.beginPath();
  shapes[kind](canvas, axis.xOf(position), LINE + 11);
}
