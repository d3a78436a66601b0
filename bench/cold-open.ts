/**
 * From nothing to the table at the end of a log, and to why an attempt was refused, in a fresh process.
 *
 * The sources are read as TypeScript by Node, which is part of what a start takes here; the pages
 * of the log are in the memory of the system, as they are when it has just been written.
 *
 * @module
 */
import { type Done, inChild } from './children.ts';
import { type Figure, type LogKind, ofEachHost, type Run } from './figure.ts';
import { type Measurement, measurement } from './measurement.ts';

/** Of seconds, up to ten million events. */
const LIMIT = 0.5;

export const coldOpen: Figure = (run) =>
  ofEachHost(run, {}, async (lengths, host) => {
    const taken: Measurement[] = [];
    for (const events of lengths) taken.push(...(await takeAt(run, { host, events })));
    return taken;
  });

async function takeAt(run: Run, of: LogKind): Promise<Measurement[]> {
  const { path } = await run.logs.at(of);
  const opened: Done[] = [];
  const explained: Done[] = [];
  const replayed: Done[] = [];
  for (let round = 0; round < run.effort.longRounds; round++) {
    opened.push(inChild('firstTable', path));
    explained.push(inChild('firstWhy', path));
    // It takes long, and as long an event in any log.
    if (round === 0) replayed.push(inChild('fullReplay', path));
  }
  const whole = opened.map(({ seconds }) => seconds);
  const inside = opened.map((done) => done.inside);
  const replay = { name: 'the full replay', peer: replayed.map((done) => done.inside) };
  const row = { ...of, unit: 's', figure: 'cold open and table' } as const;
  const why = explained.map(({ seconds }) => seconds);
  return [
    measurement({
      ...row,
      figure: 'cold open and table, with the start of node',
      ours: whole,
      beside: LIMIT,
    }),
    measurement({ ...row, ours: inside, beside: LIMIT }),
    measurement({ ...row, ours: inside, beside: replay }),
    measurement({ ...row, figure: 'cold open and why, with the start of node', ours: why }),
  ];
}
