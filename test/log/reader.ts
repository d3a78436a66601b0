/**
 * A program that reads a log again and again until its standard input ends:
 *
 *     node reader.ts LOG BUSY_TIMEOUT_MS
 *
 * One store is open all the time and others come and go. A line is the number of operations found;
 * a failure, or an operation that is only half there, ends it.
 *
 * @module
 */
import { writeSync } from 'node:fs';
import { openSqliteStore } from '../../log/sqlite.ts';
import type { Store } from '../../log/store.ts';
import { operationsIn, STREAM } from './operations.ts';

const [log = '', timeout = ''] = process.argv.slice(2);
const options = { readOnly: true, busyTimeoutMs: Number(timeout) };

let ended = false;
process.stdin.on('end', () => (ended = true)).resume();

async function look(store: Store, least: number): Promise<number> {
  const before = await store.head(STREAM);
  const found = await operationsIn(store);
  const read = found.at(-1)?.position ?? -1;
  const after = await store.head(STREAM);
  if (read < before.position || after.position < read || found.length < least) {
    throw new Error(`found ${read} between ${before.position} and ${after.position}`);
  }
  return found.length;
}

const lasting = openSqliteStore(log, options);
let seen = 0;
while (!ended) {
  seen = await look(lasting, seen);
  const passing = openSqliteStore(log, options);
  seen = await look(passing, seen);
  await passing.close();
  writeSync(1, `${seen}\n`);
  await new Promise((resolve) => setTimeout(resolve, 5));
}
await lasting.close();
