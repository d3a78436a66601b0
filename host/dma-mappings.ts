/**
 * What is mapped for DMA on a live host. The log does not keep it: it has no say in ownership.
 *
 * @module
 */
import type { Call } from '../events/vocabulary.ts';
import type { HostView } from '../machines/check.ts';
import type { OpenFile } from '../machines/host.ts';
import type { Kernel } from '../machines/kernel.ts';

interface Range {
  readonly iova: number;
  readonly size: number;
}

/** The address space that a mapping of a file goes to: an IOAS of an iommufd, or a container. */
interface Space {
  readonly file: string;
  readonly ioas: number | null;
  readonly ranges: Range[];
}

export class DmaMappings implements Pick<HostView, 'isFree'> {
  readonly #spaces = new Map<string, Space>();

  isFree(file: OpenFile, ioas: number | null, { iova, size }: Range): boolean {
    const space = this.#spaces.get(keyOf(file, ioas));
    return !space?.ranges.some((r) => iova < r.iova + r.size && r.iova < iova + size);
  }

  /** Notes what an admitted call maps. */
  admit(kernel: Kernel, call: Call): void {
    if (!('iova' in call)) return;
    const file = kernel.behind(call.pid, call.fd);
    if (file === undefined) return;
    const ioas = 'ioas' in call ? call.ioas : compatIoasOf(file);
    const key = keyOf(file, ioas);
    const space = this.#spaces.get(key) ?? { file: file.id, ioas, ranges: [] };
    space.ranges.push({ iova: call.iova, size: call.size });
    this.#spaces.set(key, space);
  }

  /** Forgets spaces that are gone: destroyed, or of a container that lost its IOMMU driver. */
  forget(kernel: Kernel): void {
    for (const [key, { file: id, ioas }] of this.#spaces) {
      const file = kernel.file(id);
      const stays =
        file?.kind === 'iommufd'
          ? file.record.objects.has(ioas ?? 0)
          : file?.kind === 'container' && file.state === 'ready';
      if (!stays) this.#spaces.delete(key);
    }
  }
}

function compatIoasOf(file: OpenFile): number | null {
  return file.kind === 'iommufd' ? file.record.compatIoas : null;
}

function keyOf(file: OpenFile, ioas: number | null): string {
  return `${file.id} ${ioas ?? compatIoasOf(file) ?? ''}`;
}
