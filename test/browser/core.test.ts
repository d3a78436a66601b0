import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createContext, runInContext } from 'node:vm';
import { rolldown } from 'rolldown';
import { expect, test } from 'vitest';
import { openLedger } from '../../ledger.ts';
import { answersOf } from './core.ts';

const examples = join(import.meta.dirname, '../../examples');
const read = (name: string) => readFileSync(join(examples, name), 'utf8');

test('the core runs in a browser, and answers there as it does here', async () => {
  const bundle = await rolldown({
    input: join(import.meta.dirname, 'core.ts'),
    platform: 'browser',
    logLevel: 'silent',
  });
  const { output } = await bundle.generate({ format: 'iife', name: 'core' });
  const [{ code }] = output;
  expect(code).not.toMatch(/["'`]node:|\brequire\(/);

  // What a page has and a bare context lacks; nothing of Node's.
  const context = createContext({ TextEncoder, structuredClone });
  runInContext(code, context);
  const [scenario, topology] = [read('two-contexts.scenario'), read('host.topology.json')];
  const asked = `core.answers(${JSON.stringify(scenario)}, ${JSON.stringify(topology)}, 'linux-7.3')`;
  const answered = JSON.parse(String(runInContext(asked, context))) as unknown;

  const ledger = await openLedger(':memory:');
  await ledger.simulate(scenario, { topology: JSON.parse(topology), profile: 'linux-7.3' });
  const expected = answersOf(ledger);
  expect(expected.why.length).toBeGreaterThan(1);
  expect(answered).toEqual(JSON.parse(JSON.stringify(expected)));
});
