/**
 * `FirstMaps`: tells the first map of an address space into an IOAS, which is an event, from later ones.
 *
 * @module
 */
import type { Fact, RecordedAttempt } from '../events/vocabulary.ts';
import { addressSpaceEndedBy } from './effects.ts';

/** The id of an IOAS; null if it is not shown, undefined for the compat IOAS. */
type MappedIoas = number | null | undefined;

/** The maps so far. `F` identifies an open iommufd. */
export class FirstMaps<F> {
  /** By the pid of a living process: the IOASes that its address space was mapped into. */
  readonly #mapped = new Map<number, Map<F, Set<MappedIoas>>>();

  /** Notes a call on an iommufd that passed. Returns whether it is such a first map. */
  note(call: RecordedAttempt, iommufd: F): boolean {
    if (!('iova' in call)) return false;
    const files = this.#mapped.get(call.pid) ?? new Map<F, Set<MappedIoas>>();
    this.#mapped.set(call.pid, files);
    const spaces = files.get(iommufd) ?? new Set();
    files.set(iommufd, spaces);
    const ioas = 'ioas' in call ? call.ioas : undefined;
    if (spaces.has(ioas)) return false;
    spaces.add(ioas);
    return true;
  }

  /**
   * Takes a fact: address spaces that it ends, and IOASes in whose place another one may be from now
   * on, are forgotten. `behind`: the iommufd behind a descriptor.
   */
  take(fact: Fact, behind: (pid: number, fd: number) => F | null | undefined): void {
    const { type, data } = fact;
    if (type === 'host.booted') this.#mapped.clear();
    if (type === 'object.destroyed') this.#forget(behind(data.pid, data.fd), data.object);
    if (type === 'compat-ioas.set' || type === 'compat-ioas.cleared') {
      this.#forget(behind(data.pid, data.fd), undefined);
    }
    const pid = addressSpaceEndedBy(fact);
    if (pid !== null) this.#mapped.delete(pid);
  }

  #forget(iommufd: F | null | undefined, ioas: MappedIoas): void {
    if (iommufd == null) return;
    for (const files of this.#mapped.values()) {
      for (const space of [ioas, null, undefined]) files.get(iommufd)?.delete(space);
    }
  }
}
