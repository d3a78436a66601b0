/**
 * Comma-separated values by RFC 4180, for spreadsheets and scripts.
 *
 * @module
 */

/** A cell: a text, a number, or nothing. */
export type CsvCell = string | number | boolean | null | undefined;

/** A heading, and rows with a cell for each of its names. */
export interface CsvTable {
  readonly heading: readonly string[];
  readonly rows: Iterable<readonly CsvCell[]>;
}

interface CsvOptions {
  /** Texts are written as they are, also those that a spreadsheet takes for a formula. */
  readonly isRaw?: boolean;
}

/** The records of a table, its heading first, each without the line break that ends it. */
export function* csvRecords(
  { heading, rows }: CsvTable,
  { isRaw = false }: CsvOptions = {},
): Generator<string, void, void> {
  yield heading.join(',');
  for (const row of rows) {
    yield row.map((cell) => quoted(isRaw ? cell : guarded(cell))).join(',');
  }
}

/** Records with their line breaks, as they stand in a file. */
export function* ended(records: Iterable<string>): Generator<string, void, void> {
  for (const record of records) yield `${record}\r\n`;
}

/**
 * A text that a spreadsheet would take for a formula, with an apostrophe before it. Names in a log are
 * chosen by others: a process may be called `=HYPERLINK(…)`.
 */
function guarded(cell: CsvCell): CsvCell {
  return typeof cell === 'string' && /^[=+\-@\t\r]/.test(cell) ? `'${cell}` : cell;
}

function quoted(cell: CsvCell): string {
  // Half of a surrogate pair cannot be written as UTF-8.
  const text = String(cell ?? '').toWellFormed();
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
