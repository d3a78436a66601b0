import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { serializer } from 'vfio-ledger/jest-globals';
import { openLedger } from 'vfio-ledger';
import { cases, failureOf, incident, textOf } from '../cases.js';
import { usesEveryMatcher } from '../uses.js';

const ledger = await incident(
  openLedger,
  new URL('../node_modules/vfio-ledger/examples/', import.meta.url),
);

test('every matcher, in every form', async () => {
  await usesEveryMatcher(expect, openLedger, ledger);
});

test.each(cases)('the whole text: $name', (one) => {
  const { matcher, of, given, not = false } = one;
  const subject = of(ledger);
  const assertion = not ? expect(subject).not : expect(subject);
  expect(failureOf(() => assertion[matcher](...given))).toBe(textOf(one));
});

test('snapshots are stable', () => {
  expect.addSnapshotSerializer(serializer);
  expect(ledger.diff(24, 'end')).toMatchSnapshot();
  const snapshot = readFileSync(
    new URL('__snapshots__/matchers.test.js.snap', import.meta.url),
    'utf8',
  );
  expect(snapshot).toContain('position 31  group 1  nobody -> iommufd f27 (P2)');
});
