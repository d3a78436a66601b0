/**
 * What a reading and a log are held against each other with: every fact that is told has its
 * consequences at once, and what comes next is told of how the host stands then.
 *
 * @module
 */
import type { Fact } from '../../events/vocabulary.ts';
import type { HostReading, ReadDevice } from '../reading/reading.ts';
import type { Inference, Told } from '../witness/inferences.ts';
import { groupNamed } from '../witness/nodes.ts';
import type { KnownFile, KnownHost, Rehearsal } from './known.ts';
import { readFiles, type ReadFile } from './read-files.ts';

export class Scene {
  readonly reading: HostReading;
  /** Of the reading, with their groups by number. */
  readonly devices: ReadonlyMap<string, ReadDevice>;
  readonly files: readonly ReadFile[];
  readonly told: Told[] = [];
  /** What the reading shows and nobody can make anything of. */
  readonly unseen: string[];
  /** Groups that a file may be of whose group nobody can say. */
  readonly suspects = new Set<string>();
  /** How the host stood before anything was told. */
  readonly before: KnownHost;
  /** The contexts of device files that have to be opened anew, by process and descriptor. */
  readonly contexts = new Map<string, string>();
  readonly #rehearsal: Rehearsal;

  constructor(reading: HostReading, rehearsal: Rehearsal) {
    this.reading = reading;
    this.devices = new Map(
      reading.devices.map((device) => {
        const group = device.group === null ? null : groupNamed(device.group);
        return [device.device, { ...device, group }];
      }),
    );
    this.#rehearsal = rehearsal;
    this.before = rehearsal.known;
    const nodes = new Map([...this.before.devices.values()].map((known) => [known.cdev, known]));
    const { files, unseen } = readFiles(reading, (cdev) => nodes.get(cdev)?.device ?? cdev);
    this.files = files;
    this.unseen = [...unseen];
  }

  /** How the host stands by now. */
  get host(): KnownHost {
    return this.#rehearsal.known;
  }

  tell(fact: Fact, rule?: Inference, certainty: Told['certainty'] = 'inferred'): void {
    this.told.push({ fact, certainty, rule: rule ?? null });
    this.#rehearsal.take(fact, certainty);
  }

  /** The file behind a descriptor, as far as the log knows of it by now. */
  fileAt({ pid, fd }: { readonly pid: number; readonly fd: number }): KnownFile | undefined {
    return this.host.processes.get(pid)?.descriptors.get(fd)?.file;
  }

  mappedAt({ pid, address }: ReadFile['mappings'][number]): KnownFile | undefined {
    return this.host.processes.get(pid)?.mappings.get(address);
  }

  /** What the log has by now of a file that was read. */
  known({ places, mappings }: ReadFile): KnownFile | undefined {
    for (const place of places) {
      const file = this.fileAt(place);
      if (file !== undefined) return file;
    }
    for (const mapping of mappings) {
      const file = this.mappedAt(mapping);
      if (file !== undefined) return file;
    }
    return undefined;
  }

  /** Who has a file, by name. */
  holderOf({ places, mappings }: ReadFile): string {
    const pid = [...places, ...mappings][0]?.pid ?? 0;
    return `${this.host.processes.get(pid)?.comm ?? 'pid'}[${pid}]`;
  }

  /** The descriptor of the only file of a kind that a process has, or how many it has. */
  only(
    pid: number,
    kind: ReadFile['kind'],
  ): { readonly fd: number | null; readonly count: number } {
    const own = this.files.flatMap((file) => {
      const place = file.kind === kind ? file.places.find((held) => held.pid === pid) : undefined;
      return place === undefined || this.fileAt(place) === undefined ? [] : [place.fd];
    });
    return { fd: own.length === 1 ? (own[0] ?? null) : null, count: own.length };
  }
}

/** Whether a driver is one of VFIO's (machines/driver.ts:kindOfDriver). */
export function isVfio(driver: string | null): boolean {
  return driver !== null && /(^|[-_])vfio([-_]|$)/.test(driver);
}
