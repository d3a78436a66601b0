import { describe, expect, test } from 'vitest';
import { assign, setup, type AnyStateMachine } from 'xstate';
import { tabulate } from '../../machines/transition-table.ts';

const base = setup({
  types: {} as { context: object; events: { type: 'a' } },
  guards: { yes: () => true },
  actions: { record: assign({}), other: assign({}) },
});

/** Machines that say something which a table could not. */
const unspeakable: Record<string, () => AnyStateMachine> = {
  'a nested state': () =>
    base.createMachine({
      initial: 'x',
      context: {},
      states: { x: { initial: 'y', states: { y: {} } } },
    }),
  'an eventless transition': () =>
    base.createMachine({ initial: 'x', context: {}, states: { x: { always: 'y' }, y: {} } }),
  'a final state': () =>
    base.createMachine({ initial: 'x', context: {}, states: { x: { type: 'final' } } }),
  'an inline guard': () =>
    base.createMachine({
      initial: 'x',
      context: {},
      states: { x: { on: { a: { guard: () => true, actions: 'record' } } } },
    }),
  'a second action': () =>
    base.createMachine({
      initial: 'x',
      context: {},
      states: { x: { on: { a: { actions: ['record', 'other'] } } } },
    }),
  'a wildcard': () =>
    base.createMachine({
      initial: 'x',
      context: {},
      states: { x: { on: { '*': { actions: 'record' } } } },
    }),
  'a transition of the root': () =>
    base.createMachine({
      initial: 'x',
      context: {},
      on: { a: { actions: 'record' } },
      states: { x: {} },
    }),
  'an entry action': () =>
    base.createMachine({ initial: 'x', context: {}, states: { x: { entry: 'record' } } }),
};

describe('a machine that a table cannot say is refused when it is loaded', () => {
  test.each(Object.entries(unspeakable))('%s', (_name, make) => {
    expect(() => tabulate(make())).toThrow(TypeError);
  });
});
