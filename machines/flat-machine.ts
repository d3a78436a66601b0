/**
 * A flat machine, from what it remembers and where each event leads: an XState machine, and the table
 * that is read out of it.
 *
 * The memory is written once, by `remember`, which writes a draft. The machine's own `assign` calls it
 * on a copy, and replay takes it from there (`transition-table.ts`).
 *
 * @module
 */
import { assign, setup, type AnyStateMachine } from 'xstate';
import { guardedStates, type Admission, type Targets } from './admission.ts';
import { tabulate, type TransitionTable } from './transition-table.ts';

/** `R` while it is being filled in: its keys can be written. */
export type Draft<R> = { -readonly [K in keyof R]: R[K] };

/** What a guard looks at. */
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
  /** What it remembers in the beginning. */
  readonly fresh: R;
  readonly guards: Readonly<Record<G, (asked: GuardArgs<R, E>) => boolean>>;
  /** The machine begins in the first of these states. */
  readonly targets: Targets<S, E['type'], G>;
  /** Writes what the machine remembers after an event that it admitted. */
  readonly remember: (draft: Draft<R>, event: E) => void;
  /** A draft that can be written. Each machine's own, as V8 copies fast where all are of one shape. */
  readonly copy: (record: R) => Draft<R>;
}

/** A machine and its table. */
export interface Machine {
  /** @internal */
  readonly machine: AnyStateMachine;
  readonly table: TransitionTable;
}

/** Gives what makes the machine, once it is known what admits each event. */
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
