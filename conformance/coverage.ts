/**
 * What of the rules an operation has put to the test: the transitions that machines took, and the
 * row of the table of causes that a refusal fell under.
 *
 * @module
 */
import { ScenarioHost } from '../host/scenario-host.ts';
import { machineNames, type MachineName } from '../machines/admission.ts';
import { kernelRules } from '../machines/machines.ts';
import type { Profile } from '../machines/profile.ts';
import type { OperationStatement } from '../scenario/language.ts';
import type { Topology } from '../scenario/topology.ts';

/** A transition of a machine, or a check of an operation, in a word. */
export type Item = string;

interface Arrow {
  readonly from: string;
  readonly event: string;
  readonly guards: readonly string[];
  readonly target: string;
}

/** `group: unowned --device.bound [fileClosed]--> iommufd`, as the picture of the machine has it. */
function transitionItem(machine: MachineName, arrow: Arrow): Item {
  const { from, event, guards, target } = arrow;
  const guarded = guards.length === 0 ? event : `${event} [${guards.join(', ')}]`;
  return `${machine}: ${from} --${guarded}--> ${target}`;
}

/** `bind: EPERM owned-by-other-iommufd` */
export function refusalItem(operation: string, errno: string, cause: string): Item {
  return `${operation}: ${errno} ${cause}`;
}

/** A host whose operations tell what they have put to the test. */
export class ObservedHost {
  readonly host: ScenarioHost;
  #items: Item[] = [];

  constructor(topology: Topology, profile: Profile) {
    const { machines } = kernelRules(profile);
    this.host = new ScenarioHost(topology, profile);
    this.host.live.observe((name, before, event) => {
      const taken = machines[name].table.transitions.find(
        (transition) =>
          transition.from === before.state &&
          transition.event === event.type &&
          transition.admits.every((guard) => guard({ context: before.record, event })),
      );
      if (taken !== undefined) this.#items.push(transitionItem(name, taken));
    });
  }

  boot(name: string): Item[] {
    this.#items = [];
    this.host.boot(name);
    return this.#items;
  }

  play(statement: OperationStatement) {
    this.#items = [];
    const check = this.host.live.judge(this.host.foresee(statement))?.check ?? null;
    const { answer } = this.host.play(statement);
    const { errno, cause } = answer;
    if (errno !== undefined && cause !== undefined) {
      this.#items.push(refusalItem(statement.operation, errno, cause));
    }
    return { answer, check, items: this.#items };
  }
}

/** Every transition of every machine of a profile. */
export function allTransitions(profile: Profile): { machine: MachineName; item: Item }[] {
  const { machines } = kernelRules(profile);
  return machineNames.flatMap((machine) =>
    machines[machine].table.transitions.map((arrow) => ({
      machine,
      item: transitionItem(machine, arrow),
    })),
  );
}
