import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as matchers from 'vfio-ledger/matchers';
import { toBeOwnedBy, toBeUnowned } from 'vfio-ledger/matchers';
import { openLedger } from 'vfio-ledger';
import { cases, incident, stable, textOf } from '../cases.js';

const ledger = await incident(
  openLedger,
  new URL('../node_modules/vfio-ledger/examples/', import.meta.url),
);

/** Fails with the message of a matcher. */
function check({ pass, message }) {
  assert.ok(pass, pass ? undefined : message());
}

test('a matcher answers with pass and message', () => {
  check(toBeOwnedBy(ledger.at(29).device('0000:00:02.0'), { pid: 101 }));
  assert.throws(() => check(toBeUnowned(ledger.at(29).group('1'))), /Expected: owned by nobody/);
});

for (const one of cases) {
  test(`the whole text: ${one.name}`, () => {
    const { matcher, of, given, not = false } = one;
    const { pass, message } = matchers[matcher].call({ isNot: not }, of(ledger), ...given);
    assert.equal(pass, not);
    assert.equal(`${stable(message())}\n`, textOf(one));
  });
}

test('what is not known fails in both forms, and there is nothing but matchers', async () => {
  await ledger.noticeGap('the recorder has stopped');
  const group = ledger.at('end').group('1');
  assert.equal(toBeUnowned(group).pass, false);
  assert.equal(toBeUnowned.call({ isNot: true }, group).pass, true);
  assert.deepEqual(Object.keys(matchers).toSorted(), [
    'toBeHeldBy',
    'toBeOwnedBy',
    'toBeUnowned',
    'toConformTo',
    'toHaveRefused',
    'toHaveUnknownOwner',
    'toReleaseEverything',
    'toSatisfyInvariant',
  ]);
});
