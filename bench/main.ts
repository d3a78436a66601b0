/**
 * `npm run bench`: the figures that are to be reached, each as a ratio to its peer.
 *
 * `--quick` tells that it runs and no more; `--dir` is a folder on the disk in question.
 *
 * @module
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { columns } from '../cli/columns.ts';
import { concurrentAppends } from './concurrent-appends.ts';
import { type Figure, type Measurement, measure, type Spread } from './figure.ts';
import { simulatedOperations } from './simulated-operations.ts';
import { singleAppends } from './single-appends.ts';

const figures: readonly Figure[] = [simulatedOperations, singleAppends, concurrentAppends];

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    dir: { type: 'string', default: tmpdir() },
  },
});
const effort = options.quick ? { warmUp: 0, rounds: 2 } : { warmUp: 2, rounds: 9 };

const measurements: Measurement[] = [];
for (const figure of figures) {
  const folder = mkdtempSync(join(options.dir, 'vfio-ledger-bench-'));
  try {
    measurements.push(await measure(figure, folder, effort));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
const lines = options.json ? [JSON.stringify(measurements, null, 2)] : table(measurements);
process.stdout.write(`${lines.join('\n')}\n`);

function table(rows: readonly Measurement[]): string[] {
  const heading = ['figure', 'ours/s', 'beside', 'peer/s', 'ratio', 'target', ''];
  const cells = rows.map(({ figure, ours, beside, peer, ratio, target, reached }) => {
    const verdict = reached ? 'reached' : 'missed';
    return [figure, text(ours), beside, text(peer), ratio.toFixed(2), `>= ${target}`, verdict];
  });
  return columns(cells, (plain) => plain, heading);
}

function text({ median, min, max }: Spread): string {
  return `${Math.round(median)} (${Math.round(min)}..${Math.round(max)})`;
}
