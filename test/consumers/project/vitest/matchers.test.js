import { expect, test } from 'vitest';
import { serializer } from 'vfio-ledger/vitest';
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

test('a negated poll of an unknown owner ends in a rejection', async () => {
  const lost = await incident(
    openLedger,
    new URL('../node_modules/vfio-ledger/examples/', import.meta.url),
  );
  await lost.noticeGap('the recorder has stopped');
  const poll = expect.poll(() => lost.at('end').group('1'), { timeout: 200, interval: 20 });
  await expect(poll.not.toBeUnowned()).rejects.toThrow('not known: its owner is unknown');
});

test('snapshots are stable', () => {
  expect.addSnapshotSerializer(serializer);
  expect(ledger.diff(20, 'end')).toMatchInlineSnapshot(`
    position 24  group 1  nobody -> iommufd f22 (P1)
    position 30  group 1  iommufd f22 (P1) -> nobody
    position 31  group 1  nobody -> iommufd f27 (P2)
  `);
});
