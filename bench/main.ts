/**
 * `npm run bench`: the figures that are to be reached, each beside its peer or its limit.
 *
 *     --only NAME     one figure: the name of its file
 *     --events N      logs of N/10 and of N events; 1e7 when left out. Hosts other than the whole one
 *                     have the longest only where the figure asks for it
 *     --load N        the part of a full load (so many hosts, processes, bytes); 1 when left out
 *     --quick         tells that it runs and no more
 *     --dir DIR       where temporary files are: a folder on the disk in question
 *     --keep DIR      logs are looked for there, and stay there for the next run
 *     --json          prints the measurements as JSON
 *
 * A run of everything at full length takes an hour and 12 GB of disk, and writes
 * `bench/results.md` and `bench/cost.svg`; the results before go to `bench/earlier/`. Emmett is a
 * peer where `npm install --prefix bench` has installed it.
 *
 * @module
 */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { chart } from './chart.ts';
import { costByLength } from './cost.ts';
import type { Effort, Run } from './figure.ts';
import { figures } from './figures.ts';
import { hostKinds } from './hosts.ts';
import { Logs } from './logs.ts';
import { leftOutText, page, type Section, table } from './report.ts';

/** Hosts of which figures are taken on the longest log, too. */
const TWICE = ['whole', 'boot unseen'] as const;
const FULL: Effort = { warmUp: 2, rounds: 9, longRounds: 3, questions: 2000, load: 1 };
const QUICK: Effort = { warmUp: 0, rounds: 2, longRounds: 1, questions: 10, load: 0.01 };
const LONGEST = { full: 10_000_000, quick: 10_000 };

const { values: options } = parseArgs({
  options: {
    only: { type: 'string' },
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
const isFull = only === undefined && events === undefined && load === 1 && !quick;
const longest = Number(events ?? (quick ? LONGEST.quick : LONGEST.full));
if (!Number.isInteger(longest) || longest < 1000) fail(`--events ${events}: a thousand at least`);
const names = figures.map(({ name }) => name);
if (only !== undefined && !names.includes(only)) {
  fail(`--only ${only}: the figures are ${names.join(', ')}`);
}

const temporary = mkdtempSync(join(options.dir, 'vfio-ledger-bench-'));
try {
  await run();
} finally {
  rmSync(temporary, { recursive: true, force: true });
}

async function run(): Promise<void> {
  const sections: Section[] = [];
  const leftOut = new Set<string>();
  const common: Omit<Run, 'folder'> = {
    effort: { ...effort, load },
    lengths: [longest / 10, longest],
    logs: new Logs(folderNamed('logs', keep)),
    leaveOut: (peer) => leftOut.add(peer),
    progress: (what) => quick || process.stderr.write(`${elapsedText()} ${what}\n`),
  };
  if (isFull) {
    common.progress('logs');
    const [shorter, longer] = common.lengths;
    await common.logs.prepare([
      ...hostKinds.map((host) => ({ host, events: shorter })),
      ...TWICE.map((host) => ({ host, events: longer })),
    ]);
  }
  for (const { name, title, figure } of figures) {
    if (only !== undefined && only !== name) continue;
    common.progress(name);
    const folder = folderNamed(name);
    sections.push({ title, measurements: await figure({ ...common, folder }) });
    rmSync(folder, { recursive: true });
  }
  const measurements = sections.flatMap((section) => section.measurements);
  const lines = options.json ? [JSON.stringify(measurements, null, 2)] : table(measurements);
  process.stdout.write(`${lines.join('\n')}\n`);
  if (leftOut.size > 0) process.stderr.write(`${leftOutText([...leftOut])}\n`);
  if (!isFull) return;
  const cost = await costByLength({ ...common, folder: folderNamed('cost') });
  const day = new Date().toISOString().slice(0, 10);
  keepEarlier();
  write('results.md', page(sections, { leftOut: [...leftOut], day }));
  write('cost.svg', chart(cost));
}

/** A folder for temporary files, unless it is told where. */
function folderNamed(name: string, folder = join(temporary, name)): string {
  mkdirSync(folder, { recursive: true });
  return folder;
}

/** The figures of the run before stay, under the day of that. */
function keepEarlier(): void {
  const results = new URL('results.md', import.meta.url);
  if (!existsSync(results)) return;
  const text = readFileSync(results, 'utf8');
  const [, day = 'undated'] = /^- (\d{4}-\d\d-\d\d)$/m.exec(text) ?? [];
  mkdirSync(new URL('earlier/', import.meta.url), { recursive: true });
  // The chart is that of the latest run alone.
  write(`earlier/${day}.md`, text.replace(/\n!\[.*\n/, ''));
}

function write(name: string, text: string): void {
  writeFileSync(new URL(name, import.meta.url), text);
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
