/**
 * `vfio-ledger/playwright`: the `expect` of Playwright's runner with the matchers. Playwright's own
 * `expect` is not changed: import this one in its place.
 *
 * @module
 */
import { expect as playwrightExpect, type Expect } from '@playwright/test';
import * as matchers from './matchers.ts';

type Matchers = { readonly [K in keyof typeof matchers]: (typeof matchers)[K] };

export const expect: Expect<Matchers> = playwrightExpect.extend<Matchers>({ ...matchers });
