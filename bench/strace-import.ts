/**
 * Lines of strace made events of, beside a limit and beside what only finds where lines end.
 *
 * @module
 */
import { readEvidence } from '../ledger/import.ts';
import { type Contest, hold } from './contest.ts';
import type { Figure } from './figure.ts';
import type { Measurement } from './measurement.ts';
import { straceLines } from './strace-lines.ts';

/** About as many as a turn of 50 ms takes at the limit. */
const SIZE = 15_000;
const CHUNK = 1 << 16;

const name = 'lines of strace imported on one core';

const contests: readonly Contest[] = [
  { name, beside: 300_000, target: 1, size: SIZE, start: async () => ready(false) },
  { name, beside: 'a bare split into lines', size: SIZE, start: async () => ready(true) },
];

export const straceImport: Figure = async (run) => {
  const taken: Measurement[] = [];
  for (const contest of contests) {
    const measured = await hold(contest, run);
    if (measured !== null) taken.push(measured);
  }
  return taken;
};

function ready(hasPeer: boolean) {
  const chunks = chunksOf([...straceLines(SIZE)].join(''));
  const ours = async () => {
    const { read, rejectedCount, events } = await readEvidence([{ name: 'strace', chunks }]);
    await events.discard();
    if (read !== SIZE || rejectedCount > 0) throw new Error('not every line was read');
  };
  const peer = () => {
    if (splitOf(chunks) !== SIZE) throw new Error('not every line was found');
  };
  return { turn: () => (hasPeer ? { ours, peer } : { ours }), end: async () => {} };
}

function chunksOf(text: string): readonly string[] {
  const chunks: string[] = [];
  for (let at = 0; at < text.length; at += CHUNK) chunks.push(text.slice(at, at + CHUNK));
  return chunks;
}

/** How many lines there are, each of them as a string of its own. */
function splitOf(chunks: readonly string[]): number {
  let count = 0;
  let rest = '';
  for (const chunk of chunks) {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    count += lines.length;
  }
  return count;
}
