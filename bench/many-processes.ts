/**
 * Living processes that have the files of owners open: each was forked by an owner. As many others come
 * after them, are refused a group and go, so that what an event costs beside all of them shows.
 *
 * @module
 */
import type { Fact } from '../events/vocabulary.ts';
import { loadFigure } from './load.ts';
import { ownersOf, triedBy, wideHost } from './wide-host.ts';

const GROUPS = 64;
const FIRST_CHILD = 100_000;
const FIRST_PASSING = 1_000_000;

export const manyProcesses = loadFigure({
  of: 'living processes',
  sizes: [1000, 3000, 10_000],
  *facts(size) {
    yield* wideHost({ groups: GROUPS, devices: GROUPS, processes: GROUPS });
    const owners = ownersOf(GROUPS);
    for (let at = 0; at < size; at++) {
      const pid = owners[at % GROUPS] ?? 0;
      const data = { pid, child: FIRST_CHILD + at, comm: 'helper' };
      yield { type: 'process.forked', data } satisfies Fact;
    }
    for (let at = 0; at < size; at++) {
      yield* triedBy(FIRST_PASSING + at, owners[at % GROUPS] ?? 0, (at % GROUPS) + 1);
    }
  },
  questions: {
    table: (ledger) => ledger.at('end').table(),
    'who of a group': (ledger) => ledger.at('end').who('1'),
    'history of a group': (ledger) => ledger.history('1'),
    'who of a process': (ledger) => ledger.at('end').who(`pid:${FIRST_CHILD}`),
    'history of all groups by a process': (ledger) => ledger.everOwned(`pid:${FIRST_CHILD}`),
    'never-shared of two processes': (ledger) =>
      ledger.attest('never-shared', `pid:${FIRST_CHILD}`, `pid:${FIRST_CHILD + 1}`),
    verify: (ledger) => ledger.verify(),
  },
});
