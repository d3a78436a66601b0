/** Each fault that is put in on purpose is told with log, verb and position: see `prove.ts`. */
import { expect, test } from 'vitest';
import { faults, prove } from './prove.ts';

test.each(faults)('the goldens find %s', async (fault) => {
  const { shownBy, said } = await prove(fault);
  process.stdout.write(`campaign faults: ${fault}: ${shownBy}\n`);
  expect(shownBy, said).not.toBeNull();
});
