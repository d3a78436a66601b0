/**
 * `npm run bench`: the figures that are to be reached, each beside its peer or its limit.
 *
 *     --only NAME     one figure: the name of its file; several times for several
 *     --events N      logs of N/10 and of N events; 1e7 when left out. Hosts other than the whole one
 *                     have the longest only where the figure asks for it
 *     --load N        the part of a full load (so many hosts, processes, bytes); 1 when left out
 *     --quick         tells that it runs and no more
 *     --dir DIR       where temporary files are: a folder on the disk in question
 *     --keep DIR      logs are looked for there, and stay there for the next run
 *     --json          prints the measurements as JSON
 *
 * At full length and load, each figure replaces its part of `bench/results.json` and `bench/results.md`
 * as soon as it is taken, and the last, `cost`, draws `bench/cost.svg`. All of them take more than an
 * hour and 12 GB of disk. Emmett is a peer where `npm install --prefix bench` has installed it.
 *
 * @module
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { chart } from './chart.ts';
import { costByLength } from './cost.ts';
import type { Effort, Run } from './figure.ts';
import { figures } from './figures.ts';
import { hostKinds } from './hosts.ts';
import { keepResult, machineText } from './kept-results.ts';
import { Logs } from './logs.ts';
import type { Measurement } from './measurement.ts';
import { leftOutText, table } from './report.ts';

/** Hosts of which figures are taken on the longest log, too. */
const TWICE = ['whole', 'boot unseen'] as const;
const FULL: Effort = { warmUp: 2, rounds: 9, longRounds: 3, questions: 2000, load: 1 };
const QUICK: Effort = { warmUp: 0, rounds: 2, longRounds: 1, questions: 10, load: 0.01 };
/** The chart: no figure, as it is beside nothing. */
const COST = 'cost';
const LONGEST = { full: 10_000_000, quick: 10_000 };

const { values: options } = parseArgs({
  options: {
    only: { type: 'string', multiple: true, default: [] },
    events: { type: 'string' },
    load: { type: 'string' },
    quick: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    dir: { type: 'string', default: tmpdir() },
    keep: { type: 'string' },
  },
});

const { only, events, quick, keep } = options;
const effort = quick ? QUICK : FULL;
const load = Number(options.load ?? effort.load);
if (!(load > 0 && load <= 1)) fail(`--load ${options.load}: more than 0, and 1 at most`);
const isFull = events === undefined && load === 1 && !quick;
const longest = Number(events ?? (quick ? LONGEST.quick : LONGEST.full));
if (!Number.isInteger(longest) || longest < 1000) fail(`--events ${events}: a thousand at least`);
const names = figures.map(({ name }) => name);
for (const name of only) {
  if (name === COST || names.includes(name)) continue;
  fail(`--only ${name}: the figures are ${[...names, COST].join(', ')}`);
}
const isWanted = (name: string) => only.length === 0 || only.includes(name);

const temporary = mkdtempSync(join(options.dir, 'vfio-ledger-bench-'));
try {
  await run();
} finally {
  rmSync(temporary, { recursive: true, force: true });
}

async function run(): Promise<void> {
  const measurements: Measurement[] = [];
  let leftOut: string[] = [];
  const common: Omit<Run, 'folder'> = {
    effort: { ...effort, load },
    lengths: [longest / 10, longest],
    logs: new Logs(folderNamed('logs', keep)),
    leaveOut: (peer) => leftOut.push(peer),
    progress: (what) => quick || process.stderr.write(`${elapsedText()} ${what}\n`),
  };
  if (isFull && only.length === 0) {
    common.progress('logs');
    const [shorter, longer] = common.lengths;
    await common.logs.prepare([
      ...hostKinds.map((host) => ({ host, events: shorter })),
      ...TWICE.map((host) => ({ host, events: longer })),
    ]);
  }
  for (const { name, title, figure } of figures) {
    if (!isWanted(name)) continue;
    common.progress(name);
    const folder = folderNamed(name);
    leftOut = [];
    const taken = await figure({ ...common, folder });
    rmSync(folder, { recursive: true });
    measurements.push(...taken);
    if (leftOut.length > 0) process.stderr.write(`${leftOutText(leftOut)}\n`);
    if (!isFull) continue;
    const day = new Date().toISOString().slice(0, 10);
    const machine = machineText();
    keepResult(import.meta.dirname, names, {
      name,
      title,
      day,
      machine,
      leftOut,
      measurements: taken,
    });
  }
  const lines = options.json ? [JSON.stringify(measurements, null, 2)] : table(measurements);
  process.stdout.write(`${lines.join('\n')}\n`);
  if (!isFull || !isWanted(COST)) return;
  const cost = await costByLength({ ...common, folder: folderNamed(COST) });
  writeFileSync(new URL('cost.svg', import.meta.url), chart(cost));
}

/** A folder for temporary files, unless it is told where. */
function folderNamed(name: string, folder = join(temporary, name)): string {
  mkdirSync(folder, { recursive: true });
  return folder;
}

/** Since the run began, as minutes and seconds. */
function elapsedText(): string {
  const seconds = Math.floor(performance.now() / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}

function fail(reason: string): never {
  process.stderr.write(`bench: ${reason}\n`);
  process.exit(2);
}
