/**
 * The host after each event of a log: as the machines have it, as XState itself has it, and as it
 * comes of nothing but segments that were written.
 *
 * @module
 */
import type { Placed } from '../../../events/vocabulary.ts';
import { LiveHost } from '../../../machines/live-host.ts';
import type {
  FileId,
  HoldPlace,
  Process,
  ProcessObserver,
} from '../../../processes/process-table.ts';
import { Cursor, advance } from '../../../projections/index/journal.ts';
import { packing } from '../../../log/packing.ts';
import { decodeSegment } from '../../../projections/index/segment-bytes.ts';
import { Segment } from '../../../projections/index/segment.ts';
import { GROUP, type Standing } from '../../../projections/index/standing.ts';
import { holderOf, type HoldAt } from '../../../projections/index/hold-at.ts';
import { StandingView } from '../../../projections/index/view.ts';
import type { DescentStep } from '../../../projections/shapes.ts';
import type { Untimed } from '../../../projections/timed.ts';
import { holderShown, pidShown, keepers } from '../../../projections/views.ts';
import type { Log } from '../../support/random-logs.ts';
import { explained, OwnersSince, type FoundDescent, type Seen } from './ways.ts';

/** A host takes the events one by one. */
export function* momentsOf(log: Iterable<Log[number]>, host = new LiveHost()): Generator<Seen> {
  const owners = new OwnersSince();
  const chains = new Chains();
  const seen = {
    host,
    since: (group: string) => owners.of(group),
    lineage: (file: FileId) => chains.of(host, file),
  };
  yield { ...seen, refusal: null };
  for (const event of log) {
    const refusal = explained(host, event);
    chains.begin(event);
    host.takeObserved(event, chains);
    owners.take(host, event.position);
    yield { ...seen, refusal };
  }
}

/** Follows each place that holds a file back to the open. */
class Chains implements ProcessObserver {
  readonly #chains = new Map<Process, Map<string, readonly Untimed<DescentStep>[]>>();
  #event: Placed | null = null;
  /** The chains that the event has ended: the kernel keeps a file that it has from its last holder. */
  readonly #ended = new Map<FileId, readonly Untimed<DescentStep>[]>();

  begin(event: Placed): void {
    this.#event = event;
    this.#ended.clear();
  }

  started(): void {}

  renamed(): void {}

  ended(process: Process): void {
    this.#chains.delete(process);
  }

  held(file: FileId, at: HoldPlace, from: HoldPlace | null): void {
    const { position = 0, type = '' } = this.#event ?? {};
    const last = from ? this.#chains.get(from.process)?.get(nameOf(from)) : this.#ended.get(file);
    const before = last ?? [];
    const own = this.#chains.get(at.process) ?? new Map<string, readonly Untimed<DescentStep>[]>();
    this.#chains.set(at.process, own);
    const fd = at.via === 'fd' ? at.number : null;
    own.set(nameOf(at), [...before, { position, type, pid: pidShown(at.process.pid), fd }]);
  }

  dropped(file: FileId, at: HoldPlace): void {
    const chains = this.#chains.get(at.process);
    const chain = chains?.get(nameOf(at));
    if (chain !== undefined) this.#ended.set(file, chain);
    chains?.delete(nameOf(at));
  }

  of({ processTable: processes }: LiveHost, file: FileId): FoundDescent[] {
    const found: FoundDescent[] = [];
    for (const process of processes.processes()) {
      const { pid, comm, cgroup, descriptors, mappings } = process;
      const chainAt = (via: HoldPlace['via'], number: number) =>
        this.#chains.get(process)?.get(nameOf({ via, number })) ?? [];
      for (const [fd, held] of descriptors) {
        const chain = chainAt('fd', fd);
        const holder = { pid, comm, cgroup, via: 'fd', fd, file } as const;
        if (held.file === file) found.push({ ...holderShown(holder), chain });
      }
      for (const [number, mapped] of mappings) {
        const chain = chainAt('mapping', number);
        const holder = { pid, comm, cgroup, via: 'mapping', fd: null, file } as const;
        if (mapped === file) found.push({ ...holder, chain });
      }
    }
    const order = ({ pid, fd }: FoundDescent) => [pid ?? 0, fd ?? Infinity] as const;
    return found.toSorted((a, b) => {
      const [[pid, fd], [otherPid, otherFd]] = [order(a), order(b)];
      return pid - otherPid || (fd === otherFd ? 0 : fd - otherFd);
    });
  }
}

const nameOf = ({ via, number }: Pick<HoldPlace, 'via' | 'number'>) => `${via} ${number}`;

/** What the segments of files say, one after the other, each gone through from its start. */
export function* momentsOfSegments(files: Iterable<Uint8Array>): Generator<Seen> {
  const segments = [...files]
    .map((bytes) => new Segment(decodeSegment(bytes, packing).parts))
    .toSorted((a, b) => a.first - b.first);
  const holds = new Holds(segments);
  for (const segment of segments) {
    const { parts, first, length } = segment;
    const { journal } = parts;
    const standing = parts.start.copy();
    const cursor = new Cursor();
    // What stands before the first event of another stood after the last of the one before it.
    if (first === 0) yield { ...look(segment, standing, holds), refusal: null };
    for (let event = 0; event < length; event++) {
      const found = segment.refusalAt(journal, cursor);
      const file = found?.blocker?.file ?? null;
      const holders = file === null ? [] : keepers(new StandingView(standing, parts.codes), [file]);
      const blocker = found?.blocker ? { ...found.blocker, holders } : null;
      advance(journal, standing, cursor, event + 1);
      const refusal = found && { cause: found.cause, blocker };
      yield { ...look(segment, standing, holds), refusal };
    }
  }
}

function look({ parts, first }: Segment, standing: Standing, holds: Holds): Omit<Seen, 'refusal'> {
  const host = new StandingView(standing, parts.codes);
  holds.take(host, standing, first);
  return {
    host,
    since(group) {
      const { cells, width, count } = standing.groups;
      const code = parts.codes.groups.find(group) ?? Infinity;
      const since = code < count ? cells[code * width + GROUP.since]! : 0;
      return since === 0 ? null : since - 1;
    },
    lineage: (file) => {
      return host
        .holdsOf(file)
        .map((hold) => ({ ...holderShown(holderOf(hold)), chain: holds.chainOf(hold) }));
    },
  };
}

/** All holds that there ever were, by number. */
class Holds {
  readonly #segments: readonly Segment[];
  readonly #holds = new Map<number, HoldAt>();

  constructor(segments: readonly Segment[]) {
    this.#segments = segments;
  }

  take(host: StandingView, { holds: { cells, width, count } }: Standing, first: number): void {
    for (let row = 0; row < count; row++) {
      const [file = 0, , , since = 0] = cells.subarray(row * width);
      if (file === 0 || since < first) continue;
      const hold = host.holdAt(row);
      this.#holds.set(hold.number, hold);
    }
  }

  chainOf({ since, from, pid, fd }: HoldAt): readonly Untimed<DescentStep>[] {
    const before = from === null ? undefined : this.#holds.get(from);
    const segment = this.#segments.findLast(({ first }) => first <= since);
    const step = { position: since, type: segment?.typeAt(since) ?? '', pid, fd };
    return [...(before === undefined ? [] : this.chainOf(before)), step];
  }
}
