/**
 * `Ioctls`: turns ioctls into facts. The number and the kind of file decide which operation an ioctl
 * was, never the name that a decoder gave it.
 *
 * @module
 */
import type { Operation, RecordedAttempt } from '../../events/vocabulary.ts';
import {
  factOf,
  operationNames,
  requestedOf,
  rowOf,
  tracedAttempt,
} from '../../operations/table.ts';
import { nameOf } from '../../operations/traced-words.ts';
import type { TracedWords } from '../../operations/traced-words.ts';
import { effectOf } from '../../processes/effects.ts';
import type { FirstMaps } from '../../processes/first-maps.ts';
import type { Deed, Result } from '../sighting.ts';
import type { Devices } from './devices.ts';
import type { Files } from './files.ts';
import type { Inference, Tell } from './inferences.ts';
import { refused } from './refusals.ts';
import { wordsFor, type Seen, type Traced } from './traced.ts';

type Ioctl = Extract<Deed, { did: 'ioctl' }>;

export class Ioctls {
  readonly #files: Files;
  readonly #devices: Devices;
  readonly #maps: FirstMaps<Seen>;
  readonly #tell: Tell;

  constructor(files: Files, devices: Devices, maps: FirstMaps<Seen>, tell: Tell) {
    this.#files = files;
    this.#devices = devices;
    this.#maps = maps;
    this.#tell = tell;
  }

  /** Tells of an ioctl. False if it may matter and its file is unknown. */
  take(process: Traced, ioctl: Ioctl): boolean {
    const { on, requests, words, result } = ioctl;
    const seen = this.#files.behind(process, on);
    const place = { pid: process.pid, fd: on.fd };
    if (seen === null) {
      if (on.path !== null) return true;
      const asked = isBad(result) ? requestedOf(null, requests) : null;
      if (asked === null) return !this.#matters(process, ioctl);
      // The descriptor is not open, and the request is one of VFIO's.
      const attempt = tracedAttempt(asked.operation, place, words);
      this.#files.tellProcess(process);
      if (attempt !== null) this.#tell(refused(attempt, 'EBADF'));
      return true;
    }
    const asked = requestedOf(seen.kind === 'path' ? null : seen.kind, requests);
    if (asked === null) {
      const [request] = requests;
      // With a null pointer the argument itself is refused, whatever the request.
      if ('errno' in result && words.value === 0 && request !== undefined) {
        this.#tell(refused({ operation: 'ioctl', ...place, request }, result.errno));
      }
      return true;
    }
    const { operation, request } = asked;
    const row = rowOf(operation);
    if ('errno' in result) {
      // EBADF may also mean a descriptor among the arguments.
      if (isBad(result) && row.descriptors.length === 0) {
        this.#files.close(process, on.fd, 'refused-as-closed');
      }
      const isNull = words.value === 0 && row.request?.argument === 'pointer';
      const attempt: RecordedAttempt | null = isNull
        ? { operation: 'ioctl', ...place, request }
        : tracedAttempt(operation, place, words);
      if (attempt !== null) this.#tell(refused(attempt, result.errno));
      return true;
    }
    this.#imply(process, seen, on.fd, operation);
    // That a container got its driver tells nothing if the groups in it were not seen.
    const isOfContainer = row.request?.on.includes('container') === true;
    const isBlind = isOfContainer && seen.kind === 'container' && seen.isJoined !== true;
    if (row.records.length === 0 || isBlind) return true;
    const { filled, rule } = this.#argumentsOf(process, seen, on.fd, operation, words);
    const attempt = tracedAttempt(operation, place, filled);
    if (attempt === null) return true;
    if (obtainsDevice(operation)) {
      this.#obtain(process, seen, { ...ioctl, words: filled }, result.rc, rule);
      return true;
    }
    const id = filled.id === undefined ? {} : { id: filled.id };
    const isFirstMap = seen.kind === 'iommufd' && this.#maps.note(attempt, seen);
    const fact = factOf(attempt, { errno: null, rc: result.rc, ...id, isFirstMap });
    if (fact === null) return true;
    if (fact.type === 'descriptor.duplicated') {
      const { fd, as, cloexec } = fact.data;
      this.#files.duplicate(process, fd, as, cloexec ?? false, rule);
      return true;
    }
    this.#tell(fact, rule);
    if (row.context === 'given') {
      this.#given(process, process.descriptors.get(on.fd)?.seen ?? seen, row.descriptors, filled);
    }
    return true;
  }

  /** Notes the context that a file got. */
  #given(process: Traced, seen: Seen, names: readonly string[], words: TracedWords): void {
    if (names.includes('iommufd')) {
      this.#bound(seen, process.descriptors.get(words.iommufd ?? -1)?.seen);
      return;
    }
    const given = process.descriptors.get(words.container ?? -1)?.seen;
    if (given !== undefined) given.isJoined = true;
    if (isEither(process, words)) {
      this.#files.doubt(seen.group, 'it was given a container or an iommufd, and nobody saw which');
    }
  }

  #bound(seen: Seen, context: Seen | undefined): void {
    if (context?.kind === 'iommufd') seen.boundTo = context;
    this.#noteBound(seen);
    for (const group of this.#devices.mayBeIn(seen.device ?? '')) {
      this.#files.doubt(group, `${seen.device} may be a device of it that has its driver again`);
    }
  }

  #noteBound(seen: Seen): void {
    seen.isBound = true;
    this.#files.unseen.took(seen);
  }

  /** Tells what must have been done to a file before the evidence begins, as a call on it passed. */
  #imply(process: Traced, seen: Seen, fd: number, operation: Operation): void {
    if (seen.isFound !== true) return;
    const place = { pid: process.pid, fd };
    if (rowOf(operation).context === 'given') seen.isFound = false;
    else if (seen.kind === 'group' && obtainsDevice(operation)) {
      seen.isFound = false;
      const data = { ...place, container: null };
      this.#tell({ type: 'container.set', data }, 'an-open-device-needs-a-container');
    } else if (seen.kind === 'device' && seen.path !== null) {
      seen.isFound = false;
      this.#noteBound(seen);
      const data = { ...place, iommufd: null, id: null };
      this.#tell({ type: 'device.bound', data }, 'used-and-so-bound');
    }
  }

  /** Whether an ioctl on an unknown file made its process the owner of a group. Tells of the gap. */
  #matters(process: Traced, { requests, result }: Ioctl): boolean {
    if ('errno' in result || !requests.some((request) => giving.has(request))) return false;
    this.#files.tellProcess(process);
    this.#files.doubt(null, `${wordsFor(process)} owns a group by a descriptor of unknown origin`);
    return true;
  }

  /** The arguments of a call that passed. A missing one is filled in if only one file can be meant. */
  #argumentsOf(
    process: Traced,
    seen: Seen,
    fd: number,
    operation: Operation,
    words: TracedWords,
  ): { readonly filled: TracedWords; readonly rule?: Inference } {
    const { context, descriptors } = rowOf(operation);
    const isGiven = (name: string) => context === 'given' && descriptors.includes(name);
    if (isGiven('iommufd')) {
      if (words.iommufd === undefined) {
        const iommufd = only(process, (other) => other.kind === 'iommufd');
        const rule = 'only-iommufd-in-process';
        return iommufd === null ? { filled: words } : { filled: { ...words, iommufd }, rule };
      }
      if (!process.descriptors.has(words.iommufd) && words.iommufd >= 0) {
        const isOwner = this.#files.lend(seen.group, process, words.iommufd);
        if (!isOwner)
          this.#files.find(process, words.iommufd, '/dev/iommu', 'given-as-an-argument');
      }
      const device = words.device ?? this.#devices.claimedAs(words.claimed, seen.device);
      if (device !== null) this.#files.name(process, fd, device);
    }
    if (isGiven('container') && words.container === undefined) {
      const container = only(process, ({ kind }) => kind === 'container' || kind === 'iommufd');
      const rule = 'only-container-in-process';
      return container === null ? { filled: words } : { filled: { ...words, container }, rule };
    }
    if (obtainsDevice(operation) && words.device === undefined && seen.group !== null) {
      const device = this.#devices.onlyDeviceIn(seen.group);
      return device === null
        ? { filled: words }
        : { filled: { ...words, device }, rule: 'only-device-in-group' };
    }
    return { filled: words };
  }

  #obtain(process: Traced, group: Seen, ioctl: Ioctl, as: number, rule?: Inference): void {
    const { on, words, file } = ioctl;
    const device = nameOf(words.device);
    if (device !== null) this.#devices.meet(device, group.group, 'got-from-its-group');
    this.#devices.claimedAs(words.claimed, device);
    const seen: Seen = {
      ...group,
      kind: 'device',
      device,
      path: null,
      pointer: file,
      isReleased: false,
    };
    const data = { pid: process.pid, fd: on.fd, device, as };
    this.#files.open(process, as, true, seen, { type: 'device.obtained', data }, rule);
  }
}

function isBad(result: Result): boolean {
  return 'errno' in result && result.errno === 'EBADF';
}

/** The requests that make a group owned. */
const giving = new Set(
  operationNames.flatMap((operation) => {
    const { context, request } = rowOf(operation);
    return context === 'given' && request !== null ? [request.number] : [];
  }),
);

/** Whether an operation obtains a device from a group. */
function obtainsDevice(operation: Operation): boolean {
  return rowOf(operation).records.some(({ type }) => effectOf(type).opens === 'device');
}

/** The descriptor of a process's only file of a kind; null if there are more, or maybe unseen ones. */
function only(process: Traced, isWanted: (seen: Seen) => boolean): number | null {
  if (!process.isWhole) return null;
  const found = new Map<Seen, number>();
  for (const [fd, { seen }] of process.descriptors) {
    if (isWanted(seen) && !found.has(seen)) found.set(seen, fd);
  }
  const [fd, ...others] = found.values();
  return fd === undefined || others.length > 0 ? null : fd;
}

/** Whether a container argument that is not shown may have been an iommufd. */
function isEither(process: Traced, { container }: TracedWords): boolean {
  if (container !== undefined) return false;
  const kinds = new Set([...process.descriptors.values()].map(({ seen }) => seen.kind));
  return kinds.has('iommufd');
}
