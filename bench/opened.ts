/**
 * A log that the benchmark has opened: it asks for parts of answers, and so for their timeline.
 *
 * @module
 */
import { Ledger } from '../ledger.ts';
import type { RecordedEvent } from '../log/store.ts';
import { openSqliteStore } from '../log/sqlite.ts';
import type { Timeline } from '../projections/timeline.ts';
import { HOST } from './logs.ts';

export class OpenedLog extends Ledger {
  get past(): Timeline<RecordedEvent> {
    return this.timeline;
  }
}

export async function openLog(path: string): Promise<OpenedLog> {
  const store = openSqliteStore(path, { readOnly: true });
  const log = new OpenedLog(store, HOST);
  await log.refresh();
  return log;
}
