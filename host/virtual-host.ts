/**
 * A host that runs on the machines: calls in, answers and facts out.
 *
 * @module
 */
import type { Call, Fact, Placed } from '../events/vocabulary.ts';
import type { Question } from '../machines/check.ts';
import { isViable } from '../machines/group.ts';
import { judge } from '../machines/judge.ts';
import { Kernel } from '../machines/kernel.ts';
import type { Profile } from '../machines/profile.ts';
import type { Outcome } from '../scenario/facts.ts';
import type { OperationStatement } from '../scenario/language.ts';
import { Player, type Answer } from '../scenario/player.ts';
import type { Topology } from '../scenario/topology.ts';
import { DmaMappings } from './dma-mappings.ts';

/** The answer to an operation, with what a group says of itself. */
export interface HostAnswer extends Answer {
  readonly viable?: boolean;
  readonly container_set?: boolean;
}

/** Where the host begins, when it goes on from a log: the next position and pid, the last time. */
export interface Start {
  readonly position: number;
  readonly pid: number;
  readonly time: string | null;
}

export const firstStart: Start = { position: 0, pid: 101, time: null };

export class VirtualHost {
  readonly kernel = new Kernel();
  readonly #player: Player;
  readonly #mappings = new DmaMappings();
  #position: number;
  #facts: Placed<Fact>[] = [];

  constructor(topology: Topology, profile: Profile, start: Start = firstStart) {
    this.#position = start.position;
    this.kernel.mappings = this.#mappings;
    const port = {
      answer: (call: Call) => this.#answer(call),
      isHeld: (device: string) => (this.kernel.device(device)?.record.files ?? 0) > 0,
      isBlocked: () => this.kernel.driverChange?.outcome === null,
      deviceOfNode: (node: string) =>
        [...this.kernel.devices()].find(({ cdev }) => cdev === node)?.device ?? node,
      reopen: (pid: number, fd: number) => this.#reopen(pid, fd),
      happened: (fact: Fact) => this.#happened(fact),
    };
    this.#player = new Player(port, topology, { profile, simulated: true }, start.pid);
  }

  /** Begins a sequence on a freshly booted host, and gives the facts of the boot. */
  boot(name: string): Placed<Fact>[] {
    return this.#collect(() => this.#player.boot(name)).facts;
  }

  /** What a statement would put to the kernel as things stand. Nothing happens. */
  question(statement: OperationStatement): Question {
    return this.kernel.question(this.#player.foresee(statement));
  }

  /** Plays an operation and gives its answer and what happened, in order; nothing where nothing did. */
  play(statement: OperationStatement): { answer: HostAnswer; facts: Placed<Fact>[] } {
    const { result, facts } = this.#collect(() => this.#player.play(statement));
    const pid = this.#pidOf(statement.process);
    if (statement.operation !== 'group_status' || result.rc < 0 || pid === undefined) {
      return { answer: result, facts };
    }
    return { answer: { ...result, ...this.#status(pid, statement) }, facts };
  }

  #collect<T>(run: () => T): { result: T; facts: Placed<Fact>[] } {
    this.#facts = [];
    const result = run();
    return { result, facts: this.#facts };
  }

  #happened(fact: Fact): void {
    const placed = { ...fact, position: this.#position++ };
    this.#facts.push(placed);
    this.kernel.take(placed);
    this.#mappings.forget(this.kernel);
  }

  #answer(call: Call): Outcome {
    const question = this.kernel.question(call);
    const refusal = judge(this.kernel.rules, question);
    if (refusal !== null) return { errno: refusal.errno, cause: refusal.cause };
    this.#mappings.admit(this.kernel, call);
    const { iommufd } = question;
    const told = question.events.iommufd;
    switch (call.operation) {
      case 'open_cdev':
      case 'open_iommufd':
      case 'open_container':
      case 'open_group':
      case 'open_path':
      case 'get_device':
      case 'dup':
        return { errno: null, rc: this.kernel.processes.lowestFree(call.pid) };
      case 'send':
        return { errno: null, rc: this.kernel.processes.lowestFree(call.to) };
      case 'dup2':
        return { errno: null, rc: call.to };
      case 'compat_ioas':
        return { errno: null, rc: 0, id: iommufd?.record.compatIoas ?? 0 };
      default: {
        const id = told !== undefined && 'id' in told ? { id: told.id } : {};
        const hwpt = told?.type === 'device.attached' ? { hwpt: told.attachment.hwpt } : {};
        return { errno: null, rc: 0, ...id, ...hwpt };
      }
    }
  }

  #reopen(pid: number, fd: number): Call | null {
    const file = this.kernel.behind(pid, fd);
    const cloexec = false;
    switch (file?.kind) {
      case 'group':
        return { operation: 'open_group', pid, group: file.group.group, cloexec };
      case 'device':
        if (file.state === 'granted') return null;
        return { operation: 'open_cdev', pid, device: file.device.device, cloexec };
      case 'iommufd':
        return { operation: 'open_iommufd', pid, cloexec };
      case 'container':
        return { operation: 'open_container', pid, cloexec };
      default:
        return null;
    }
  }

  #pidOf(comm: string): number | undefined {
    return [...this.kernel.processes.processes()].find((process) => process.comm === comm)?.pid;
  }

  /** What GET_STATUS says of the group behind the first operand (vfio/group.c). */
  #status(pid: number, statement: OperationStatement) {
    const file = this.kernel.behind(pid, this.#player.descriptor(pid, statement.operands[0] ?? ''));
    if (file?.kind !== 'group') return {};
    const container_set = file.record.container !== null;
    return { viable: isViable(file.group.record, container_set), container_set };
  }
}
