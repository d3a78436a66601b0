/**
 * `attest`: prints what the evidence proves of tenants, so that it can be filed and checked.
 *
 * @module
 */
import type { AttestQuestion } from '../ledger.ts';
import { attestationWords } from '../words/attest.ts';
import { allHostsOption, askHosts } from './all-hosts.ts';
import { exit } from './failure.ts';
import { placeOf, readingOptions, readLog, sayLogEnds } from './log-file.ts';
import { show, verb } from './verb.ts';

/** Prints a verdict with all that it rests on. Exit 1 unless it is `proved`. */
export const attest = verb({
  name: 'attest',
  usage:
    'attest never-shared TENANT TENANT | attest never-owned|sole-owner SUBJECT TENANT ' +
    '[--from WHEN] [--to WHEN]',
  summary: 'Says whether the evidence proves that tenants never shared a group or never owned one',
  details: [
    'A TENANT is a process or several: pid:4711, vm:NAME (its control group or command line names the',
    'virtual machine), cgroup:PATH (that control group and those below it) or comm:NAME.',
    '  never-shared: the two tenants never had a hand in one group at the same time. A hand is a',
    '    descriptor, a mapping or a kernel reference of a file that opens the group, is bound in it or',
    '    keeps its owner alive',
    '  never-owned: no hand of TENANT ever kept the owner of SUBJECT, a device or a group, alive',
    '  sole-owner: each hand that did was of TENANT, there was one, and kernel drivers never owned it',
    'The verdict is refuted if one instance was seen, whatever else is unknown. It is not-known if',
    'anything of the range was not seen, or if it is not known to which tenant a hand belongs: strace',
    'of one process never proves that there was no other. Else it is proved. Exit 1 unless it is.',
    'The range is the states after FROM to the one after TO; it is all of the log by default.',
    'The answer says whether it comes from the cache LOG.index, which whoever can write to that folder can',
    'change. With --no-index, and for whoever must not trust the cache, the events themselves are judged.',
  ],
  options: {
    from: { type: 'string', value: 'WHEN', help: 'begin with the state after this moment' },
    to: { type: 'string', value: 'WHEN', help: 'end with the state after this moment' },
    ...allHostsOption,
    ...readingOptions,
  },
  operands: [3, 3],
  examples: [
    'vfio-ledger attest never-shared comm:P1 comm:P2 --log demo.ledger || echo "not proved"',
    'vfio-ledger attest never-owned 41 comm:P2 --log demo.ledger',
    'vfio-ledger attest never-owned 41 comm:P2 --all-hosts --log demo.ledger',
    'vfio-ledger attest sole-owner gpu pid:101 --to 16 --json --log demo.ledger',
  ],
  async answer({ values: given, operands: [question = '', one = '', other = ''] }, output) {
    const { address, files } = placeOf(given, output.env);
    return askHosts(given, output, async (values, io) =>
      readLog(values, io, async (ledger) => {
        io.progress.tell(`searching ${ledger.length} events`);
        const { from, to } = values;
        // The ledger tells which questions there are.
        sayLogEnds(io, ledger, from ?? 'start', to ?? 'end');
        const found = ledger.attest(question as AttestQuestion, one, other, { from, to });
        await show(io, values.json, found, () =>
          attestationWords(found, { address, host: ledger.host, files }),
        );
        return found.verdict === 'proved' ? exit.done : exit.no;
      }),
    );
  },
});
