/**
 * Matchers beside the answers that they ask of, and the import of an entry beside a start of Node.
 *
 * The time is the CPU time of this process, or of a process that imports the entry where its runner is
 * loaded already; a bare Node is subtracted from that.
 *
 * @module
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openLedger, type Ledger } from '../ledger.ts';
import { toBeOwnedBy, toReleaseEverything } from '../testing/matchers.ts';
import { cpuSeconds } from './cpu-time.ts';
import type { Figure, Run } from './figure.ts';
import { hostHistory } from './host.ts';
import { Random } from './host/random.ts';
import { type Measurement, measurement } from './measurement.ts';
import { cpuMs, packageIn } from './start.ts';

const EVENTS = 20_000;
/** Events between the two moments of `between`. */
const RANGE = 200;
/** Of the time of the answer alone. */
const TARGET = 1.5;
/** Of a round, at most. */
const MOST = 500;

export const matchers: Figure = async (run) => {
  const ledger = await openLedger(':memory:');
  await ledger.append(-1, [...hostHistory(EVENTS, 3)]);
  await ledger.refresh();
  return [...asked(ledger, run), await imported(run)];
};

/** Each answer alone, and the same with the matcher that asks of it, in turn. */
function asked(ledger: Ledger, { effort }: Run): Measurement[] {
  const random = new Random(7);
  const kinds = {
    'toBeOwnedBy of a row of table': {
      answer: (at: number) => ledger.at(at).table(),
      match: ({ groups }: ReturnType<ReturnType<Ledger['at']>['table']>) =>
        toBeOwnedBy(groups[0]!, { pid: 1 }),
    },
    'toReleaseEverything of between': {
      answer: (at: number) => ledger.between(at, at + RANGE),
      match: (activity: ReturnType<Ledger['between']>) => toReleaseEverything(activity),
    },
  };
  const rows: Measurement[] = [];
  for (const [figure, { answer, match }] of Object.entries(kinds)) {
    const [alone, matched]: [number[], number[]] = [[], []];
    for (let round = -effort.warmUp - 1; round < effort.rounds; round++) {
      const places = Array.from({ length: Math.min(effort.questions, MOST) }, () =>
        random.below(EVENTS - RANGE),
      );
      const without = 1000 * cpuSeconds(() => places.forEach((at) => void answer(at)));
      const within =
        1000 * cpuSeconds(() => places.forEach((at) => void match(answer(at) as never)));
      if (round < 0) continue;
      alone.push(without / places.length);
      matched.push(within / places.length);
    }
    const beside = { name: 'the answer alone', peer: alone };
    rows.push(measurement({ figure, unit: 'ms', ours: matched, beside, target: TARGET }));
  }
  return rows;
}

/** What the import of `vfio-ledger/vitest` adds to a start of Node, if vitest costs nothing. */
async function imported({ folder, effort }: Run): Promise<Measurement> {
  const place = await packageIn(folder);
  const [runner, bare, entry] = ['runner.mjs', 'bare.mjs', 'entry.mjs'].map((name) =>
    join(folder, name),
  ) as [string, string, string];
  // In the place of vitest: what the entry takes of it.
  const vitest = `const test = { extend: () => test }; export { test };
    export const expect = { extend() {} };`;
  const loaded = `data:text/javascript,${encodeURIComponent(vitest)}`;
  writeFileSync(
    runner,
    `import { registerHooks } from 'node:module';
    registerHooks({ resolve: (name, context, next) =>
      name === 'vitest' ? { url: ${JSON.stringify(loaded)}, shortCircuit: true } : next(name, context) });`,
  );
  writeFileSync(bare, `import '${runner}'; await import('vitest');`);
  writeFileSync(entry, `import '${runner}'; await import('${join(place, 'dist/vitest.js')}');`);
  const nothing = join(folder, 'nothing.mjs');
  writeFileSync(nothing, '');
  const [ours, peer]: [number[], number[]] = [[], []];
  for (let round = -1; round < effort.rounds; round++) {
    const [node, without, within] = [nothing, bare, entry].map((path) => cpuMs([path]));
    if (round < 0) continue;
    ours.push((within ?? 0) - (without ?? 0));
    peer.push(node ?? Number.NaN);
  }
  const figure = 'import of vfio-ledger/vitest where vitest is loaded, CPU time';
  const beside = { name: 'a bare Node', peer };
  return measurement({ figure, unit: 'ms', ours, beside, target: 1 });
}
