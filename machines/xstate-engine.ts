/**
 * Steps a machine by XState's own `transition()` instead of the table. `verify`, tests and
 * benchmarks compare the two.
 *
 * @module
 */
import { transition, type AnyEventObject, type AnyMachineSnapshot } from 'xstate';
import type { Machine } from './flat-machine.ts';

/**
 * The machine with `transition()` behind its table; a step takes 10 to 50 µs. `record` throws
 * `TypeError` unless it follows `next` with the same arguments.
 */
export function steppedByXState({ machine, table }: Machine): Machine {
  const at = (value: string, context: object) =>
    machine.resolveState({ value, context }) as AnyMachineSnapshot;
  // `record` is called right after `next` for the same event.
  let last: { readonly context: object; readonly event: object; readonly after: object } | null;
  last = null;
  return {
    machine,
    table: {
      ...table,
      next(state, context: object, event: AnyEventObject) {
        const current = at(state, context);
        if (!current.can(event)) return null;
        const [next] = transition(machine, current, event) as [AnyMachineSnapshot, unknown];
        last = { context, event, after: next.context as object };
        return next.value as string;
      },
      record(context: object, event: object) {
        if (last?.context === context && last.event === event) return last.after;
        throw new TypeError(`machine '${machine.id}': next() must come right before record()`);
      },
    },
  };
}
