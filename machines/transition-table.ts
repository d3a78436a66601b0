/**
 * A flat XState machine, read once into a table: a replay pays a lookup and not an actor an event.
 *
 * The machine stays the truth. What a table cannot say (nested states, eventless or delayed
 * transitions, inline guards) is refused when the machine is loaded and not met in a replay.
 *
 * @module
 */
import { and, type AnyStateMachine, type AnyStateNode, type EventObject } from 'xstate';

/** What `and([...])` looks like from outside, to tell it from `or` and `not`. */
const conjunction = and([]) as unknown as { readonly check: unknown };

type GuardPredicate = (asked: { readonly context: object; readonly event: EventObject }) => boolean;

/** One candidate transition: taken when all of its guards hold. Candidates keep their order. */
interface Transition {
  readonly from: string;
  readonly event: string;
  readonly guards: readonly string[];
  readonly target: string;
  readonly admits: readonly GuardPredicate[];
}

export interface TransitionTable {
  readonly initial: string;
  readonly states: readonly string[];
  readonly transitions: readonly Transition[];
  /** The state that the event leads to, or null where no transition admits it. */
  next(state: string, context: object, event: EventObject): string | null;
  /** What the machine remembers after an event that it admitted: its own `assign`, and no other. */
  record(context: object, event: EventObject): object;
}

/**
 * Reads the table out of a machine. Throws `TypeError` on whatever a table cannot say.
 *
 * @internal
 */
export function tabulate(machine: AnyStateMachine): TransitionTable {
  if (machine.root.type !== 'compound' || machine.root.transitions.size > 0) {
    throw new TypeError(`machine '${machine.id}': a table cannot say transitions of the root`);
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

/** The function within the machine's only action, `record: assign(…)`. */
function assignmentOf(machine: AnyStateMachine) {
  const { assignment } = machine.implementations.actions['record'] as { assignment?: unknown };
  if (typeof assignment !== 'function') {
    throw new TypeError(`machine '${machine.id}': 'record' must assign by a function`);
  }
  return assignment as (asked: { readonly context: object; readonly event: EventObject }) => object;
}

function transitionsOf(machine: AnyStateMachine, node: AnyStateNode): Transition[] {
  const { always = [], after, invoke, entry, exit } = node;
  if (node.type !== 'atomic' || [always, after, invoke, entry, exit].some((b) => b.length > 0)) {
    throw new TypeError(`machine '${machine.id}': a table cannot say state '${node.key}'`);
  }
  return [...node.transitions].flatMap(([event, definitions]) => {
    if (event.endsWith('*')) throw new TypeError(`machine '${machine.id}': no wildcards`);
    return definitions.map(({ actions, guard, target }) => {
      if (actions.length !== 1 || actions[0] !== 'record') {
        throw new TypeError(`machine '${machine.id}': '${event}' must do 'record' and only that`);
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

/** The names behind a guard: none, one, or those that `and([...])` holds. */
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
