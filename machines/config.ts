/**
 * Exports a machine as a JSON config for `createMachine` of XState 5. Programs can load it, and
 * Stately's editor can import code that contains it.
 *
 * @module
 */
import type { Machine } from './flat-machine.ts';

interface TransitionConfig {
  readonly target: string;
  readonly guard?: string;
  readonly actions: 'record';
}

/** A flat machine as data, without the code of its guards and of `record`. */
interface MachineConfig {
  readonly id: string;
  readonly initial: string;
  readonly context: unknown;
  readonly states: Readonly<
    Record<string, { readonly on: Record<string, readonly TransitionConfig[]> }>
  >;
}

/**
 * The config of a machine.
 *
 * Guards that must all hold become one guard, named `a && b`. XState's own `and([...])` is a
 * function and not data, and for `{ type, params }` the editor draws every such arrow as `and`. It
 * draws a name as it is, and each part of the name is the name of a guard.
 */
export function configOf({ machine, table }: Machine): MachineConfig {
  const states = table.states.map((state) => {
    const on: Record<string, TransitionConfig[]> = {};
    for (const { from, event, guards, target } of table.transitions) {
      if (from !== state) continue;
      const guarded = guards.length === 0 ? {} : { guard: guards.join(' && ') };
      on[event] = [...(on[event] ?? []), { target, ...guarded, actions: 'record' }];
    }
    return [state, { on }] as const;
  });
  return {
    id: machine.id,
    initial: table.initial,
    context: plain(machine.config.context),
    states: Object.fromEntries(states),
  };
}

/** A machine's memory as JSON; a map becomes the list of its entries. */
function plain(memory: unknown): unknown {
  return JSON.parse(
    JSON.stringify(memory, (_key, value: unknown) => (value instanceof Map ? [...value] : value)),
  );
}
