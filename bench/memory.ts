/**
 * The most memory that a process has: one that opens a log for the first time, one that answers.
 *
 * @module
 */
import type { Task } from './child.ts';
import { inChild } from './children.ts';
import type { Figure } from './figure.ts';
import { type Measurement, measurement } from './measurement.ts';

/** Of MB. */
const BUILDING = 1000;
const ANSWERING = 600;
const AS_COMMAND = 400;

export const memory: Figure = async ({ logs, lengths, effort }) => {
  const taken: Measurement[] = [];
  for (const events of lengths) {
    const { path, notes } = await logs.at(events);
    const answering = (task: Task) =>
      Array.from({ length: effort.longRounds }, (_, round) => {
        return inChild(task, path, 'mixed', effort.questions, round + 1).megabytes;
      });
    const peak = { events, unit: 'MB' } as const;
    taken.push(
      measurement({
        ...peak,
        figure: 'memory at most, on the first opening',
        ours: [notes.building.megabytes],
        beside: BUILDING,
      }),
      measurement({
        ...peak,
        figure: 'memory at most, while answering',
        ours: answering('ask'),
        beside: ANSWERING,
      }),
      measurement({
        ...peak,
        figure: 'memory at most, while answering as the command line',
        ours: answering('askAsCommand'),
        beside: AS_COMMAND,
      }),
    );
  }
  return taken;
};
