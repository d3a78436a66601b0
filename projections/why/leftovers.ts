/**
 * Leftovers: what a process would still hold if it had not closed, unmapped, executed or exited; and
 * the later events that would end these holds. A history without the one needs the others.
 *
 * @module
 */
import type { EventType, Fact, Placed } from '../../events/vocabulary.ts';
import { effectOf } from '../../processes/effects.ts';
import type { Timeline } from '../timeline.ts';

/** Finds the ends of leftovers up to a position. */
export class Leftovers {
  readonly #timeline: Timeline;
  readonly #last: number;
  readonly #processes = new Map<number, LaterEvents>();

  constructor(timeline: Timeline, last: number) {
    this.#timeline = timeline;
    this.#last = last;
  }

  /**
   * The events that end what a process would still hold without an event: they reuse its
   * descriptors, its mapping or its pid, or are its next execs. Of an event that reuses a place, only
   * what it does to the place is kept.
   */
  endsOf(event: Placed<Fact>): Placed<Fact>[] {
    const { position } = event;
    switch (event.type) {
      case 'descriptor.closed':
        return this.#after(event.data.pid, position).endsOfDescriptor(event.data.fd, position);
      case 'mapping.removed':
        return this.#after(event.data.pid, position).endsOfMapping(event.data.mapping, position);
      case 'process.exited':
        return this.#after(event.data.pid, position).turns(position);
      case 'process.executed': {
        const { pid } = event.data;
        const later = this.#after(pid, position);
        const fds = this.#closedByExec(pid, position);
        const ends = fds.flatMap((fd) => later.endsOfDescriptor(fd, position));
        return [...later.turns(position), ...ends];
      }
      default:
        return [];
    }
  }

  /** The later events of a process; the first that is asked about it must be its earliest. */
  #after(pid: number, position: number): LaterEvents {
    let later = this.#processes.get(pid);
    if (later === undefined) {
      later = new LaterEvents(this.#timeline, { pid, from: position + 1, last: this.#last });
      this.#processes.set(pid, later);
    }
    return later;
  }

  /** The descriptors that an exec closed. */
  #closedByExec(pid: number, position: number): number[] {
    const before =
      this.#timeline
        .viewAt(position - 1)
        .process(pid)
        ?.descriptors.keys() ?? [];
    const fds = [...before];
    const after = this.#timeline.viewAt(position).process(pid)?.descriptors;
    return fds.filter((fd) => after?.has(fd) !== true);
  }
}

/** Events of a process that are read at once. */
const AT_ONCE = 16;

interface Range {
  readonly pid: number;
  readonly from: number;
  readonly last: number;
}

/** The events of a process that may end holds of it, read once and only as far as needed. */
class LaterEvents {
  readonly #timeline: Timeline;
  readonly #pid: number;
  readonly #rest: Iterator<number>;
  /** By descriptor and by address: an event for each that reuses it. */
  readonly #opened = new Map<number, Placed<Fact>[]>();
  readonly #mapped = new Map<number, Placed<Fact>[]>();
  /** Execs, exits, and starts of another process with the pid. */
  readonly #turns: Placed<Fact>[] = [];

  constructor(timeline: Timeline, { pid, from, last }: Range) {
    this.#timeline = timeline;
    this.#pid = pid;
    this.#rest = timeline.positionsOf(`process ${pid}`, from, last);
  }

  endsOfDescriptor(fd: number, position: number): Placed<Fact>[] {
    return this.#endsAt(this.#opened, fd, position);
  }

  endsOfMapping(address: number, position: number): Placed<Fact>[] {
    return this.#endsAt(this.#mapped, address, position);
  }

  /** The next execs, and the event that ends the process or takes its pid. */
  turns(position: number): Placed<Fact>[] {
    let end = this.#endAfter(position);
    while (end === undefined && this.#readOn()) end = this.#endAfter(position);
    return this.#turns.filter(
      (turn) => turn.position > position && (end === undefined || turn.position <= end.position),
    );
  }

  #endsAt(
    places: ReadonlyMap<number, readonly Placed<Fact>[]>,
    place: number,
    position: number,
  ): Placed<Fact>[] {
    const reuse = () => firstAfter(places.get(place) ?? [], position);
    while (reuse() === undefined && this.#endAfter(position) === undefined) {
      if (!this.#readOn()) break;
    }
    const [end, reused] = [this.#endAfter(position), reuse()];
    const isReused = reused !== undefined && !(end !== undefined && end.position < reused.position);
    if (!isReused) return this.turns(position);
    const before = (turn: Placed<Fact>) =>
      turn.position > position && turn.position < reused.position;
    return [...this.#turns.filter(before), reused];
  }

  /** The first event after a position that ends the process or takes its pid. */
  #endAfter(position: number): Placed<Fact> | undefined {
    return this.#turns.find((turn) => turn.position > position && turn.type !== 'process.executed');
  }

  /** Reads some more events; false if there are no more. */
  #readOn(): boolean {
    const next: number[] = [];
    while (next.length < AT_ONCE) {
      const { done, value: position } = this.#rest.next();
      if (done === true) break;
      if (mayEnd(this.#timeline.typeAt(position))) next.push(position);
    }
    const events: readonly Placed<Fact>[] = this.#timeline.many(next);
    for (const event of events) this.#note(event);
    return next.length > 0;
  }

  #note(event: Placed<Fact>): void {
    const { position } = event;
    const pid = this.#pid;
    const { fills, replaces } = effectOf(event.type);
    const isTurn = event.type === 'process.executed' || replaces?.(event.data) === pid;
    if (isTurn) this.#turns.push(event);
    if (event.type === 'mapping.created') {
      const { mapping } = event.data;
      const data = { pid, mapping };
      add(this.#mapped, mapping, { type: 'mapping.removed', data, position });
    }
    const filled = fills?.(event.data);
    if (filled?.pid === pid) {
      // This path can always be opened.
      const data = { ...filled, path: '/dev/null', cloexec: false };
      add(this.#opened, filled.fd, { type: 'path.opened', data, position });
    }
  }
}

function mayEnd(type: EventType): boolean {
  const { fills, replaces } = effectOf(type);
  const isOther = type === 'process.executed' || type === 'mapping.created';
  return isOther || fills !== null || replaces !== null;
}

function add(places: Map<number, Placed<Fact>[]>, place: number, event: Placed<Fact>): void {
  const known = places.get(place);
  if (known === undefined) places.set(place, [event]);
  else known.push(event);
}

/** The first event after a position; the events ascend. */
function firstAfter(events: readonly Placed<Fact>[], position: number): Placed<Fact> | undefined {
  let [low, high] = [0, events.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((events[middle]?.position ?? 0) > position) high = middle;
    else low = middle + 1;
  }
  return events[low];
}
