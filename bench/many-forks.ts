/**
 * `why` of a refusal that processes are in the way of: an owner and its children, or a chain of children.
 *
 * @module
 */
import type { Fact } from '../events/vocabulary.ts';
import type { Ledger } from '../ledger.ts';
import { loadFigure } from './load.ts';
import { ownersOf, wideHost } from './wide-host.ts';

const FIRST_CHILD = 100_000;
const NEWCOMER = 99_000;

/** The owner forks; `parentOf` says which process forks the child with a number. */
function* behindForks(size: number, parentOf: (child: number, owner: number) => number) {
  yield* wideHost({ groups: 1, devices: 1, processes: 1 });
  const [owner = 0] = ownersOf(1);
  for (let at = 0; at < size; at++) {
    const data = { pid: parentOf(at, owner), child: FIRST_CHILD + at, comm: 'helper' };
    yield { type: 'process.forked', data } satisfies Fact;
  }
  const pid = NEWCOMER;
  yield { type: 'process.started', data: { pid, comm: 'qemu', cgroup: null } } satisfies Fact;
  const refused = { operation: 'open_group', pid, group: '1', cloexec: true } as const;
  yield { type: 'operation.refused', data: { ...refused, errno: 'EBUSY' } } satisfies Fact;
}

const sizes = [300, 1000, 3000, 10_000];
const questions = {
  why: (ledger: Ledger) => ledger.why('g1'),
} as const;

export const manyForks = loadFigure({
  of: 'forks of the owner',
  sizes,
  facts: (size) => behindForks(size, (_, owner) => owner),
  questions,
});

export const chainOfForks = loadFigure({
  of: 'forks, each of the child before',
  sizes,
  facts: (size) => behindForks(size, (at, owner) => (at === 0 ? owner : FIRST_CHILD + at - 1)),
  questions,
});
