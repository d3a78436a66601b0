/**
 * Draws the lanes of a view, and over them what is chosen: moments, lit intervals, reasons of a refusal.
 *
 * @module
 */
import type { LaneStretch } from '../projections/lanes/lanes.ts';
import type { Mark } from '../projections/lanes/marks.ts';
import { laneOwnerWords } from '../words/pictures.ts';
import { printable } from '../words/printable.ts';
import type { Axis } from './axis.ts';
import type { Colours } from './palette.ts';
import { drawStretch, hatched, type Box } from './patterns.ts';
import type { LitInterval, ShownRefusal } from './questions.ts';
import type { DrawnRow } from './rows.ts';

type Canvas = CanvasRenderingContext2D;

/** What is drawn, and where. Sizes in pixels. */
export interface Picture {
  readonly rows: readonly DrawnRow[];
  readonly marks: readonly Mark[];
  readonly axis: Axis;
  readonly width: number;
  readonly height: number;
  readonly colours: Colours;
  /** The first position that did not happen; Infinity in history. */
  readonly supposedFrom: number;
  readonly lit: ReadonlySet<string>;
}

/** What is drawn over a picture. */
export interface Chosen {
  readonly at: number;
  readonly compare: number | null;
  readonly refusal: ShownRefusal | null;
  readonly tenures: readonly LitInterval[];
}

const FONT = '11px system-ui, sans-serif';

export function drawLanes(canvas: Canvas, picture: Picture): void {
  const { rows, axis, width, height, colours } = picture;
  canvas.fillStyle = colours.paper;
  canvas.fillRect(0, 0, width, height);
  drawSupposed(canvas, picture);
  canvas.fillStyle = colours.grid;
  for (const { x } of axis.ticks) canvas.fillRect(Math.round(x), 0, 1, height);
  for (const row of rows) drawRow(canvas, row, picture);
  const refusals = picture.marks.filter(({ kind }) => kind === 'refusal');
  const marksOf = Map.groupBy(refusals, ({ lane }) => lane);
  for (const row of rows) {
    for (const disc of discsOf(row, marksOf.get(row.lane.id) ?? [], axis)) {
      drawDisc(canvas, disc, colours);
    }
  }
}

/** What did not happen has a ground of its own. */
function drawSupposed(
  canvas: Canvas,
  { axis, supposedFrom, width, height, colours }: Picture,
): void {
  if (supposedFrom === Infinity) return;
  const x = Math.max(0, axis.xOf(supposedFrom));
  const box = { x, y: 0, width: width - x, height };
  canvas.fillStyle = colours.supposed;
  canvas.fillRect(box.x, box.y, box.width, box.height);
  canvas.globalAlpha = 0.3;
  hatched(canvas, box, colours.faint, 12);
  canvas.globalAlpha = 1;
}

function drawRow(canvas: Canvas, { lane, top, height }: DrawnRow, picture: Picture): void {
  const { axis, colours, lit, width } = picture;
  if (lit.has(lane.id)) {
    canvas.fillStyle = colours.accent;
    canvas.globalAlpha = 0.14;
    canvas.fillRect(0, top, width, height);
    canvas.globalAlpha = 1;
  }
  const boxes = lane.stretches.map((stretch) => {
    const x = axis.xOf(stretch.from);
    return { stretch, box: { x, y: top, width: axis.xOf(stretch.to) - x, height } };
  });
  // What is merged is drawn last, so that no neighbour hides it.
  for (const isBusy of [false, true]) {
    for (const { stretch, box } of boxes) {
      if (stretch.count > 1 === isBusy) drawStretch(canvas, stretch, box, colours);
    }
  }
  if (lane.kind === 'group') for (const found of boxes) drawLabel(canvas, found, colours);
}

function drawLabel(
  canvas: Canvas,
  { stretch, box }: { readonly stretch: LaneStretch; readonly box: Box },
  colours: Colours,
): void {
  if (stretch.owner === null || stretch.state === 'absent') return;
  canvas.font = FONT;
  const text = stretch.count > 1 ? `${stretch.count}×` : printable(laneOwnerWords(stretch.owner));
  const { width } = canvas.measureText(text);
  if (width + 12 > box.width) return;
  const [x, y] = [box.x + 6, box.y + box.height / 2];
  if (stretch.owner.kind === 'unknown' || stretch.count > 1) {
    canvas.fillStyle = colours.paper;
    canvas.fillRect(x - 3, y - 7, width + 6, 14);
  }
  canvas.fillStyle = colours.ink;
  canvas.textBaseline = 'middle';
  canvas.fillText(text, x, y + 0.5);
}

/** Refusals of a lane that are drawn as one disc. */
interface Disc {
  readonly x: number;
  readonly y: number;
  readonly count: number;
}

/** Pixels from one disc to the next, at least: discs that hid each other are one. */
const DISC_WIDTH = 18;

function discsOf({ top, height }: DrawnRow, refusals: readonly Mark[], axis: Axis): Disc[] {
  const discs: Disc[] = [];
  for (const { position, count } of refusals) {
    const x = axis.xOf(position);
    const last = discs.at(-1);
    if (last === undefined || x - last.x >= DISC_WIDTH) {
      discs.push({ x, y: top + height / 2, count });
    } else discs[discs.length - 1] = { ...last, count: last.count + count };
  }
  return discs;
}

/** A disc with a cross; of several refusals, with their number. */
function drawDisc(canvas: Canvas, { x, y, count }: Disc, colours: Colours): void {
  canvas.beginPath();
  canvas.arc(x, y, 6, 0, 2 * Math.PI);
  canvas.fillStyle = colours.refusal;
  canvas.fill();
  canvas.strokeStyle = colours.paper;
  canvas.lineWidth = 1.5;
  canvas.stroke();
  if (count === 1) {
    canvas.beginPath();
    for (const way of [1, -1]) {
      canvas.moveTo(x - 2.5, y - 2.5 * way);
      canvas.lineTo(x + 2.5, y + 2.5 * way);
    }
    canvas.stroke();
    return;
  }
  canvas.font = 'bold 9px system-ui, sans-serif';
  canvas.fillStyle = colours.paper;
  canvas.textBaseline = 'middle';
  canvas.textAlign = 'center';
  canvas.fillText(count > 99 ? '99+' : String(count), x, y + 0.5);
  canvas.textAlign = 'start';
}

export function drawChosen(canvas: Canvas, picture: Picture, chosen: Chosen): void {
  const { width, height, colours } = picture;
  canvas.clearRect(0, 0, width, height);
  for (const lit of chosen.tenures) drawLit(canvas, lit, picture, colours.accent);
  if (chosen.refusal !== null) drawRefusal(canvas, chosen.refusal, picture);
  if (chosen.compare !== null) drawMoment(canvas, chosen.compare, picture, true);
  drawMoment(canvas, chosen.at, picture, false);
  canvas.setLineDash([]);
}

function drawRefusal(canvas: Canvas, refusal: ShownRefusal, picture: Picture): void {
  const { rows, axis, colours, height } = picture;
  if (refusal.blocked !== null) drawLit(canvas, refusal.blocked, picture, colours.refusal);
  const yOf = (lane: string | null) => {
    const row = rows.find((found) => found.lane.id === lane);
    return row === undefined ? height : row.top + row.height / 2;
  };
  const [x, y] = [axis.xOf(refusal.why.position), yOf(refusal.lane)];
  canvas.strokeStyle = colours.refusal;
  canvas.fillStyle = colours.refusal;
  canvas.lineWidth = 1.5;
  for (const reason of refusal.because)
    drawReason(canvas, axis.xOf(reason.position), yOf(reason.lane), x, y);
  canvas.beginPath();
  canvas.arc(x, y, 9, 0, 2 * Math.PI);
  canvas.stroke();
}

/** A line from an event to the refusal that it led to. */
function drawReason(canvas: Canvas, fromX: number, fromY: number, x: number, y: number): void {
  canvas.beginPath();
  canvas.moveTo(fromX, fromY);
  const middle = (fromX + x) / 2;
  canvas.bezierCurveTo(middle, fromY - 18, middle, y - 18, x, y);
  canvas.stroke();
  canvas.beginPath();
  canvas.rect(fromX - 3.5, fromY - 3.5, 7, 7);
  canvas.fill();
}

function drawLit(canvas: Canvas, lit: LitInterval, picture: Picture, colour: string): void {
  const row = picture.rows.find(({ lane }) => lane.id === lit.lane);
  if (row === undefined) return;
  const x = Math.max(1, picture.axis.xOf(lit.from));
  const end = Math.min(picture.width - 1, picture.axis.xOf(lit.to));
  if (end < 0 || x > picture.width) return;
  canvas.strokeStyle = colour;
  canvas.lineWidth = 2.5;
  canvas.strokeRect(x, row.top + 1, Math.max(3, end - x), row.height - 2);
}

/** A moment: a line at the middle of what its event takes on the axis. */
function drawMoment(canvas: Canvas, at: number, picture: Picture, isSecond: boolean): void {
  const { axis, colours, height } = picture;
  const x = middleOf(axis, at);
  canvas.strokeStyle = isSecond ? colours.unknown : colours.accent;
  canvas.lineWidth = 2;
  canvas.setLineDash(isSecond ? [5, 4] : []);
  canvas.beginPath();
  canvas.moveTo(x, 0);
  canvas.lineTo(x, height);
  canvas.stroke();
  canvas.setLineDash([]);
}

/** Where a moment is shown, in pixels: after its event, before the next one. */
export function middleOf(axis: Axis, position: number): number {
  const [first = 0] = axis.edges;
  if (position < first) return 1;
  const begin = axis.xOf(position);
  return begin + Math.min(8, (axis.xOf(position + 1) - begin) / 2);
}
