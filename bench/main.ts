/**
 * `npm run bench`: the figures that are to be reached, each beside its peer or its limit.
 *
 *     --only NAME     one figure: the name of its file
 *     --events N      logs of N/10 and of N events; 1e7 when left out
 *     --quick         tells that it runs and no more
 *     --dir DIR       where temporary files are: a folder on the disk in question
 *     --keep DIR      logs are looked for there, and stay there for the next run
 *     --json          prints the measurements as JSON
 *
 * A run of everything at full length takes half an hour and 10 GB of disk, and writes
 * `bench/results.md` and `bench/cost.svg`; the results before go to `bench/earlier/`. Emmett is a peer where `npm install --prefix bench` has
 * installed it.
 *
 * @module
 */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { chart } from './chart.ts';
import { coldOpen } from './cold-open.ts';
import { concurrentAppends } from './concurrent-appends.ts';
import { contest } from './contest.ts';
import { costByLength } from './cost.ts';
import type { Effort, Figure, Run } from './figure.ts';
import { firstJudging } from './first-judging.ts';
import { indexBuilding } from './index-building.ts';
import { Logs } from './logs.ts';
import type { Measurement } from './measurement.ts';
import { memory } from './memory.ts';
import { ownerAtAMoment } from './owner-at-a-moment.ts';
import { pointQuestions } from './point-questions.ts';
import { replay } from './replay.ts';
import { leftOutText, page, table } from './report.ts';
import { simulatedOperations } from './simulated-operations.ts';
import { singleAppends } from './single-appends.ts';
import { start } from './start.ts';
import { straceImport } from './strace-import.ts';
import { verification } from './verification.ts';

const FIGURES: Readonly<Record<string, Figure>> = {
  'simulated-operations': contest(simulatedOperations),
  'single-appends': contest(singleAppends),
  'concurrent-appends': contest(concurrentAppends),
  'strace-import': straceImport,
  'first-judging': firstJudging,
  start,
  'cold-open': coldOpen,
  'point-questions': pointQuestions,
  'owner-at-a-moment': ownerAtAMoment,
  replay,
  'index-building': indexBuilding,
  verification,
  memory,
};

const FULL: Effort = { warmUp: 2, rounds: 9, longRounds: 3, questions: 2000 };
const QUICK: Effort = { warmUp: 0, rounds: 2, longRounds: 1, questions: 10 };
const LONGEST = { full: 10_000_000, quick: 2000 };

const { values: options } = parseArgs({
  options: {
    only: { type: 'string' },
    events: { type: 'string' },
    quick: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    dir: { type: 'string', default: tmpdir() },
    keep: { type: 'string' },
  },
});

const { only, events, quick, keep } = options;
const isFull = only === undefined && events === undefined && !quick;
const longest = Number(events ?? (quick ? LONGEST.quick : LONGEST.full));
if (!Number.isInteger(longest) || longest < 1000) fail(`--events ${events}: a thousand at least`);
if (only !== undefined && FIGURES[only] === undefined) {
  fail(`--only ${only}: the figures are ${Object.keys(FIGURES).join(', ')}`);
}

const temporary = mkdtempSync(join(options.dir, 'vfio-ledger-bench-'));
try {
  await run();
} finally {
  rmSync(temporary, { recursive: true, force: true });
}

async function run(): Promise<void> {
  const measurements: Measurement[] = [];
  const leftOut = new Set<string>();
  const common: Omit<Run, 'folder'> = {
    effort: quick ? QUICK : FULL,
    lengths: [longest / 10, longest],
    logs: new Logs(folderNamed('logs', keep)),
    leaveOut: (peer) => leftOut.add(peer),
  };
  for (const [name, figure] of Object.entries(FIGURES)) {
    if (only !== undefined && only !== name) continue;
    if (!quick) process.stderr.write(`${name}\n`);
    const folder = folderNamed(name);
    measurements.push(...(await figure({ ...common, folder })));
    rmSync(folder, { recursive: true });
  }
  const lines = options.json ? [JSON.stringify(measurements, null, 2)] : table(measurements);
  process.stdout.write(`${lines.join('\n')}\n`);
  if (leftOut.size > 0) process.stderr.write(`${leftOutText([...leftOut])}\n`);
  if (!isFull) return;
  const cost = await costByLength({ ...common, folder: folderNamed('cost') });
  const day = new Date().toISOString().slice(0, 10);
  keepEarlier();
  write('results.md', page(measurements, { leftOut: [...leftOut], day }));
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

function fail(reason: string): never {
  process.stderr.write(`bench: ${reason}\n`);
  process.exit(2);
}
