/**
 * `Scene`: compares a reading with the host that the log knows. Each fact that is told changes that
 * host at once, so the next fact follows from the host as it is then.
 *
 * @module
 */
import type { Fact } from '../../events/vocabulary.ts';
import type {
  PlayedFile,
  PlayedHostAt,
  PlayedProcess,
  SupposedHost,
} from '../../machines/host-at.ts';
import { kindOfDriver } from '../../operations/driver.ts';
import type { FileId } from '../../processes/process-table.ts';
import type { HostReading, ReadDevice } from '../reading/reading.ts';
import type { Inference, Told } from '../witness/inferences.ts';
import { groupNamed } from '../witness/nodes.ts';
import { readFiles, type ReadFile } from './read-files.ts';

/** The state of one comparison: the reading, the host, and the facts told so far. */
export class Scene {
  readonly reading: HostReading;
  /** The devices of the reading by address, with the numbers of their groups. */
  readonly devices: ReadonlyMap<string, ReadDevice>;
  readonly files: readonly ReadFile[];
  readonly told: Told[] = [];
  /** Sentences about what the reading shows and cannot be explained. */
  readonly unseen: string[];
  /** The groups that a device file of unknown origin may belong to. */
  readonly suspects = new Set<string>();
  /** The host as the log knew it before the reading. */
  readonly before: PlayedHostAt;
  /** The contexts of device files that must be opened again, by `PID FD`. */
  readonly contexts = new Map<string, string>();
  /** The host after all facts told so far. */
  readonly host: PlayedHostAt;
  readonly #host: SupposedHost;

  constructor(reading: HostReading, host: SupposedHost) {
    this.reading = reading;
    this.devices = new Map(
      reading.devices.map((device) => {
        const group = device.group === null ? null : groupNamed(device.group);
        return [device.device, { ...device, group }];
      }),
    );
    this.#host = host;
    this.host = host;
    this.before = host.copy();
    const nodes = new Map([...this.before.devices()].map((known) => [known.cdev, known]));
    const { files, unseen } = readFiles(reading, (cdev) => nodes.get(cdev)?.device ?? cdev);
    this.files = files;
    this.unseen = [...unseen];
  }

  /** Adds a fact and applies it to the host. */
  tell(fact: Fact, rule?: Inference, certainty: Told['certainty'] = 'inferred'): void {
    this.told.push({ fact, certainty, rule: rule ?? null });
    this.#host.suppose(fact, certainty);
  }

  /** The VFIO file behind a descriptor after all facts told so far. */
  fileAt({ pid, fd }: { readonly pid: number; readonly fd: number }): PlayedFile | undefined {
    return this.#ours(this.host.fileBehind(pid, fd));
  }

  mappedAt({ pid, address }: ReadFile['mappings'][number]): PlayedFile | undefined {
    return this.#ours(this.host.fileMapped(pid, address));
  }

  /** The VFIO files behind the descriptors of a process, by number. */
  filesIn({ descriptors }: PlayedProcess): ReadonlyMap<number, PlayedFile> {
    return this.#oursIn([...descriptors].map(([fd, { file }]) => [fd, file]));
  }

  /** The VFIO files behind the mappings of a process, by address. */
  mappedIn({ mappings }: PlayedProcess): ReadonlyMap<number, PlayedFile> {
    return this.#oursIn(mappings);
  }

  #oursIn(places: Iterable<readonly [number, FileId]>): ReadonlyMap<number, PlayedFile> {
    const found = new Map<number, PlayedFile>();
    for (const [at, id] of places) {
      const file = this.#ours(id);
      if (file !== undefined) found.set(at, file);
    }
    return found;
  }

  #ours(id: FileId | undefined): PlayedFile | undefined {
    const file = id === undefined ? undefined : this.host.file(id);
    return file?.kind === 'other' ? undefined : file;
  }

  /** The file of the host that a file of the reading is; undefined if the host does not have it yet. */
  known({ places, mappings }: ReadFile): PlayedFile | undefined {
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

  /** A process that holds a file, as `COMM[PID]`. */
  holderOf({ places, mappings }: ReadFile): string {
    const pid = [...places, ...mappings][0]?.pid ?? 0;
    return `${this.host.process(pid)?.comm ?? 'pid'}[${pid}]`;
  }

  /** The number of a process's files of a kind, and the descriptor if there is just one (else null). */
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

/** Whether a driver is a VFIO driver. */
export function isVfio(driver: string | null): boolean {
  return driver !== null && kindOfDriver(driver) === 'vfio';
}
