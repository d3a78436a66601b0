/**
 * The same kernel with XState itself in the place of the tables.
 *
 * @module
 */
import {
  type AnyActor,
  type AnyEventObject,
  type AnyMachineSnapshot,
  type AnyStateMachine,
  createActor,
  transition,
} from 'xstate';
import type { MachineName } from '../../machines/admission.ts';
import type { MachineEvents } from '../../machines/check.ts';
import type { Instance } from '../../machines/host.ts';
import { Kernel } from '../../machines/kernel.ts';
import type { KernelRules, Machine } from '../../machines/machines.ts';

/** What XState makes of an event. */
type Step = (machine: AnyStateMachine, from: AnyMachineSnapshot, event: AnyEventObject) => unknown;

/** A machine that asks XState where an event leads; what is admitted has a new memory. */
function steppedBy(step: Step, { machine, table }: Machine): Machine {
  let memory: unknown;
  return {
    machine,
    table: {
      ...table,
      next(state, context, event) {
        const before = machine.resolveState({ value: state, context: context as object });
        const after = step(machine, before, event) as AnyMachineSnapshot;
        memory = after.context;
        return memory === before.context ? null : (after.value as typeof state);
      },
    },
    record: () => memory,
  };
}

class SteppedKernel extends Kernel {
  readonly #step: Step;

  constructor(step: Step) {
    super();
    this.#step = step;
  }

  override reset(...boot: Parameters<Kernel['reset']>): void {
    super.reset(...boot);
    const machines = Object.entries(this.rules.machines).map(([name, machine]) => [
      name,
      steppedBy(this.#step, machine),
    ]);
    const replaced = Object.fromEntries(machines) as KernelRules['machines'];
    this.rules = { ...this.rules, machines: replaced };
  }
}

/** `transition()`, a pure function, does what the tables do. */
export function transitionKernel(): Kernel {
  return new SteppedKernel((machine, from, event) => {
    const [next] = transition(machine, from, event) as [AnyMachineSnapshot, unknown];
    return next;
  });
}

/** Each instance of a machine is an actor, which is sent the events that the instance takes. */
export function actorKernel(): Kernel {
  return new ActorKernel();
}

class ActorKernel extends SteppedKernel {
  readonly #actors = new WeakMap<object, AnyActor>();
  #current: AnyActor | null = null;

  constructor() {
    super((_machine, _from, event) => {
      this.#current?.send(event);
      return this.#current?.getSnapshot();
    });
  }

  override admits<M extends MachineName>(
    name: M,
    instance: Instance<string, unknown>,
    event: MachineEvents[M],
  ): boolean {
    const snapshot = this.#actorOf(name, instance).getSnapshot() as AnyMachineSnapshot;
    return snapshot.can(event as AnyEventObject);
  }

  override put<M extends MachineName>(
    name: M,
    instance: Instance<string, unknown>,
    event: NonNullable<MachineEvents[M]>,
  ): void {
    this.#current = this.#actorOf(name, instance);
    super.put(name, instance, event);
  }

  #actorOf(name: MachineName, instance: Instance<string, unknown>): AnyActor {
    let actor = this.#actors.get(instance);
    if (actor === undefined) {
      const { machine } = this.rules.machines[name];
      const snapshot = machine.resolveState({
        value: instance.state,
        context: instance.record as object,
      });
      actor = createActor(machine, { snapshot }).start();
      this.#actors.set(instance, actor);
    }
    return actor;
  }
}
