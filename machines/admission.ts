/**
 * Turns the checks of the operations into guards of the machines.
 *
 * A machine states where each event leads from each state (`Targets`). Whether the event is
 * admitted there follows from the lists of checks (`Admission`). `guardedStates` joins the two.
 *
 * @module
 */
import { and } from 'xstate';

export const machineNames = [
  'device',
  'group',
  'deviceFile',
  'groupFile',
  'container',
  'iommufd',
] as const;
export type MachineName = (typeof machineNames)[number];

/** Names of the guards that an event must pass in a state; `never` if a check always refuses it. */
export type Admission = (state: string, event: string) => readonly string[] | 'never';

/** Where an event leads: a state, or candidates tried in order, some with a guard of their own. */
type Leads<S extends string, G extends string> = S | readonly (S | readonly [S, G])[];

/** For each state, where each event leads. */
export type Targets<S extends string, E extends string, G extends string> = {
  readonly [state in S]: { readonly [event in E]?: Leads<S, G> };
};

/**
 * The `states` of an XState machine config: the targets, guarded as the checks demand. The first
 * state is the initial one. States that no event of this kernel reaches are left out.
 */
export function guardedStates<S extends string, E extends string, G extends string>(
  targets: Targets<S, E, G>,
  admission: Admission,
) {
  const states = Object.entries(targets).map(([state, events]) => [
    state,
    {
      on: Object.fromEntries(
        Object.entries(events as Record<string, Leads<S, G>>).flatMap(([event, leads]) => {
          const required = admission(state, event);
          if (required === 'never') return [];
          const candidates = typeof leads === 'string' ? [leads] : leads;
          return [[event, candidates.map((candidate) => transition<S, G>(candidate, required))]];
        }),
      ),
    },
  ]);
  return reachable(Object.fromEntries(states)) as Record<
    S,
    { on: { [event in E]?: { target: S; guard?: G; actions: 'record' }[] } }
  >;
}

interface Leaving {
  readonly on: Readonly<Record<string, readonly { readonly target: string }[]>>;
}

function reachable(states: Readonly<Record<string, Leaving>>): Record<string, Leaving> {
  const [first = ''] = Object.keys(states);
  const reached = new Set([first]);
  for (const state of reached) {
    for (const candidates of Object.values(states[state]?.on ?? {})) {
      for (const { target } of candidates) reached.add(target);
    }
  }
  return Object.fromEntries(Object.entries(states).filter(([state]) => reached.has(state)));
}

function transition<S extends string, G extends string>(
  candidate: S | readonly [S, G],
  required: readonly string[],
) {
  const [target, own] = typeof candidate === 'string' ? [candidate, null] : candidate;
  const guards = own === null ? required : [...required, own];
  const [first] = guards;
  if (first === undefined) return { target, actions: 'record' as const };
  const guard = guards.length === 1 ? first : and([...guards]);
  return { target, guard: guard as G, actions: 'record' as const };
}
