/**
 * `bisect`: where a history first went wrong.
 *
 * @module
 */
import { RequestError } from '../ledger.ts';
import { invariantNames } from '../projections/audit/invariants.ts';
import { invariantWords } from '../words/invariants.ts';
import { bisectionWords, neverFoundWords } from '../words/judgements.ts';
import { exit } from './failure.ts';
import { readingOptions, readLog } from './log-file.ts';
import { show, verb } from './verb.ts';

/**
 * Prints the first event after which an invariant does not hold, or an expression does, and the
 * fewest that show it.
 */
export const bisect = verb({
  name: 'bisect',
  usage: 'bisect --invariant NAME | --where EXPR',
  summary: 'Where an invariant is first violated, or an expression first holds, and what it takes',
  details: [
    'What it takes are the fewest events that still show it. Exit 1 where it never comes to that.',
    '',
    'Invariants are judged on what the evidence claims, whether or not the rules would have let it',
    'happen. NAME is one of:',
    ...invariantNames.map((name) => `  ${name}: ${invariantWords(name)}`),
    '',
    'EXPR is asked of the table after each event:',
    '  group 26 owner.kind = iommufd and holders.comm ~ qemu',
    '  device gpu state = bound or device gpu count(files) > 1',
    '  not (group 26 viable) and file kind = container',
    '- group, device or file says which row the conditions up to the next of these are about, or',
    '  without a name any of the kind; without any of these, the conditions are about any group.',
    '- A condition is PATH OPERATOR VALUE, count(PATH) OPERATOR NUMBER, or viable alone. They go',
    '  together with and, or, not and parentheses.',
    '- PATH is made of the keys of table --json: owner.kind, since, opener.file, files.holders.pid.',
    '  holders is short for owner.holders. Of a list one element is enough.',
    '- OPERATOR is = != < <= > >= or ~, contains, and !~. VALUE is a word, "text" or null.',
  ],
  options: {
    invariant: { type: 'string', value: 'NAME', help: 'the invariant in question' },
    where: { type: 'string', value: 'EXPR', help: 'the expression in question' },
    ...readingOptions,
  },
  operands: [0, 0],
  examples: [
    'vfio-ledger bisect --invariant one-context-per-group --log demo.ledger ' +
      '|| echo "it never was violated"',
    "vfio-ledger bisect --where 'group 26 owner.kind = iommufd and holders.comm = P3' " +
      '--log demo.ledger',
    "vfio-ledger bisect --where 'device nvme count(files) > 1' --json --log demo.ledger",
  ],
  async answer({ values }, io) {
    const { invariant, where } = values;
    if (invariant === undefined && where === undefined) {
      const known = invariantNames.join(', ');
      throw new RequestError(
        `--invariant NAME or --where EXPR is missing; invariants are ${known}`,
      );
    }
    if (invariant !== undefined && where !== undefined) {
      throw new RequestError('--invariant and --where are two questions; ask one of them');
    }
    return readLog(values, io, async (ledger) => {
      io.progress.tell(`${ledger.length} events to look through`);
      const found = ledger.bisect({ invariant, where });
      await show(io, values.json, found, () => {
        if (found !== null) return bisectionWords(found, ledger, io.paint);
        return [neverFoundWords(invariant ?? null)];
      });
      return found === null ? exit.no : exit.done;
    });
  },
});
