/**
 * `JudgedKernels`: the kernels of evidence that the rules of another release judge.
 *
 * @module
 */
import type { JudgedKernel } from '../evidence/collected.ts';
import type { LedgerEvent } from '../events/vocabulary.ts';
import { isNeighbour, profileOfKernel } from '../machines/eras.ts';

export class JudgedKernels {
  readonly #profiles = new Map<string, string>();

  /** The kernels that a neighbour's rules judge, each once. */
  get asNeighbours(): readonly JudgedKernel[] {
    return [...this.#profiles].map(([kernel, profile]) => ({ kernel, profile }));
  }

  /** Notes the kernel of a boot for which no profile is named. */
  note({ type, data }: LedgerEvent): void {
    if (type !== 'host.booted' || data.simulated || data.profile !== null) return;
    const profile = profileOfKernel(data.kernel);
    if (profile !== null && isNeighbour(data.kernel)) this.#profiles.set(data.kernel, profile);
  }
}
