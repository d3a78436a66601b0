/**
 * The time index of a log: built from its rows, beside the least that a check of the same rows does. In
 * CPU time.
 *
 * @module
 */
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { openLedger } from '../ledger.ts';
import { removeSegmentFiles } from '../log/segment-files.ts';
import { cpuSeconds, cpuSecondsOf } from './cpu-time.ts';
import { type Figure, type LogKind, ofEachHost, type Run } from './figure.ts';
import type { HostKind } from './hosts.ts';
import { measurement, type Measurement } from './measurement.ts';
import { checkRows } from './peers/checked-rows.ts';

/** The longest log, in events: a longer one takes as long an event. */
const MOST = 1_000_000;

/** How many times as long reading and building may take as reading, hashing and parsing. */
const TIMES: Readonly<Record<HostKind, number>> = {
  whole: 6,
  'boot unseen': 6,
  'short boots': 4.5,
};

export const indexBuilding: Figure = (run) =>
  ofEachHost(run, { most: MOST }, async (lengths, host) => {
    const events = Math.max(...lengths);
    return [await built(run, { host, events })];
  });

async function built({ logs, folder, effort }: Run, of: LogKind): Promise<Measurement> {
  const { path } = await logs.at(of);
  // The index of a log that is kept for other figures stays.
  const copy = join(folder, `${of.host}.ledger`);
  copyFileSync(path, copy);
  const [ours, peer]: [number[], number[]] = [[], []];
  for (let round = 0; round < effort.longRounds; round++) {
    removeSegmentFiles(copy);
    ours.push(await cpuSecondsOf(async () => (await openLedger(copy)).close()));
    peer.push(cpuSeconds(() => checkRows(copy)));
  }
  const beside = { name: 'rows read, hashed and parsed', peer };
  return measurement({
    ...of,
    figure: 'index built',
    unit: 's',
    ours,
    beside,
    target: TIMES[of.host],
  });
}
