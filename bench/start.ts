/**
 * A start of the command line, `table` on a small log, beside a start of Node that does nothing.
 *
 * It is the CPU time of the process and its threads: the time on the clock depends on what else the
 * machine does.
 *
 * @module
 */
import { spawnSync } from 'node:child_process';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { rolldown } from 'rolldown';
import { openLedger } from '../ledger.ts';
import config from '../build/rolldown.config.ts';
import type { Figure } from './figure.ts';
import { measurement } from './measurement.ts';

const root = join(import.meta.dirname, '..');

/** Of the CPU time of a bare Node. */
const TARGET = 2.8;

/** Evaluated before the program: when that ends, its CPU time in µs is told on standard error. */
const clock = `data:text/javascript,process.on('exit', () => {
  const { user, system } = process.cpuUsage();
  process.stderr.write(String(user + system));
})`;

export const start: Figure = async ({ folder, effort }) => {
  const log = await smallLog(folder);
  const nothing = join(folder, 'nothing.js');
  writeFileSync(nothing, '');
  const table = (place: string) => [join(place, 'bin/vfio-ledger.js'), 'table', '--log', log];
  const programs = {
    node: [nothing],
    checkout: table(root),
    package: table(await packageIn(folder)),
  };
  const spent: Record<keyof typeof programs, number[]> = { node: [], checkout: [], package: [] };
  // What the first run compiles, the others find in Node's cache.
  for (const program of Object.values(programs)) cpuMs(program);
  for (let round = 0; round < effort.rounds; round++) {
    for (const name of Object.keys(spent) as (keyof typeof spent)[]) {
      spent[name].push(cpuMs(programs[name]));
    }
  }
  const beside = { name: 'a bare Node', peer: spent.node };
  return (['package', 'checkout'] as const).map((name) =>
    measurement({
      figure: `start of table on a small log, from the ${name}, CPU time`,
      unit: 'ms',
      ours: spent[name],
      beside,
      ...(name === 'package' && { target: TARGET }),
    }),
  );
};

async function smallLog(folder: string): Promise<string> {
  const path = join(folder, 'small.ledger');
  const example = (name: string) => readFileSync(join(root, 'examples', name), 'utf8');
  const { topology } = JSON.parse(example('host.topology.json')) as { readonly topology: unknown };
  await using ledger = await openLedger(path);
  await ledger.simulate(example('two-contexts.scenario'), { topology });
  return path;
}

/** The files of the package that a start reads; gives their folder. */
export async function packageIn(folder: string): Promise<string> {
  const { output } = config;
  if (output === undefined || Array.isArray(output)) throw new Error('the package is one bundle');
  const bundle = await rolldown(config);
  await bundle.write({ ...output, dir: join(folder, 'dist') });
  cpSync(join(root, 'bin'), join(folder, 'bin'), { recursive: true });
  cpSync(join(root, 'package.json'), join(folder, 'package.json'));
  return folder;
}

/** The CPU time of a program of Node, in ms. */
export function cpuMs(program: readonly string[]): number {
  const args = ['--import', clock, ...program];
  const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${program.join(' ')} failed: ${stderr}`);
  return Number(stderr) / 1000;
}
