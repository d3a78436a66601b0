/**
 * `--recorder`: a kernel is recorded while it performs sequences, by the recorder as it is shipped
 * and in the guest itself; what the recording tells has to be what the kernel has answered.
 *
 * @module
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Sequence } from '../../host/simulation.ts';
import { openLedger } from '../../ledger.ts';
import type { Profile } from '../../machines/profile.ts';
import { compared, type RecordingComparison } from './comparison.ts';
import type { Mode } from './overlay.ts';
import { recordedRun, type RecordedRun } from './run.ts';

export interface CheckOptions {
  readonly profiles: readonly Profile[];
  readonly mode: Mode;
  readonly sequences: readonly Sequence[];
  /** A folder for the answers and what was recorded; null keeps nothing. */
  readonly keep: string | null;
}

/** Gives whether all that was recorded is as the kernels said. */
export async function checkRecorder(
  { profiles, mode, sequences, keep }: CheckOptions,
  say: (text: string) => void,
  tell: (text: string) => void,
): Promise<boolean> {
  let isEqual = true;
  for (const profile of profiles) {
    const run = await recordedRun(profile, mode, sequences, tell);
    if (keep !== null) keepRun(join(keep, profile), run);
    const comparison = await comparisonOf(run, profile);
    for (const line of linesOf(comparison, profile, run)) say(line);
    isEqual &&= comparison.differences.length === 0;
  }
  return isEqual;
}

/** What a run comes to: the kernel's answers as a ledger, beside what was recorded as one. */
export async function comparisonOf(
  run: RecordedRun,
  profile: Profile,
): Promise<RecordingComparison> {
  const { answers, mode, recorded } = run;
  const kernel = await openLedger(':memory:');
  await kernel.import(answers, { format: 'truth', profile });
  const seen = await openLedger(':memory:');
  const [topology] = answers.split('\n', 1);
  if (mode === 'log') await seen.import(recorded, { format: 'events' });
  else await seen.import(recorded, { format: 'ftrace', profile, topology });
  const comparison = compared(kernel, seen);
  for (const ledger of [kernel, seen]) await ledger.close();
  return comparison;
}

const kept = { trace: 'trace.txt.gz', log: 'log.jsonl.gz' } as const;

function keepRun(folder: string, { answers, mode, recorded }: RecordedRun): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'answers.jsonl.gz'), gzipSync(answers, { level: 9 }));
  writeFileSync(join(folder, kept[mode]), gzipSync(recorded, { level: 9 }));
}

function linesOf(
  { differences, statements, events }: RecordingComparison,
  profile: Profile,
  { answers, mode }: RecordedRun,
): string[] {
  const operations = answers.trimEnd().split('\n').length - 1;
  const by = mode === 'log' ? 'vfio-ledger record' : 'ftrace.sh';
  return [
    ...differences.flatMap(({ about, kernel, recorded }) => [
      about,
      `  by the kernel: ${kernel}`,
      `  as recorded:   ${recorded}`,
    ]),
    `${profile}: ${operations} operations, recorded by ${by} as ${events} events; ` +
      `${statements} statements compared, ${differences.length} differ`,
  ];
}
