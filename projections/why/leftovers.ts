/**
 * Leftovers: what a process would still hold if it had not closed, unmapped, executed or exited; and
 * the later events that would end these holds. A history without the one needs the others.
 *
 * @module
 */
import type { EventType, Fact, Placed } from '../../events/vocabulary.ts';
import { effectOf } from '../../processes/effects.ts';
import type { Segment } from '../index/segment.ts';
import type { Timeline } from '../timeline.ts';

/**
 * The events up to position `last` that end what processes would still hold without the events
 * `own`, which ascend: they reuse a descriptor, a mapping or a pid, or are the next execs. Of an event
 * that reuses a place, only what it does to the place is kept.
 */
export function endsOfLeftovers(
  timeline: Timeline,
  own: readonly Placed<Fact>[],
  last: number,
): Placed<Fact>[] {
  const left = own.flatMap((event) => leftBy(timeline, event));
  const [earliest] = left;
  if (earliest === undefined) return [];
  const processes = new Map<number, LaterEvents>();
  for (const [pid, places] of Map.groupBy(left, (place) => place.pid)) {
    processes.set(pid, new LaterEvents(timeline, pid, places));
  }
  // Each segment is read once, however many processes there are.
  const reading = new Set(processes.values());
  for (const segment of timeline.segments(earliest.position)) {
    if (reading.size === 0 || segment.first > last) break;
    for (const process of reading) {
      process.readIn(segment, last);
      if (process.isDone) reading.delete(process);
    }
  }
  return left.flatMap((place) => processes.get(place.pid)?.endsOf(place) ?? []);
}

/** What a process holds on to without the event at a position: a place in it, or null for itself. */
interface LeftPlace {
  readonly pid: number;
  readonly place: Place | null;
  readonly position: number;
}

type Place = `fd ${number}` | `mapping ${number}`;

function leftBy(timeline: Timeline, event: Placed<Fact>): LeftPlace[] {
  const { position } = event;
  switch (event.type) {
    case 'descriptor.closed':
      return [{ pid: event.data.pid, place: `fd ${event.data.fd}`, position }];
    case 'mapping.removed':
      return [{ pid: event.data.pid, place: `mapping ${event.data.mapping}`, position }];
    case 'process.exited':
      return [{ pid: event.data.pid, place: null, position }];
    case 'process.executed': {
      const { pid } = event.data;
      const fds = closedByExec(timeline, pid, position);
      const places = fds.map((fd) => ({ pid, place: `fd ${fd}` as const, position }));
      return [{ pid, place: null, position }, ...places];
    }
    default:
      return [];
  }
}

/** The descriptors that an exec closed. */
function closedByExec(timeline: Timeline, pid: number, position: number): number[] {
  const before =
    timeline
      .viewAt(position - 1)
      .process(pid)
      ?.descriptors.keys() ?? [];
  const fds = [...before];
  const after = timeline.viewAt(position).process(pid)?.descriptors;
  return fds.filter((fd) => after?.has(fd) !== true);
}

/** Events of a process that are read at once. */
const AT_ONCE = 16;

/** The events of a process that may end holds of it, read only as far as its places need it. */
class LaterEvents {
  readonly #timeline: Timeline;
  readonly #pid: number;
  /** By position; those up to `#next` were left before the event that was read last. */
  readonly #places: readonly LeftPlace[];
  #next = 0;
  /** What no event that was read has ended. */
  readonly #open = new Set<Place | null>();
  /** For each place, the events that reuse it. */
  readonly #reused = new Map<Place, Placed<Fact>[]>();
  /** Execs, exits, and starts of another process with the pid. */
  readonly #turns: Placed<Fact>[] = [];

  constructor(timeline: Timeline, pid: number, places: readonly LeftPlace[]) {
    this.#timeline = timeline;
    this.#pid = pid;
    this.#places = places;
  }

  get isDone(): boolean {
    return this.#open.size === 0 && this.#next === this.#places.length;
  }

  /** Reads the events of a segment, which follows the one read before, up to position `last`. */
  readIn(segment: Segment, last: number): void {
    const events = segment.eventsOf(`process ${this.#pid}`);
    let next: number[] = [];
    for (let index = 0; index < events.length && !this.isDone; index++) {
      const position = segment.first + (events[index] ?? 0);
      if (position > last) break;
      if (!this.#isAwaited(position) || !mayEnd(segment.typeAt(position))) continue;
      next.push(position);
      if (next.length < AT_ONCE) continue;
      this.#read(next);
      next = [];
    }
    this.#read(next);
  }

  endsOf({ place, position }: LeftPlace): Placed<Fact>[] {
    const end = this.#turns.find((turn) => turn.position > position && !isExec(turn));
    const reused = place === null ? undefined : firstAfter(this.#reused.get(place), position);
    const isReused = reused !== undefined && !(end !== undefined && end.position < reused.position);
    const until = isReused ? reused.position - 1 : (end?.position ?? Infinity);
    const turns = this.#turns.filter((turn) => turn.position > position && turn.position <= until);
    return isReused ? [...turns, reused] : turns;
  }

  /** Whether anything was left before a position that no event that was read has ended. */
  #isAwaited(position: number): boolean {
    const next = this.#places[this.#next];
    return this.#open.size > 0 || (next !== undefined && next.position < position);
  }

  #read(positions: readonly number[]): void {
    const events: readonly Placed<Fact>[] = this.#timeline.many(positions);
    for (const event of events) this.#note(event);
  }

  #note(event: Placed<Fact>): void {
    const { position } = event;
    const pid = this.#pid;
    for (; (this.#places[this.#next]?.position ?? Infinity) < position; this.#next++) {
      this.#open.add(this.#places[this.#next]!.place);
    }
    const { fills, replaces } = effectOf(event.type);
    const isEnd = !isExec(event) && replaces?.(event.data) === pid;
    if (isEnd || isExec(event)) this.#turns.push(event);
    if (isEnd) this.#open.clear();
    if (event.type === 'mapping.created') {
      const { mapping } = event.data;
      const data = { pid, mapping };
      this.#reuse(`mapping ${mapping}`, { type: 'mapping.removed', data, position });
    }
    const filled = fills?.(event.data);
    if (filled?.pid === pid) {
      // This path can always be opened.
      const data = { ...filled, path: '/dev/null', cloexec: false };
      this.#reuse(`fd ${filled.fd}`, { type: 'path.opened', data, position });
    }
  }

  #reuse(place: Place, event: Placed<Fact>): void {
    this.#open.delete(place);
    const known = this.#reused.get(place);
    if (known === undefined) this.#reused.set(place, [event]);
    else known.push(event);
  }
}

function isExec({ type }: Placed<Fact>): boolean {
  return type === 'process.executed';
}

function mayEnd(type: EventType): boolean {
  const { fills, replaces } = effectOf(type);
  const isOther = type === 'process.executed' || type === 'mapping.created';
  return isOther || fills !== null || replaces !== null;
}

/** The first event after a position; the events ascend. */
function firstAfter(
  events: readonly Placed<Fact>[] | undefined,
  position: number,
): Placed<Fact> | undefined {
  let [low, high] = [0, events?.length ?? 0];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((events?.[middle]?.position ?? 0) > position) high = middle;
    else low = middle + 1;
  }
  return events?.[low];
}
