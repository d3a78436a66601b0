/** A fault that no longer applies proves nothing: that is told before the long proof (`prove.ts`). */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { faults, patchOf } from './prove.ts';

const root = join(import.meta.dirname, '../..');

test('there are ten faults', () => {
  expect(faults).toHaveLength(10);
});

test.each(faults)('the fault %s can be put into the code', (fault) => {
  execFileSync('git', ['apply', '--check', patchOf(fault)], { cwd: root, stdio: 'pipe' });
});
