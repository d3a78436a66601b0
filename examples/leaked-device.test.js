/**
 * A test that leaks a device fails by its own name, and not the next test that needs the device.
 *
 * The guest's helper process inherits the descriptors and keeps them: the test closes its own, and the
 * device stays open. Run it with vitest 5: `npx vitest run leaked-device.test.js`. It fails, as it should.
 */
import { readFileSync } from 'node:fs';
import { expect } from 'vitest';
import { test } from 'vfio-ledger/vitest';

const topology = readFileSync(new URL('host.topology.json', import.meta.url), 'utf8');

test('gives the device to a guest', async ({ ledger }) => {
  await ledger.simulate(
    `open_iommufd I
     open_cdev A gpu
     bind A I
     fork P2
     close A
     close I`,
    { topology },
  );
  expect(ledger).not.toHaveRefused({ operation: 'bind' });
});

test('takes the device back', async ({ ledger }) => {
  await ledger.simulate(
    `open_iommufd I
     open_cdev A gpu
     bind A I
     close A
     close I`,
    { topology },
  );
  expect(ledger.at('end').device('gpu')).toBeUnowned();
});
