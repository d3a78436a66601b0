/**
 * What a reading and a log are held against each other with: every fact that is told has its
 * consequences at once, and what comes next is told of how the host stands then.
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
  readonly before: PlayedHostAt;
  /** The contexts of device files that have to be opened anew, by process and descriptor. */
  readonly contexts = new Map<string, string>();
  /** How the host stands by now. */
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

  tell(fact: Fact, rule?: Inference, certainty: Told['certainty'] = 'inferred'): void {
    this.told.push({ fact, certainty, rule: rule ?? null });
    this.#host.suppose(fact, certainty);
  }

  /** The file behind a descriptor, as far as the log knows of it by now. */
  fileAt({ pid, fd }: { readonly pid: number; readonly fd: number }): PlayedFile | undefined {
    return this.#ours(this.host.fileBehind(pid, fd));
  }

  mappedAt({ pid, address }: ReadFile['mappings'][number]): PlayedFile | undefined {
    return this.#ours(this.host.fileMapped(pid, address));
  }

  /** The files of VFIO's behind the descriptors of a process, by number. */
  filesIn({ descriptors }: PlayedProcess): ReadonlyMap<number, PlayedFile> {
    return this.#oursIn([...descriptors].map(([fd, { file }]) => [fd, file]));
  }

  /** The same of its mappings, by address. */
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

  /** What the log has by now of a file that was read. */
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

  /** Who has a file, by name. */
  holderOf({ places, mappings }: ReadFile): string {
    const pid = [...places, ...mappings][0]?.pid ?? 0;
    return `${this.host.process(pid)?.comm ?? 'pid'}[${pid}]`;
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

/** Whether a driver is one of VFIO's. */
export function isVfio(driver: string | null): boolean {
  return driver !== null && kindOfDriver(driver) === 'vfio';
}
