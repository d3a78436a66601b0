import { readdirSync } from 'node:fs';
import { expect, test, vi } from 'vitest';
import { Spool } from '../../evidence/spool.ts';
import type { LedgerEvent } from '../../events/vocabulary.ts';
import { temporaryFolder } from '../log/folder.ts';

const place = temporaryFolder();
const event = (index: number, comm: string): LedgerEvent => ({
  id: `e${index}`,
  time: null,
  type: 'process.started',
  data: { pid: index, comm, cgroup: null },
});

test('long events wait in a file, however few they are, and come back as they were', async () => {
  vi.stubEnv('TMPDIR', place);
  const spool = new Spool();
  // What JSON does not escape, and what ends a line elsewhere.
  const names = ['\u2028', '\u2029', '\u0085', '\r', '\n', '\0', '\\', '"', 'é', '\ud800'];
  const events = Array.from({ length: 40 }, (_, index) =>
    event(index, `${names[index % names.length]}${'x'.repeat(1_000_000)}`),
  );
  for (const one of events) await spool.add(one, false);
  expect(readdirSync(place)).toHaveLength(1);
  const sizes: number[] = [];
  const read: LedgerEvent[] = [];
  for await (const batch of spool.batches()) {
    sizes.push(batch.length);
    read.push(...batch);
  }
  expect(read).toEqual(events);
  expect(Math.max(...sizes)).toBeLessThan(20);
  expect(readdirSync(place)).toEqual([]);
});
