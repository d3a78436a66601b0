/**
 * Reads a flat XState machine into a table: a replay pays one lookup per event, and no actor.
 *
 * The machine is the definition. `tabulate` refuses at load what a table cannot express: nested
 * states, eventless or delayed transitions, inline guards.
 *
 * @module
 */
import { and, type AnyStateMachine, type AnyStateNode } from 'xstate';

/** A sample of `and([...])`: its `check` function tells it from `or` and `not`. */
const conjunction = and([]) as unknown as { readonly check: unknown };

/** An event as a machine takes it. */
interface MachineEvent {
  readonly type: string;
}

type GuardPredicate = (asked: {
  readonly context: object;
  readonly event: MachineEvent;
}) => boolean;

/** One candidate transition, taken if all of its guards hold. Candidates are tried in order. */
interface Transition {
  readonly from: string;
  readonly event: string;
  readonly guards: readonly string[];
  readonly target: string;
  readonly admits: readonly GuardPredicate[];
}

/** The transitions of a machine, with the two functions that a replay calls for each event. */
export interface TransitionTable {
  readonly initial: string;
  readonly states: readonly string[];
  readonly transitions: readonly Transition[];
  /** The state that an event leads to; null if no transition admits it. */
  next(state: string, context: object, event: MachineEvent): string | null;
  /** The memory after an admitted event, computed by the machine's own `assign`. */
  record(context: object, event: MachineEvent): object;
}

/**
 * Reads the table out of a machine. Throws `TypeError` for anything that a table cannot express.
 *
 * @internal
 */
export function tabulate(machine: AnyStateMachine): TransitionTable {
  if (machine.root.type !== 'compound' || machine.root.transitions.size > 0) {
    throw new TypeError(`machine '${machine.id}': a table cannot express transitions of the root`);
  }
  const transitions = Object.values(machine.root.states).flatMap((node) =>
    transitionsOf(machine, node),
  );
  const candidates = new Map<string, Map<string, Transition[]>>();
  for (const transition of transitions) {
    const byEvent = candidates.get(transition.from) ?? new Map<string, Transition[]>();
    candidates.set(transition.from, byEvent);
    byEvent.set(transition.event, [...(byEvent.get(transition.event) ?? []), transition]);
  }
  const assignment = assignmentOf(machine);
  return {
    initial: machine.root.initial.target[0]?.key as string,
    states: Object.keys(machine.root.states),
    transitions,
    next(state, context, event) {
      for (const { admits, target } of candidates.get(state)?.get(event.type) ?? []) {
        if (admits.every((guard) => guard({ context, event }))) return target;
      }
      return null;
    },
    record: (context, event) => assignment({ context, event }),
  };
}

/** The function inside the machine's only action, `record: assign(…)`. */
function assignmentOf(machine: AnyStateMachine) {
  const { assignment } = machine.implementations.actions['record'] as { assignment?: unknown };
  if (typeof assignment !== 'function') {
    throw new TypeError(`machine '${machine.id}': 'record' must assign by a function`);
  }
  return assignment as (asked: {
    readonly context: object;
    readonly event: MachineEvent;
  }) => object;
}

function transitionsOf(machine: AnyStateMachine, node: AnyStateNode): Transition[] {
  const { always = [], after, invoke, entry, exit } = node;
  if (node.type !== 'atomic' || [always, after, invoke, entry, exit].some((b) => b.length > 0)) {
    throw new TypeError(`machine '${machine.id}': a table cannot express state '${node.key}'`);
  }
  return [...node.transitions].flatMap(([event, definitions]) => {
    if (event.endsWith('*')) {
      throw new TypeError(`machine '${machine.id}': a table cannot express event '${event}'`);
    }
    return definitions.map(({ actions, guard, target }) => {
      if (actions.length !== 1 || actions[0] !== 'record') {
        throw new TypeError(
          `machine '${machine.id}': '${event}' must have the one action 'record'`,
        );
      }
      const guards = namesOf(machine, guard);
      return {
        from: node.key,
        event,
        guards,
        target: target?.[0]?.key ?? node.key,
        admits: guards.map((name) => machine.implementations.guards[name] as GuardPredicate),
      };
    });
  });
}

/** The names in a guard: none, one, or those in `and([...])`. */
function namesOf(machine: AnyStateMachine, guard: unknown): string[] {
  const parts: readonly unknown[] =
    guard === undefined ? [] : typeof guard === 'string' ? [guard] : conjuncts(guard);
  for (const part of parts) {
    if (typeof part !== 'string' || typeof machine.implementations.guards[part] !== 'function') {
      throw new TypeError(`machine '${machine.id}': guards must be named in setup()`);
    }
  }
  return parts as string[];
}

function conjuncts(guard: unknown): readonly unknown[] {
  const { check, guards } = guard as { check?: unknown; guards?: readonly unknown[] };
  return check === conjunction.check && guards !== undefined ? guards : [guard];
}
