/**
 * `vfio-ledger/jest-globals`: registers the matchers with the `expect` of `@jest/globals`.
 *
 * @module
 */
import { expect } from '@jest/globals';
import type { LedgerAsymmetricMatchers, LedgerMatchers } from './matcher-types.ts';
import * as matchers from './matchers.ts';

declare module 'expect' {
  interface Matchers<R extends void | Promise<void>, T = unknown> extends LedgerMatchers<R, T> {}
  interface AsymmetricMatchers extends LedgerAsymmetricMatchers {}
}

expect.extend({ ...matchers });

export { serializer, type SnapshotSerializer } from './serializer.ts';
