/**
 * `replay`: judges the log by the rules of another kernel.
 *
 * @module
 */
import type { Coverage, Replay } from '../ledger.ts';
import { columns, type Cell, type Line } from '../words/columns.ts';
import { sentence, type History } from '../words/events.ts';
import { otherCell, recordedCell, replayWords } from '../words/judgements.ts';
import { coverageOption, showCovered } from './coverage.ts';
import { exit } from './failure.ts';
import { readingOptions, readLog } from './log-file.ts';
import { profileOption, requiredProfile } from './profiles.ts';
import { verb } from './verb.ts';

/** Prints each attempt that would have ended differently by a profile. */
export const replay = verb({
  name: 'replay',
  usage: 'replay --profile P',
  summary: 'Lists the attempts that would have ended differently by the rules of another kernel',
  details: [
    'Each attempt is judged on the state that the host had then. An attempt that would have passed does',
    'not change the state for later ones. RECORDED is the errno as observed, with its cause by the rules',
    "of the log's own kernel.",
  ],
  options: { profile: profileOption('required'), ...coverageOption, ...readingOptions },
  operands: [0, 0],
  examples: [
    'vfio-ledger replay --profile rfc-2021 --log demo.ledger',
    'vfio-ledger replay --profile linux-6.1 --json --log demo.ledger',
  ],
  async answer({ values }, io) {
    const profile = requiredProfile(values.profile);
    return readLog(values, io, async (ledger) => {
      io.progress.tell(`judging ${ledger.length} events`);
      const found = ledger.replayed({ profile });
      const coverage = ledger.coverage();
      await showCovered(io, values, found.differences, coverage, () =>
        replayText(found, { profile, coverage }, ledger),
      );
      return exit.done;
    });
  },
});

function replayText(
  found: Replay,
  { profile, coverage }: { readonly profile: string; readonly coverage: Coverage },
  history: History,
): Line[] {
  const { differences } = found;
  const count = replayWords(found, profile, coverage);
  if (differences.length === 0) return [count];
  const rows = differences.map(({ position, recorded, other }): Cell[] => [
    String(position),
    sentence(history, position),
    recordedCell(recorded),
    otherCell(other),
  ]);
  const heading = ['POSITION', 'ATTEMPT', 'RECORDED', `BY ${profile}`];
  return [count, '', ...columns(rows, heading)];
}
