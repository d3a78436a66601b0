/**
 * The same kernel with XState itself in the place of the tables.
 *
 * @module
 */
import { type AnyActor, type AnyEventObject, type AnyMachineSnapshot, createActor } from 'xstate';
import type { MachineName } from '../../machines/admission.ts';
import type { MachineEvents } from '../../machines/check.ts';
import type { Instance } from '../../machines/instances.ts';
import { Kernel } from '../../machines/kernel.ts';

/** `transition()`, a pure function, does what the tables do. */
export function transitionKernel(): Kernel {
  return new Kernel({ engine: 'xstate' });
}

/** Each instance of a machine is an actor, which is sent the events that the instance takes. */
export function actorKernel(): Kernel {
  return new ActorKernel();
}

class ActorKernel extends Kernel {
  readonly #actors = new WeakMap<object, AnyActor>();

  override admits<M extends MachineName>(
    name: M,
    instance: Instance<string, object>,
    event: MachineEvents[M],
  ): boolean {
    const snapshot = this.#actorOf(name, instance).getSnapshot() as AnyMachineSnapshot;
    return snapshot.can(event as AnyEventObject);
  }

  protected override step<M extends MachineName>(
    name: M,
    instance: Instance<string, object>,
    event: NonNullable<MachineEvents[M]>,
  ): Instance<string, object> | null {
    const actor = this.#actorOf(name, instance);
    const before = actor.getSnapshot() as AnyMachineSnapshot;
    actor.send(event);
    const after = actor.getSnapshot() as AnyMachineSnapshot;
    if (after === before) return null;
    return { state: String(after.value), record: after.context };
  }

  #actorOf(name: MachineName, instance: Instance<string, object>): AnyActor {
    let actor = this.#actors.get(instance);
    if (actor === undefined) {
      const { machine } = this.rules.machines[name];
      const snapshot = machine.resolveState({ value: instance.state, context: instance.record });
      actor = createActor(machine, { snapshot }).start();
      this.#actors.set(instance, actor);
    }
    return actor;
  }
}
