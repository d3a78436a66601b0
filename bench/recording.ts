/**
 * A log of what a kernel answered, written again and again, from boot to boot.
 *
 * @module
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { readEvidence } from '../ledger.ts';
import { openSqliteStore } from '../log/sqlite.ts';
import type { Run } from './figure.ts';
import { HOST } from './logs.ts';

const RECORDING = new URL('../test/truth/linux-7.3/flows.jsonl.gz', import.meta.url);

/** Writes a log of so many events and returns its path. */
export async function repeatedRecording({ folder }: Run, events: number): Promise<string> {
  const path = join(folder, `recorded-${events}.ledger`);
  const chunks = [gunzipSync(readFileSync(RECORDING)).toString()];
  const recorded = await (await readEvidence([{ name: 'flows', chunks }])).events.all();
  const store = openSqliteStore(path);
  let { position } = await store.head(HOST);
  while (position + 1 < events) {
    const next = recorded.slice(0, events - position - 1);
    const batch = next.map((event, index) => ({ ...event, id: `e${position + 1 + index}` }));
    ({ position } = (await store.append(HOST, position, batch)).head);
  }
  await store.close();
  return path;
}
