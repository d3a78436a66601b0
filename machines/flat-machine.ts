/**
 * Builds a flat XState machine and its transition table from guards, targets and `remember`.
 *
 * `remember` alone writes the machine's memory (XState's context), on a draft. The machine's
 * `assign` calls it on a copy, and replay takes that `assign` out of the machine
 * (`transition-table.ts`).
 *
 * @module
 */
import { assign, setup, type AnyStateMachine } from 'xstate';
import { guardedStates, type Admission, type Targets } from './admission.ts';
import { tabulate, type TransitionTable } from './transition-table.ts';

/** A writable copy of a machine's memory. */
export type Draft<R> = { -readonly [K in keyof R]: R[K] };

/** The argument of a guard. */
export interface GuardArgs<R, E> {
  readonly context: R;
  readonly event: E;
}

interface FlatMachine<
  S extends string,
  R extends object,
  E extends { type: string },
  G extends string,
> {
  readonly id: string;
  /** The memory that the machine begins with. */
  readonly fresh: R;
  readonly guards: Readonly<Record<G, (asked: GuardArgs<R, E>) => boolean>>;
  /** Where each event leads. The machine begins in the first of these states. */
  readonly targets: Targets<S, E['type'], G>;
  /** Writes what the machine remembers after an admitted event. */
  readonly remember: (draft: Draft<R>, event: E) => void;
  /** Makes a draft. Each machine has its own: V8 copies faster if all records have one shape. */
  readonly copy: (record: R) => Draft<R>;
}

/** An XState machine and the table read out of it. */
export interface Machine {
  /** @internal */
  readonly machine: AnyStateMachine;
  readonly table: TransitionTable;
}

/**
 * Returns a function that builds the machine once the admission of events is known. That function
 * throws `TypeError` if a table cannot express the machine.
 */
export function flatMachine<
  S extends string,
  R extends object,
  E extends { readonly type: string },
  G extends string,
>({
  id,
  fresh,
  guards,
  targets,
  remember,
  copy,
}: FlatMachine<S, R, E, G>): (admission: Admission) => Machine {
  const [initial] = Object.keys(targets) as S[];
  return (admission) => {
    const machine = setup({
      types: {} as { context: R; events: E },
      guards,
      actions: {
        record: assign(({ context, event }) => {
          const draft = copy(context);
          remember(draft, event);
          return draft;
        }),
      },
    }).createMachine({
      id,
      initial: initial as S,
      context: fresh,
      states: guardedStates(targets, admission),
    } as never) as unknown as AnyStateMachine;
    return { machine, table: tabulate(machine) };
  };
}
