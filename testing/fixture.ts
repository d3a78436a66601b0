/**
 * The fixtures of vitest: each test has a ledger of its own, and fails if it does not release everything.
 *
 * @module
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test as vitestTest } from 'vitest';
import type { Ledger, When } from '../ledger.ts';
import { LEAKS } from '../words/failures.ts';
import { toReleaseEverything } from './matchers.ts';

/** Whether a test that does not release everything fails. */
export type Leaks = 'fail' | 'allow';

/**
 * The `test` of vitest with `ledger`, a new ledger in a file, and `leaks`, which
 * `test.override('leaks', 'allow')` changes. The file is kept if the test fails, and else removed.
 */
export const test = vitestTest
  .extend('leaks', (): Leaks => 'fail')
  .extend('ledger', { auto: true }, async ({ leaks, task, onTestFinished }, { onCleanup }) => {
    const folder = mkdtempSync(join(tmpdir(), 'vfio-ledger-test-'));
    const { openLedger } = await import('../ledger.ts');
    const ledger = await openLedger(join(folder, `${fileName(task.name)}.ledger`));
    // It runs after the cleanup, for each try of a test.
    onTestFinished(async () => {
      await ledger.close();
      if (task.result?.state !== 'fail') rmSync(folder, { recursive: true, force: true });
    });
    onCleanup(async () => {
      if (leaks === 'fail') await checkReleased(ledger);
    });
    return ledger;
  });

/** Throws if a file that was opened is still open, or if that is not known. */
async function checkReleased(ledger: Ledger): Promise<void> {
  await ledger.refresh();
  if (ledger.length === 0) return;
  const { pass, message } = toReleaseEverything(ledger.between(beginning(ledger), 'end'));
  if (!pass) throw new Error(`${LEAKS}\n\n${message()}`);
}

/** The first moment at which it is known who holds what, if a host was read. */
function beginning(ledger: Ledger): When {
  for (const { type, data, position } of ledger.each('snapshot.taken')) {
    if (type === 'snapshot.taken' && data.complete) return position;
  }
  return 'start';
}

/** The name of a test as that of a file. */
function fileName(name: string): string {
  const word = name.replaceAll(/[^\p{L}\p{N}]+/gu, '-').replaceAll(/^-|-$/g, '');
  return word.slice(0, 60) || 'test';
}
