/**
 * What the program prints for people, line by line: words, and frozen as such.
 *
 * @module
 */
import { bisect } from '../../cli/bisect.ts';
import { diff } from '../../cli/diff.ts';
import { history } from '../../cli/history.ts';
import { log } from '../../cli/log.ts';
import { replay } from '../../cli/replay.ts';
import { table } from '../../cli/table.ts';
import type { Verb } from '../../cli/verb.ts';
import { verify } from '../../cli/verify.ts';
import { who } from '../../cli/who.ts';
import { why } from '../../cli/why.ts';
import type { Ledger } from '../../ledger.ts';
import { printedBy } from '../support/verbs.ts';
import type { Question } from './questions.ts';

/** So many refusals and subjects of a log are asked about, spread over it. */
const MOST = 4;

/** Questions whose answers are the lines that the program prints about a log. */
export async function textQuestions(ledger: Ledger, path: string): Promise<Question[]> {
  const refused = ledger.log({ refused: true }).map(({ position }) => String(position));
  const { groups, devices } = ledger.at('end').table();
  const subjects = [...groups.map(({ group }) => `g${group}`), ...devices.map((d) => d.device)];
  const asked: [Verb, string[]][] = [
    [log, []],
    [table, ['--all']],
    [diff, ['start', 'end']],
    [replay, ['--profile', 'linux-6.1']],
    [verify, []],
    [bisect, ['--invariant', 'one-context-per-group']],
    [history, ['--waiters']],
    [history, ['--overlaps']],
    [who, ['--orphans']],
    ...few(refused).map((position): [Verb, string[]] => [why, [position]]),
    ...few(subjects).flatMap((subject): [Verb, string[]][] => [
      [who, [subject]],
      [who, [subject, '--holdings']],
      [history, [subject]],
    ]),
  ];
  const questions: Question[] = [];
  for (const [verb, args] of asked) {
    const { out, err, code } = await printedBy(verb, [...args, '--log', path, '--no-index']);
    const told = `${out}${err}`.replaceAll(path, 'LOG').trimEnd().split('\n');
    const lines = [...told, `exit ${code}`];
    questions.push({
      verb: `text:${verb.name}`,
      asked: args.join(' '),
      ask: () => lines.map((text) => ({ at: null, value: { text } })),
    });
  }
  return questions;
}

function few<T>(all: readonly T[]): T[] {
  const step = Math.max(1, Math.floor(all.length / MOST));
  return all.filter((_, index) => index % step === 0).slice(0, MOST);
}
