/**
 * The time index of a log: built from its rows, beside the least that a check of the same rows does. In
 * CPU time.
 *
 * @module
 */
import { openLedger } from '../ledger.ts';
import { removeSegmentFiles } from '../log/segment-files.ts';
import { cpuSeconds, cpuSecondsOf } from './cpu-time.ts';
import type { Figure, Run } from './figure.ts';
import { measurement, type Measurement } from './measurement.ts';
import { checkRows } from './peers/checked-rows.ts';
import { repeatedRecording } from './recording.ts';

/** The longest log, in events: a longer one takes as long an event. */
const MOST = 1_000_000;

/** How many times as long reading and building may take as reading, hashing and parsing. */
const TIMES = { busy: 6, recorded: 4.5 };

export const indexBuilding: Figure = async (run) => {
  const events = Math.min(run.lengths.at(-1) ?? MOST, MOST);
  const { path } = await run.logs.at(events);
  const recording = await repeatedRecording(run, events);
  return [
    await built(run, events, { figure: 'index of the busy host', path, target: TIMES.busy }),
    await built(run, events, {
      figure: 'index of a recording, repeated',
      path: recording,
      target: TIMES.recorded,
    }),
  ];
};

interface Log {
  readonly figure: string;
  readonly path: string;
  readonly target: number;
}

async function built(
  { effort }: Run,
  events: number,
  { figure, path, target }: Log,
): Promise<Measurement> {
  const [ours, peer]: [number[], number[]] = [[], []];
  for (let round = 0; round < effort.longRounds; round++) {
    removeSegmentFiles(path);
    ours.push(await cpuSecondsOf(async () => (await openLedger(path)).close()));
    peer.push(cpuSeconds(() => checkRows(path)));
  }
  const beside = { name: 'rows read, hashed and parsed', peer };
  return measurement({ figure, events, unit: 's', ours, beside, target });
}
