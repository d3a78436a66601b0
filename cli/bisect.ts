/**
 * `bisect`: finds the first event at which an invariant is violated or an expression holds.
 *
 * @module
 */
import { RequestError } from '../ledger.ts';
import { invariantNames } from '../projections/audit/invariants.ts';
import { invariantWords } from '../words/invariants.ts';
import { bisectionWords, neverFoundWords } from '../words/judgements.ts';
import { coverageOption, showCovered } from './coverage.ts';
import { exit } from './failure.ts';
import { readingOptions, readLog } from './log-file.ts';
import { verb } from './verb.ts';

/** Prints that event, and the fewest events that still show it. Exit 1 if there is none. */
export const bisect = verb({
  name: 'bisect',
  usage: 'bisect --invariant NAME | --where EXPR',
  summary: 'Finds the first event at which an invariant is violated or an expression holds',
  details: [
    'Also prints the fewest events that still show it. Exit 1 if it never happens.',
    '',
    'Invariants are judged on what the evidence claims, even if the rules would have refused it.',
    'NAME is one of:',
    ...invariantNames.map((name) => `  ${name}: ${invariantWords(name)}`),
    '',
    'EXPR is evaluated on the table after each event. Examples:',
    '  group 26 owner.kind = iommufd and holders.comm ~ qemu',
    '  device gpu state = bound or device gpu count(files) > 1',
    '  not (group 26 viable) and file kind = container',
    '- group, device or file selects the row that the following conditions test, up to the next of',
    '  these words. Without a name it is any row of that kind. The default is any group.',
    '- A condition is PATH OPERATOR VALUE, count(PATH) OPERATOR NUMBER, or just viable. Combine',
    '  conditions with and, or, not and parentheses.',
    '- PATH is made of the keys of table --json: owner.kind, since, opener.file, files.holders.pid.',
    '  holders is short for owner.holders. A list matches if one of its elements does.',
    '- OPERATOR is = != < <= > >=, ~ (contains) or !~. VALUE is a word, "text" or null.',
  ],
  options: {
    invariant: { type: 'string', value: 'NAME', help: 'find its first violation' },
    where: { type: 'string', value: 'EXPR', help: 'find where it first holds' },
    ...coverageOption,
    ...readingOptions,
  },
  operands: [0, 0],
  examples: [
    'vfio-ledger bisect --invariant one-context-per-group --log demo.ledger ' +
      '|| echo "it was never violated"',
    "vfio-ledger bisect --where 'group 26 owner.kind = iommufd and holders.comm = P3' " +
      '--log demo.ledger',
    "vfio-ledger bisect --where 'device nvme count(files) > 1' --json --log demo.ledger",
  ],
  async answer({ values }, io) {
    const { invariant, where } = values;
    if (invariant === undefined && where === undefined) {
      const known = invariantNames.join(', ');
      throw new RequestError(
        `bisect: --invariant NAME or --where EXPR is missing; invariants are ${known}`,
      );
    }
    if (invariant !== undefined && where !== undefined) {
      throw new RequestError('bisect: give either --invariant or --where, not both');
    }
    return readLog(values, io, async (ledger) => {
      io.progress.tell(`searching ${ledger.length} events`);
      const found = ledger.bisect({ invariant, where });
      const coverage = found?.coverage ?? ledger.coverage();
      await showCovered(io, values, found, coverage, () => {
        if (found !== null) return bisectionWords(found, ledger);
        return [neverFoundWords(invariant ?? null, coverage)];
      });
      return found === null ? exit.no : exit.done;
    });
  },
});
