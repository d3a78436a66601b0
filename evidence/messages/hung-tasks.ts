/**
 * `HungTasks`: who waits for a device, by the kernel's detector of hung tasks. It prints the task, then its
 * stack, but no device: that is the one of which a message said before that an unbind waits for it.
 *
 * @module
 */

/** The task whose stack follows. */
interface HungTask {
  readonly pid: number;
  readonly comm: string;
}

const hung = /^(?:INFO: )?task (?<comm>.{1,64}):(?<pid>\d{1,10}) blocked for more than \d{1,6} s/;
const unregisters = /^(?:\[<[\da-f]+>\] )?vfio_(?:unregister|del)_group_dev\+0x/;
/** The number of lines in which a stack follows its task. */
const STACK = 64;
/** The number of devices that are remembered. Of more than one no stack tells which it is about. */
const MOST = 64;

export class HungTasks {
  /** The devices that an unbind waits for, if no message has told whose. */
  readonly #waitedFor = new Set<string>();
  #task: (HungTask & { readonly line: number }) | null = null;

  /** A message says that an unbind waits for a device. */
  wait(device: string, isNamed: boolean): void {
    if (isNamed) this.#waitedFor.delete(device);
    else if (this.#waitedFor.size < MOST) this.#waitedFor.add(device);
  }

  forget(): void {
    this.#waitedFor.clear();
    this.#task = null;
  }

  /** Who waits, and for what, by a line of a stack; null if it does not tell. */
  waiterIn(message: string, line: number): { device: string; waiter: HungTask } | null {
    const { pid, comm } = hung.exec(message)?.groups ?? {};
    if (pid !== undefined) this.#task = { pid: Number(pid), comm: comm ?? '', line };
    const task = this.#task;
    if (task === null || !unregisters.test(message)) return null;
    this.#task = null;
    const [device, ...others] = this.#waitedFor;
    if (device === undefined || others.length > 0 || line - task.line > STACK) return null;
    this.#waitedFor.clear();
    return { device, waiter: { pid: task.pid, comm: task.comm } };
  }
}
