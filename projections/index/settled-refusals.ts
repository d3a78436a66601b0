/**
 * The refusals that the events of a segment settle, in columns: a row for each. How a refusal ends is
 * told in `open-refusals.ts`.
 *
 * @module
 */
import { Column } from './columns.ts';

/**
 * `event` is counted from the first of the segment; `refusal` is a number; `as`: how it ends, or the code
 * of the refusal that it goes on as.
 */
const names = ['event', 'refusal', 'as'] as const;
export type SettledColumns = Readonly<Record<(typeof names)[number], Column>>;

/** Columns of the given cells, or growing ones. */
export function settledColumns(next: () => Column = () => new Column()): SettledColumns {
  return Object.fromEntries(names.map((name) => [name, next()])) as SettledColumns;
}

/** A copy in the narrowest columns. */
export function sealedSettled(columns: SettledColumns): SettledColumns {
  const left = Object.values(columns).values();
  return settledColumns(() => left.next().value!.sealed());
}

/** The row of a refusal; -1 if no event of the segment settles it. */
export function rowOfSettled({ refusal }: SettledColumns, number: number): number {
  return refusal.cells.subarray(0, refusal.length).indexOf(number);
}
