import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../log/folder.ts';
import { inCampaigns } from '../support/effort.ts';
import { bench } from './bench.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const dir = temporaryFolder();
const kept = temporaryFolder();

test.each(inCampaigns)(
  'one figure is one JSON value, and finds the logs that were kept, %s',
  () => {
    const spread = { median: expect.any(Number), min: expect.any(Number), max: expect.any(Number) };
    const beside = { target: 1, ours: spread, peer: spread, ratio: expect.any(Number) };
    const args = ['--json', '--only', 'memory', '--events', '1e3', '--keep', kept];
    const [building, ...others] = JSON.parse(bench(dir, ...args)) as unknown[];
    expect([building, ...others]).toMatchObject(
      [
        ...Array(3).fill({ host: 'whole', events: 100 }),
        ...Array(3).fill({ host: 'whole', events: 1000 }),
        ...Array(3).fill({ host: 'boot unseen', events: 100 }),
        ...Array(3).fill({ host: 'short boots', events: 100 }),
      ].map((log) => ({ ...beside, ...log, unit: 'MB' })),
    );
    // What its first opening took is of the run that has written the log.
    expect((JSON.parse(bench(dir, ...args)) as unknown[])[0]).toEqual(building);
  },
);

test.each(inCampaigns)('a start is measured beside one of Node, both ways, %s', () => {
  const [fromPackage, fromCheckout] = JSON.parse(bench(dir, '--json', '--only', 'start')) as {
    readonly figure: string;
    readonly ratio: number;
  }[];
  expect(fromPackage?.figure).toContain('from the package');
  expect(fromCheckout?.figure).toContain('from the checkout');
  expect(fromPackage?.ratio).toBeGreaterThan(1);
  expect(fromCheckout?.ratio).toBeGreaterThan(fromPackage?.ratio ?? Infinity);
});

test('what cannot be measured is said', () => {
  const words = ['bench/main.ts', '--only', 'nothing'];
  const { status, stderr } = spawnSync(process.execPath, words, { cwd: root, encoding: 'utf8' });
  expect(status).toBe(2);
  expect(stderr).toMatch(/^bench: --only nothing: the figures are point-questions, /);
});
