/**
 * Refusals of each operation, and how long the longest `why` of each takes.
 *
 * @module
 */
import { inChild } from './children.ts';
import { type Figure, ofEachHost } from './figure.ts';
import { Random } from './host/random.ts';
import { measurement } from './measurement.ts';
import type { Notes } from './notes.ts';
import type { OpenedLog } from './opened.ts';
import { elapsed } from './questions.ts';

/** The longest log, in events. */
const MOST = 1_000_000;
/** Of ms, for any refusal. */
const LIMIT = 1000;
/** No further refusal of an operation is asked about after so many ms, if answers take that long. */
const PATIENCE = 20_000;

export const worstRefusals: Figure = (run) =>
  ofEachHost(run, { most: MOST }, async (lengths, host) => {
    const events = Math.max(...lengths);
    const { path, notes } = await run.logs.at({ host, events });
    const longest = inChild('askEachOperation', path, run.effort.questions).values;
    return Object.keys(notes.refused).map((operation, index) =>
      measurement({
        figure: `why a ${operation} was refused, the longest`,
        host,
        events,
        unit: 'ms',
        ours: [longest[index] ?? Number.NaN],
        beside: LIMIT,
      }),
    );
  });

/**
 * Asks why some attempts of each operation were refused, each once; gives the longest time for each
 * operation, in ms.
 */
export function askEachOperation(log: OpenedLog, { refused }: Notes, questions: number): number[] {
  const random = new Random(1);
  const operations = Object.values(refused);
  const share = Math.ceil(questions / operations.length);
  return operations.map((positions) => {
    const began = performance.now();
    let longest = 0;
    for (const position of random.shuffled(positions).slice(0, share)) {
      longest = Math.max(
        longest,
        elapsed(() => log.why(position)),
      );
      if (performance.now() - began > PATIENCE) break;
    }
    return longest;
  });
}
