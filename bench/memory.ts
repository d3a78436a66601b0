/**
 * The most memory that a process has: one that opens a log for the first time, one that answers.
 *
 * @module
 */
import type { Task } from './child.ts';
import { inChild } from './children.ts';
import { type Figure, ofEachHost } from './figure.ts';
import { type Measurement, measurement } from './measurement.ts';

/** Of MB. */
const BUILDING = 1000;
const ANSWERING = 400;

const ROWS: readonly { readonly task: Task; readonly figure: string }[] = [
  { task: 'ask', figure: 'memory at most, while answering' },
  { task: 'askAsCommand', figure: 'memory at most, while answering as the command line' },
];

export const memory: Figure = (run) =>
  ofEachHost(run, {}, async (lengths, host) => {
    const taken: Measurement[] = [];
    for (const events of lengths) {
      const { path, notes } = await run.logs.at({ host, events });
      const { longRounds, questions } = run.effort;
      const peak = { host, events, unit: 'MB' } as const;
      const figure = 'memory at most, on the first opening';
      const ours = [notes.building.megabytes];
      taken.push(measurement({ ...peak, figure, ours, beside: BUILDING }));
      for (const row of ROWS) {
        const answering = Array.from({ length: longRounds }, (_, round) => {
          return inChild(row.task, path, 'mixed', questions, round + 1).megabytes;
        });
        const { figure: name } = row;
        taken.push(measurement({ ...peak, figure: name, ours: answering, beside: ANSWERING }));
      }
    }
    return taken;
  });
