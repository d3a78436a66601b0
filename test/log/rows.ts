/**
 * Rows to append to an engine, and the rows that it has.
 *
 * @module
 */
import type { LedgerEvent } from '../../events/vocabulary.ts';
import type { Engine } from '../../log/engine.ts';
import { entryOf, headOfRow, type Row, rowsAfter } from '../../log/row.ts';
import type { Head } from '../../log/store.ts';
import { closedMany } from './sample.ts';

/** Events as rows that follow a head. */
export function chained(head: Head, events: readonly LedgerEvent[]): Row[] {
  return rowsAfter(head, events.map(entryOf));
}

/** Appends `count` events, whose ids go on from their positions, at the head. Returns the new head. */
export async function appendMany(engine: Engine, stream: string, count: number): Promise<Head> {
  const head = await engine.head(stream);
  const rows = chained(head, closedMany(count, head.position + 1));
  await engine.append(stream, head, rows);
  return headOfRow(rows.at(-1)!);
}

/** All rows of a stream from a position on. */
export async function rowsIn(engine: Engine, stream: string, from = 0): Promise<Row[]> {
  const rows: Row[] = [];
  for await (const batch of engine.read(stream, from)) rows.push(...batch);
  return rows;
}
