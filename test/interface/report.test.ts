/**
 * The interface is as it was read last. `UPDATE_INTERFACE=1 npm test -- test/interface` writes the
 * report anew; what it changes is there to be read.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { interfaceReport } from './report.ts';

test('types, verbs, keys and errors are those of the report', async () => {
  for (const [name, text] of await interfaceReport()) {
    const file = join(import.meta.dirname, name);
    if (process.env['UPDATE_INTERFACE'] !== undefined) writeFileSync(file, text);
    expect(text, name).toBe(readFileSync(file, 'utf8'));
  }
});
