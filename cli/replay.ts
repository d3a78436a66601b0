/**
 * `replay`: the log judged by other rules.
 *
 * @module
 */
import type { Replay } from '../ledger.ts';
import { columns, type Cell } from '../words/columns.ts';
import { sentence, type History } from '../words/events.ts';
import { otherCell, recordedCell, replayWords } from '../words/judgements.ts';
import type { Paint } from '../words/tone.ts';
import { exit } from './failure.ts';
import { readingOptions, readLog } from './log-file.ts';
import { profileOption, requiredProfile } from './profiles.ts';
import { show, verb } from './verb.ts';

/** Prints each attempt that a profile judges otherwise than it went. */
export const replay = verb({
  name: 'replay',
  usage: 'replay --profile P',
  summary: 'Which attempts would have ended otherwise by the rules of another kernel',
  details: [
    'What happened stays as it happened: each attempt is judged on the state that it met then, and',
    'one that would have passed has no effect on those after it. Recorded is the errno as observed,',
    "with the cause by the rules of the log's own kernel.",
  ],
  options: { profile: profileOption('it has to be named'), ...readingOptions },
  operands: [0, 0],
  examples: [
    'vfio-ledger replay --profile rfc-2021 --log demo.ledger',
    'vfio-ledger replay --profile linux-6.1 --json --log demo.ledger',
  ],
  async answer({ values }, io) {
    const profile = requiredProfile(values.profile);
    return readLog(values, io, async (ledger) => {
      io.progress.tell(`${ledger.length} events to judge`);
      const found = ledger.replayed({ profile });
      await show(io, values.json, found.differences, () =>
        replayText(found, profile, ledger, io.paint),
      );
      return exit.done;
    });
  },
});

function replayText(found: Replay, profile: string, history: History, paint: Paint): string[] {
  const { differences } = found;
  const count = replayWords(found, profile);
  if (differences.length === 0) return [count];
  const rows = differences.map(({ position, recorded, other }): Cell[] => [
    String(position),
    sentence(history, position),
    recordedCell(recorded),
    otherCell(other),
  ]);
  const heading = ['POSITION', 'ATTEMPT', 'RECORDED', `BY ${profile}`];
  return [count, '', ...columns(rows, paint, heading)];
}
