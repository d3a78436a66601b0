/**
 * Tables that differ from their machine, in every way and at every place where they may.
 *
 * @module
 */
import type { TransitionTable } from '../../machines/transition-table.ts';

export type Fault = 'wrong target' | 'missing guard' | 'other order' | 'other record';
type Transitions = TransitionTable['transitions'];

export interface FaultyTable extends Pick<TransitionTable, 'next' | 'record'> {
  readonly fault: Fault;
  readonly where: string;
}

export function* faultyTables(table: TransitionTable): Generator<FaultyTable> {
  const { transitions, states } = table;
  // A copy: the table may come to be the faulty one.
  const right = { ...table };
  const next: TransitionTable['next'] = (...asked) => right.next(...asked);
  const record: TransitionTable['record'] = (...asked) => right.record(...asked);
  for (const [at, transition] of transitions.entries()) {
    const { from, event, guards, target, admits } = transition;
    const where = `${event} in ${from}`;
    const withOther = (...others: Transitions) => ({
      where,
      record,
      next: nextBy(transitions.toSpliced(at, others.length, ...others)),
    });
    for (const other of states.filter((state) => state !== target)) {
      yield { fault: 'wrong target', ...withOther({ ...transition, target: other }) };
    }
    for (const guard of guards.keys()) {
      const left = admits.toSpliced(guard, 1);
      yield { fault: 'missing guard', ...withOther({ ...transition, admits: left }) };
    }
    const following = transitions[at + 1];
    if (following?.from !== from || following.event !== event) continue;
    yield { fault: 'other order', ...withOther(following, transition) };
  }
  for (const type of new Set(transitions.map(({ event }) => event))) {
    for (const parity of [0, 1]) {
      const where = `${type} of ${parity === 0 ? 'even' : 'odd'} length`;
      yield { fault: 'other record', where, next, record: spoiled(record, type, parity) };
    }
  }
}

function nextBy(transitions: Transitions): TransitionTable['next'] {
  return (state, context, event) => {
    const taken = transitions.find(
      ({ from, event: type, admits }) =>
        from === state && type === event.type && admits.every((holds) => holds({ context, event })),
    );
    return taken?.target ?? null;
  };
}

/** The record is another one after some of the events of a type: it depends on their data. */
function spoiled(
  record: TransitionTable['record'],
  type: string,
  parity: number,
): TransitionTable['record'] {
  return (context, event) => {
    const right = record(context, event);
    if (event.type !== type || JSON.stringify(event).length % 2 !== parity) return right;
    const [key = 'spoiled'] = Object.keys(right).toReversed();
    const was: unknown = right[key as keyof typeof right];
    return { ...right, [key]: Array.isArray(was) ? [...was, 99] : 99 };
  };
}
