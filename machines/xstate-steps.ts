/**
 * The steps of a machine as XState makes them, without asking XState for equal steps again.
 * `verify` compares the steps of the table with them.
 *
 * @module
 */
import type { Machine } from './flat-machine.ts';
import type { Instance } from './instances.ts';
import { assignmentOf, type MachineEvent, type TransitionTable } from './transition-table.ts';
import { steppedByXState } from './xstate-engine.ts';

type Guards = TransitionTable['transitions'][number]['admits'];

/** A machine after an event. */
interface XStateStep {
  /** Null if no transition admits the event. */
  readonly state: string | null;
  readonly record: object;
}

/**
 * Two steps are equal if they have the same state, event type, and answers of *all* guards of the
 * machine, whether or not the table or the machine asks them in that state.
 *
 * Once for equal steps, XState's `transition()` is asked: whether a transition admits the event,
 * where it leads, and whether it changes the memory by the machine's `assign` and by nothing else.
 * XState reads memory and event only in guards and in `assign`, or else `tabulate` throws; so it
 * takes the same transition for an equal step. If XState's memory is not what `assign` makes, equal
 * steps are asked again.
 *
 * For every step, all guards and the machine's own `assign` are called anew, on the step's memory
 * and event. Nothing of the table is used: neither its candidates nor its `record`.
 */
export class XStateSteps {
  readonly #xstate: TransitionTable;
  readonly #guards: Guards;
  readonly #assign: (asked: { readonly context: object; readonly event: MachineEvent }) => object;
  /** By key, the state that equal steps lead to. */
  readonly #targets = new Map<string, string | null>();

  constructor(machine: Machine) {
    const { implementations } = machine.machine;
    this.#xstate = steppedByXState(machine).table;
    this.#guards = Object.values(implementations.guards) as unknown as Guards;
    this.#assign = assignmentOf(machine.machine);
  }

  /** The state and the memory after an event. */
  after({ state, record: context }: Instance<string, object>, event: MachineEvent): XStateStep {
    let answers = 0;
    for (const holds of this.#guards) answers = answers * 2 + (holds({ context, event }) ? 1 : 0);
    const key = `${state} ${event.type} ${answers}`;
    const known = this.#targets.get(key);
    if (known === null) return { state: null, record: context };
    const assigned = this.#assign({ context, event });
    if (known !== undefined) return { state: known, record: assigned };
    const target = this.#xstate.next(state, context, event);
    const record = target === null ? context : this.#xstate.record(context, event);
    if (target === null || isSameMemory(record, assigned)) this.#targets.set(key, target);
    return { state: target, record };
  }
}

/** Whether memories of machines are equal: plain data and maps, with keys and entries in order. */
export function isSameMemory(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (a instanceof Map || b instanceof Map) {
    if (!(a instanceof Map && b instanceof Map) || a.size !== b.size) return false;
    const entries = b.entries();
    for (const entry of a) if (!isSameMemory(entry, entries.next().value)) return false;
    return true;
  }
  const [left, right] = [a as Record<string, unknown>, b as Record<string, unknown>];
  const [keys, others] = [Object.keys(left), Object.keys(right)];
  if (keys.length !== others.length) return false;
  return keys.every((key, at) => key === others[at] && isSameMemory(left[key], right[key]));
}
