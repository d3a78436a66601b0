/**
 * `vfio-ledger/vitest`: registers the matchers with the `expect` of vitest. Exports a `test` with
 * fixtures, and a serializer for snapshots.
 *
 * @module
 */
import { expect } from 'vitest';
import type { LedgerMatchers } from './matcher-types.ts';
import * as matchers from './matchers.ts';

declare module 'vitest' {
  interface Matchers<
    R extends void | Promise<void> = void | Promise<void>,
    T = unknown,
  > extends LedgerMatchers<R, T> {}
}

expect.extend({ ...matchers });

export { test, type Leaks } from './fixture.ts';
export { serializer, type SnapshotSerializer } from './serializer.ts';
