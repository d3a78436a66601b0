import { test, expect as unchanged } from '@playwright/test';
import { expect } from 'vfio-ledger/playwright';
import { openLedger } from 'vfio-ledger';
import { cases, failureOf, incident, textOf } from '../cases.js';
import { usesEveryMatcher } from '../uses.js';

const examples = new URL('../node_modules/vfio-ledger/examples/', import.meta.url);

test('every matcher, in every form', async () => {
  await usesEveryMatcher(expect, openLedger, await incident(openLedger, examples));
});

for (const one of cases) {
  test(`the whole text: ${one.name}`, async () => {
    const ledger = await incident(openLedger, examples);
    const { matcher, of, given, not = false } = one;
    const subject = of(ledger);
    const assertion = not ? expect(subject).not : expect(subject);
    unchanged(failureOf(() => assertion[matcher](...given))).toBe(textOf(one));
  });
}

test("the exported expect is another one than Playwright's", () => {
  unchanged(expect).not.toBe(unchanged);
});
