/**
 * Lines of an answer, and rows that are aligned in columns. Nothing is drawn, wrapped or cut off.
 *
 * @module
 */
import { printable } from './printable.ts';
import { plain, type Paint, type Tone } from './tone.ts';

/** A piece of text. Names in it are as they were recorded: a face makes them printable. */
export type Cell = string | { readonly text: string; readonly tone: Tone };

/** A line: text, or cells side by side. */
export type Line = string | readonly Cell[];

/** Lines with columns of equal width, two blanks apart; the last cell of a line is not padded. */
export function columns(rows: readonly (readonly Cell[])[], heading?: readonly string[]): Line[] {
  const head = heading?.map((text): Cell => ({ text, tone: 'heading' }));
  const all = head === undefined ? rows : [head, ...rows];
  const widths: number[] = [];
  for (const row of all) {
    for (const [index, cell] of row.entries()) {
      widths[index] = Math.max(widths[index] ?? 0, widthOf(cell));
    }
  }
  return all.map((row) => {
    const last = row.findLastIndex((cell) => textOf(cell) !== '');
    const line = row.slice(0, last + 1).flatMap((cell, index) => {
      if (index === last) return [cell];
      return [cell, ' '.repeat((widths[index] ?? 0) - widthOf(cell) + 2)];
    });
    return line.every((cell) => typeof cell === 'string') ? line.join('') : line;
  });
}

/** Lines indented by two blanks. */
export function indented(lines: readonly Line[]): Line[] {
  return lines.map((line) => (typeof line === 'string' ? `  ${line}` : ['  ', ...line]));
}

/** A title and its rows, indented; no line if there are no rows. */
export function titled(title: string, rows: readonly (readonly Cell[])[]): Line[] {
  return rows.length === 0 ? [] : [title, ...indented(columns(rows))];
}

/** The line as a face shows it: each cell printable, then coloured. */
export function printableLine(line: Line, paint: Paint = plain): string {
  if (typeof line === 'string') return printable(line);
  return line
    .map((cell) => {
      if (typeof cell === 'string') return printable(cell);
      return paint(printable(cell.text), cell.tone);
    })
    .join('');
}

/** Lines without colour, as one text. */
export function printableText(lines: readonly Line[]): string {
  return lines.map((line) => printableLine(line)).join('\n');
}

function widthOf(cell: Cell): number {
  return printable(textOf(cell)).length;
}

function textOf(cell: Cell): string {
  return typeof cell === 'string' ? cell : cell.text;
}
