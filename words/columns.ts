/**
 * Aligns rows in columns. Nothing is drawn, wrapped or cut off.
 *
 * @module
 */
import { plain, type Paint, type Tone } from './tone.ts';

export type Cell = string | { readonly text: string; readonly tone: Tone };

/** Lines with columns of equal width, two blanks apart; the last column is not padded. */
export function columns(
  rows: readonly (readonly Cell[])[],
  paint: Paint = plain,
  heading?: readonly string[],
): string[] {
  const head = heading?.map((text): Cell => ({ text, tone: 'heading' }));
  const all = head === undefined ? rows : [head, ...rows];
  const widths: number[] = [];
  for (const row of all) {
    for (const [index, cell] of row.entries()) {
      widths[index] = Math.max(widths[index] ?? 0, textOf(cell).length);
    }
  }
  return all.map((row) => {
    const line = row.map((cell, index) => {
      const padding = ' '.repeat((widths[index] ?? 0) - textOf(cell).length + 2);
      const painted = typeof cell === 'string' ? cell : paint(cell.text, cell.tone);
      return index === row.length - 1 ? painted : painted + padding;
    });
    return line.join('').trimEnd();
  });
}

/** Lines indented by two blanks. */
export function indented(lines: readonly string[]): string[] {
  return lines.map((line) => `  ${line}`);
}

/** A title and its rows, indented; no line if there are no rows. */
export function titled(title: string, rows: readonly (readonly Cell[])[]): string[] {
  return rows.length === 0 ? [] : [title, ...indented(columns(rows))];
}

function textOf(cell: Cell): string {
  return typeof cell === 'string' ? cell : cell.text;
}
