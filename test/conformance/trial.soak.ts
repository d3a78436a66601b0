import { expect, test } from 'vitest';
import { plan } from '../../conformance/sequences/plan.ts';
import { trial } from '../../conformance/trial.ts';
import { openLedger } from '../../ledger.ts';
import { pretended } from './guest.ts';

test('one of other rules is found out, each disagreement short and a log', async () => {
  const guest = pretended('linux-6.12');
  const sequences = plan(guest.topology, 'linux-7.3', { operations: 5000, seed: 3 });
  const { disagreements, shrunk } = await trial(
    sequences,
    () => [],
    guest,
    'linux-7.3',
    () => {},
  );
  expect(disagreements).toBeGreaterThan(0);
  for (const { disagreement, answers } of shrunk) {
    const { sequence, index, kernel, ours } = disagreement;
    expect(sequence.operations.length).toBeLessThanOrEqual(8);
    expect(index).toBe(sequence.operations.length - 1);
    expect(kernel).not.toBe(ours);
    const ledger = await openLedger(':memory:');
    const text = [guest.topologyLine, ...answers.map(({ line }) => line)].join('\n');
    await ledger.import(text, { format: 'truth', profile: 'linux-7.3' });
    expect(ledger.verify().faults).toMatchObject([{ kind: 'rules' }]);
  }
  const about = shrunk.map(({ disagreement: { sequence, kernel, ours } }) => {
    return `${sequence.operations.at(-1)?.operation}: ${kernel}, ${ours}`;
  });
  // 7.3 reads what lies behind the structure of BIND, to the end of the memory.
  expect(about).toContainEqual(expect.stringMatching(/^bind: E[A-Z]+, E2BIG$/));
});
