/**
 * A guest that is booted again after its kernel has died of what it was asked.
 *
 * @module
 */
import type { Sequence } from '../host/simulation.ts';
import { bootOnce, KernelDied, type Guest, type GuestOptions, type KernelAnswer } from './guest.ts';
import type { EmulatedHost } from './host.ts';
import { rowOf } from '../operations/table.ts';
import { callers } from '../scenario/player.ts';

/** Boots the kernel of a profile on a host. Throws `GuestError`. */
export async function boot(
  profile: string,
  host: EmulatedHost,
  options: GuestOptions = {},
): Promise<Guest> {
  const again = () => bootOnce(profile, host, options);
  return new RebootedGuest(await again(), again);
}

class RebootedGuest implements Guest {
  readonly topology: Guest['topology'];
  readonly topologyLine: string;
  readonly #again: () => Promise<Guest>;
  #booted: Promise<Guest>;

  constructor(first: Guest, again: () => Promise<Guest>) {
    this.topology = first.topology;
    this.topologyLine = first.topologyLine;
    this.#booted = Promise.resolve(first);
    this.#again = again;
  }

  /** As of `Guest`. The answers from the one that the kernel did not live to give are `dead`. */
  async perform(sequence: Sequence): Promise<readonly KernelAnswer[]> {
    const booted = this.#booted;
    try {
      return await (await booted).perform(sequence);
    } catch (error) {
      if (!(error instanceof KernelDied)) throw error;
      if (this.#booted === booted) this.#booted = this.#again();
      if (error.sequence !== sequence) return this.perform(sequence);
      return [...error.answers, ...unanswered(sequence, error.answers.length)];
    }
  }

  async close(): Promise<void> {
    await (await this.#booted).close();
  }
}

function unanswered({ name, operations }: Sequence, from: number): KernelAnswer[] {
  return operations.slice(from).map(({ operation, process, text }, index) => {
    const { caller } = rowOf(operation);
    const p = caller === 'process' ? process : callers[caller];
    const answer = { seq: name, n: from + index, p, op: text, rc: null, dead: true };
    return { ...answer, line: JSON.stringify(answer) };
  });
}
