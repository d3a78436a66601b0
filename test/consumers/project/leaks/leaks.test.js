import { readFileSync } from 'node:fs';
import { expect } from 'vitest';
import { test } from 'vfio-ledger/vitest';

const topology = readFileSync(
  new URL('../node_modules/vfio-ledger/examples/host.topology.json', import.meta.url),
  'utf8',
);
const opens = 'open_iommufd I\nopen_cdev A gpu\nbind A I\n@P2 open_group G gpu\n';
const closes = 'close A\nclose I\n';

test('releases what it opens', async ({ ledger }) => {
  await ledger.simulate(opens + closes, { topology });
  expect(ledger).toHaveRefused({ cause: 'cdev-bound-in-group' });
});

test('does not use its ledger', () => {});

test('leaks a device', async ({ ledger }) => {
  await ledger.simulate(opens, { topology });
});

for (const number of [1, 2, 3]) {
  test.concurrent(`leaks beside others ${number}`, async ({ ledger }) => {
    await ledger.simulate(number === 2 ? opens + closes : opens, { topology });
  });
}

test('fails and leaks', async ({ ledger }) => {
  await ledger.simulate(opens, { topology });
  throw new Error('the body has failed');
});

test('fails and releases', async ({ ledger }) => {
  await ledger.simulate(opens + closes, { topology });
  throw new Error('the body has failed');
});

let tries = 0;
test('leaks at the first try', { retry: 2 }, async ({ ledger }) => {
  tries += 1;
  expect(ledger.length).toBe(0);
  await ledger.simulate(tries === 1 ? opens : opens + closes, { topology });
});

test('leaks at every try', { retry: 2 }, async ({ ledger }) => {
  await ledger.simulate(opens, { topology });
});
