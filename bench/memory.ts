/**
 * The most memory that a process has: one that opens a log for the first time, one that answers.
 *
 * @module
 */
import { inChild } from './children.ts';
import type { Figure } from './figure.ts';
import { type Measurement, measurement } from './measurement.ts';

/** Of MB. */
const BUILDING = 1000;
const ANSWERING = 600;

export const memory: Figure = async ({ logs, lengths, effort }) => {
  const taken: Measurement[] = [];
  for (const events of lengths) {
    const { path, notes } = await logs.at(events);
    const answering = Array.from({ length: effort.longRounds }, (_, round) =>
      inChild('ask', path, 'mixed', effort.questions, round + 1),
    );
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
        ours: answering.map(({ megabytes }) => megabytes),
        beside: ANSWERING,
      }),
    );
  }
  return taken;
};
