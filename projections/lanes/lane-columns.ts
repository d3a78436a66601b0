/**
 * Columns of a picture: runs of positions. What is smaller than a column is drawn merged.
 *
 * @module
 */

/** The column of a position: a number that never descends. Is asked about ascending positions. */
export type ColumnOf = (position: number) => number;

/** A column for each position: nothing is merged. */
export const eachPosition: ColumnOf = (position) => position;

/** So many columns of the same width, from `from` up to but without `end`. */
export function evenColumns(from: number, end: number, count: number): ColumnOf {
  const width = (end - from) / count;
  return (position) => Math.floor((position - from) / width);
}

/** The columns between ascending edges: each begins at an edge, and ends before the next one. */
export function columnsBetween(edges: readonly number[]): ColumnOf {
  let column = 0;
  return (position) => {
    if (position < edges[column]!) column = 0;
    while (column + 1 < edges.length && edges[column + 1]! <= position) column++;
    return column;
  };
}
