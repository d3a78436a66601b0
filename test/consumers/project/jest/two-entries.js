import { test } from '@jest/globals';
import { expect as jestExpect } from '@jest/globals';
import { expect as playwrightExpect } from 'vfio-ledger/playwright';
import 'vfio-ledger/jest-globals';
import { openLedger } from 'vfio-ledger';
import { incident } from '../cases.js';
import { usesEveryMatcher } from '../uses.js';

const ledger = await incident(
  openLedger,
  new URL('../node_modules/vfio-ledger/examples/', import.meta.url),
);

test.each([
  ['of Jest', jestExpect],
  ['of Playwright', playwrightExpect],
])('every matcher, in every form: expect %s', async (_name, expect) => {
  await usesEveryMatcher(expect, openLedger, ledger);
});
