/**
 * From nothing to the table at the end of a log, in a fresh process.
 *
 * The sources are read as TypeScript by Node, which is part of what a start takes here; the pages
 * of the log are in the memory of the system, as they are when it has just been written.
 *
 * @module
 */
import { type Done, inChild } from './children.ts';
import type { Figure, Run } from './figure.ts';
import { type Measurement, measurement } from './measurement.ts';

/** Of seconds, up to ten million events. */
const LIMIT = 0.5;

export const coldOpen: Figure = async (run) => {
  const taken: Measurement[] = [];
  for (const events of run.lengths) taken.push(...(await takeAt(run, events)));
  return taken;
};

async function takeAt(run: Run, events: number): Promise<Measurement[]> {
  const { path } = await run.logs.at(events);
  const opened: Done[] = [];
  const replayed: Done[] = [];
  for (let round = 0; round < run.effort.longRounds; round++) {
    opened.push(inChild('firstTable', path));
    replayed.push(inChild('fullReplay', path));
  }
  const whole = opened.map(({ seconds }) => seconds);
  const inside = opened.map((done) => done.inside);
  const replay = { name: 'the full replay', peer: replayed.map((done) => done.inside) };
  const unit = 's';
  return [
    measurement({
      figure: 'cold open and table, with the start of node',
      events,
      unit,
      ours: whole,
      beside: LIMIT,
    }),
    measurement({ figure: 'cold open and table', events, unit, ours: inside, beside: LIMIT }),
    measurement({ figure: 'cold open and table', events, unit, ours: inside, beside: replay }),
  ];
}
