/**
 * The machines as configs in JSON, as `createMachine` of XState 5 takes them: in a program, and in
 * code that the editor of Stately imports.
 *
 * @module
 */
import type { Machine } from './flat-machine.ts';

interface TransitionConfig {
  readonly target: string;
  readonly guard?: string;
  readonly actions: 'record';
}

/** A flat machine as data; what its guards and `record` do is not part of it. */
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
 * Guards that must all hold are one guard, named `a && b`. XState's own `and([...])` is a function
 * and no data, and `{ type, params }` would have the editor draw every such arrow as `and`; a name
 * it draws as it stands, and each part of it is the name of a guard of ours.
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

/** A memory as JSON has it: a map as the list of its entries. */
function plain(memory: unknown): unknown {
  return JSON.parse(
    JSON.stringify(memory, (_key, value: unknown) => (value instanceof Map ? [...value] : value)),
  );
}
