/**
 * The DMA mappings of a live host. The log does not hold them, as they do not affect ownership.
 *
 * @module
 */
import type { Call } from '../events/vocabulary.ts';
import type { AddressSpace, MappedRanges } from '../machines/host-at.ts';
import type { LiveHost } from '../machines/live-host.ts';

interface Range {
  readonly iova: number;
  readonly size: number;
}

interface Mapped {
  readonly space: AddressSpace;
  readonly ranges: Range[];
}

/** The mapped ranges of each address space; `iova` and `size` in bytes. */
export class DmaMappings implements MappedRanges {
  readonly #spaces = new Map<string, Mapped>();

  isFree(space: AddressSpace, { iova, size }: Range): boolean {
    const mapped = this.#spaces.get(keyOf(space));
    return !mapped?.ranges.some((r) => iova < r.iova + r.size && r.iova < iova + size);
  }

  /** Adds the range that an admitted call maps; other calls have no effect. */
  admit(host: LiveHost, call: Call): void {
    if (!('iova' in call)) return;
    const space = host.addressSpace(call.pid, call.fd, 'ioas' in call ? call.ioas : null);
    if (space === null) return;
    const mapped = this.#spaces.get(keyOf(space)) ?? { space, ranges: [] };
    mapped.ranges.push({ iova: call.iova, size: call.size });
    this.#spaces.set(keyOf(space), mapped);
  }

  /** Drops address spaces that are gone: destroyed, or of a container without an IOMMU driver. */
  forget(host: LiveHost): void {
    for (const [key, { space }] of this.#spaces) {
      if (!host.hasAddressSpace(space)) this.#spaces.delete(key);
    }
  }
}

function keyOf({ file, ioas }: AddressSpace): string {
  return `${file} ${ioas ?? ''}`;
}
