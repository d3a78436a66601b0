import { expect, test } from 'vitest';
import { plan } from '../../conformance/sequences/plan.ts';
import { trial } from '../../conformance/trial.ts';
import { pretended } from './guest.ts';

const silent = (): void => {};
const none = () => [];

test('a kernel that answers as the machines do disagrees about nothing', async () => {
  const guest = pretended('linux-6.1');
  const sequences = plan(guest.topology, 'linux-6.1', { operations: 300, seed: 3 });
  const outcome = await trial(sequences, none, guest, 'linux-6.1', silent);
  expect(outcome).toMatchObject({ operations: 300, disagreements: 0, shrunk: [] });
});
