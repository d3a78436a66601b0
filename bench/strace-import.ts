/**
 * Lines of strace made events of, beside a limit and beside what only finds where lines end.
 *
 * @module
 */
import { readEvidence } from '../ledger/read-evidence.ts';
import { contests } from './contest.ts';
import { chunksOf, splitOf } from './peers/split-lines.ts';
import { straceLines } from './strace-lines.ts';

/** About as many as a turn of 50 ms takes at the limit. */
const SIZE = 15_000;

const name = 'lines of strace imported on one core';

export const straceImport = contests([
  { name, beside: 300_000, target: 1, size: SIZE, start: async () => ready(false) },
  { name, beside: 'a bare split into lines', size: SIZE, start: async () => ready(true) },
]);

function ready(hasPeer: boolean) {
  const chunks = chunksOf(straceLines(SIZE));
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
