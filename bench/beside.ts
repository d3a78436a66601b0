/**
 * `npm run bench:beside CHECKOUT [EVENTS]`: events judged for the first time, and the index built of them, beside
 * another checkout of this project, by turns in one run. For whoever has changed what every event goes
 * through.
 *
 * @module
 */
import { spawnSync } from 'node:child_process';
import { join, resolve } from 'node:path';
import type { LedgerEvent, Placed } from '../events/vocabulary.ts';
import type { Kernel } from '../machines/kernel.ts';
import type { Timeline } from '../projections/timeline.ts';

const TURNS = 13;

type Events = readonly Placed<LedgerEvent>[];

/** What a checkout does with events; it begins anew each time. */
type Figures = Readonly<Record<'first judging' | 'index building', (events: Events) => void>>;

async function figuresOf(root: string): Promise<Figures> {
  const { Kernel: Host } = (await import(join(root, 'machines/kernel.ts'))) as {
    Kernel: typeof Kernel;
  };
  const { Timeline: History } = (await import(join(root, 'projections/timeline.ts'))) as {
    Timeline: typeof Timeline;
  };
  return {
    'first judging': (events) => {
      const host = new Host();
      for (const event of events) {
        if (event.type === 'operation.refused') host.explain(event.data);
        host.take(event);
      }
    },
    'index building': (events) => {
      const timeline = new History();
      for (const event of events) timeline.take(event);
    },
  };
}

/** Made in a process of its own: the machines that it takes are not warm here, nor any other's. */
function madeApart(): Events {
  const script = `
    const { hostHistory } = await import(${JSON.stringify(join(import.meta.dirname, 'host.ts'))});
    process.stdout.write(JSON.stringify([...hostHistory(${EVENTS}, 7)]));`;
  const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
  });
  const made = JSON.parse(stdout) as LedgerEvent[];
  return made.map((event, position) => ({ ...event, position, id: `e${position}`, time: null }));
}

/** CPU time in µs an event. */
function spent(run: () => void): number {
  const before = process.cpuUsage();
  run();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / EVENTS;
}

const [, , other, count = '60000'] = process.argv;
const EVENTS = Number(count);
if (other === undefined || !Number.isInteger(EVENTS)) {
  process.stderr.write('usage: npm run bench:beside CHECKOUT [EVENTS]\n');
  process.exit(2);
}
const events = madeApart();
const sides = [await figuresOf(join(import.meta.dirname, '..')), await figuresOf(resolve(other))];
for (const figure of ['first judging', 'index building'] as const) {
  const times = sides.map((): number[] => []);
  for (let turn = 0; turn < TURNS; turn++) {
    // Whoever comes second finds the memory that the first has left behind.
    for (const at of turn % 2 === 0 ? [0, 1] : [1, 0]) {
      times[at]?.push(spent(() => sides[at]?.[figure](events)));
    }
  }
  const words = times.map((all) => {
    const sorted = all.toSorted((a, b) => a - b);
    return `${sorted[0]?.toFixed(2)} to ${sorted.at(-1)?.toFixed(2)}, median ${median(all).toFixed(2)}`;
  });
  const ratio = median(times[0] ?? []) / median(times[1] ?? []);
  process.stdout.write(
    `${figure}, µs an event: here ${words[0]}; there ${words[1]}; ${ratio.toFixed(2)} of it\n`,
  );
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
}
