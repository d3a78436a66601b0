import { readFileSync } from 'node:fs';
import { test } from 'vfio-ledger/vitest';

const topology = readFileSync(
  new URL('../node_modules/vfio-ledger/examples/host.topology.json', import.meta.url),
  'utf8',
);

test.override('leaks', 'allow');

test('may leak', async ({ ledger }) => {
  await ledger.simulate('open_cdev A gpu\n', { topology });
});
