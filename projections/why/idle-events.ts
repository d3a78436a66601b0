/**
 * Events without which every file is released at the same event: mappings that are made or removed, and
 * the life of passive processes.
 *
 * A mapping only holds its file: no call names it. A passive process does nothing but live on what it has
 * inherited: it was forked, may fork, close, execute and exit, and no other event names it. What these
 * hold matters only while nothing else holds the same file. Without an event that made such a hold, the
 * file is released earlier only if, at some time, nothing but such holds held it. Without one that ended
 * such a hold, the file is released later only if it was released at all.
 *
 * @module
 */
import type { Attempt, EventType, Fact, Placed } from '../../events/vocabulary.ts';
import { pidsIn } from '../../processes/effects.ts';
import type { FileId, HoldPlace, ProcessObserver } from '../../processes/process-table.ts';
import type { PlayedEvents } from './played-events.ts';

/** The descriptors and mappings of a file. */
interface Holds {
  /** Descriptors of processes that are not passive. */
  active: number;
  /** Mappings, and descriptors of passive processes. */
  passive: number;
  /** The last event after which only passive ones hold the file; -1 if there is none. */
  onlyPassive: number;
  /** The last event after which no process holds the file; -1 if there is none. */
  unheld: number;
}

/** Events and files of which something is noted. */
const NOTED_MAX = 2 ** 19;

/** Watches the process table while it takes events, which are numbered in their order. */
export class IdleEvents implements ProcessObserver {
  readonly #passive: ReadonlySet<number>;
  readonly #files = new Map<FileId, Holds>();
  /** By event: the files whose passive holds it made, and those whose passive holds it ended. */
  readonly #made = new Map<number, FileId[]>();
  readonly #ended = new Map<number, FileId[]>();
  /** What the event has changed. */
  readonly #touched = new Set<Holds>();
  #event = -1;
  /** Whether there was more to note than is kept: then no event is told to be idle. */
  #isFull = false;

  /** The events that are taken, but for those at some positions, and the call that is judged after them. */
  constructor(events: PlayedEvents, call: Attempt, out: ReadonlySet<number>) {
    this.#passive = passiveAmong(events, call, out);
  }

  /** To be called before each event. */
  begin(event: number): void {
    this.#event = event;
    this.#touched.clear();
  }

  /** To be called after each event. */
  end(): void {
    if (this.#made.size + this.#ended.size + this.#files.size > NOTED_MAX) {
      this.#isFull = true;
      for (const noted of [this.#made, this.#ended, this.#files]) noted.clear();
    }
    for (const holds of this.#touched) {
      if (holds.active > 0) continue;
      if (holds.passive > 0) holds.onlyPassive = this.#event;
      else holds.unheld = this.#event;
    }
  }

  /** Whether every file is released at the same event without this one. To be asked after the last event. */
  isIdle(event: number, { type, data }: Placed<Fact>): boolean {
    if (this.#isFull || !changesHolds.has(type)) return false;
    if (type !== 'mapping.created' && type !== 'mapping.removed') {
      const pid = 'child' in data ? data.child : 'pid' in data ? data.pid : null;
      if (pid === null || !this.#passive.has(pid)) return false;
    }
    const isBefore = (last: number | undefined): boolean => last !== undefined && last < event;
    return (
      (this.#made.get(event) ?? []).every((id) => isBefore(this.#files.get(id)?.onlyPassive)) &&
      (this.#ended.get(event) ?? []).every((id) => isBefore(this.#files.get(id)?.unheld))
    );
  }

  held(file: FileId, place: HoldPlace): void {
    if (this.#isFull) return;
    const holds = this.#holdsOf(file);
    if (!this.#isPassive(place)) holds.active++;
    else {
      holds.passive++;
      note(this.#made, this.#event, file);
    }
  }

  dropped(file: FileId, place: HoldPlace): void {
    if (this.#isFull) return;
    const holds = this.#holdsOf(file);
    if (!this.#isPassive(place)) holds.active--;
    else {
      holds.passive--;
      note(this.#ended, this.#event, file);
    }
  }

  started(): void {}

  renamed(): void {}

  ended(): void {}

  #isPassive({ via, process }: HoldPlace): boolean {
    return via === 'mapping' || this.#passive.has(process.pid);
  }

  #holdsOf(file: FileId): Holds {
    const known = this.#files.get(file);
    const holds = known ?? { active: 0, passive: 0, onlyPassive: -1, unheld: -1 };
    if (known === undefined) this.#files.set(file, holds);
    this.#touched.add(holds);
    return holds;
  }
}

const ofPassive = [
  'process.forked',
  'process.executed',
  'process.exited',
  'descriptor.closed',
] as const;
const isOfPassive: ReadonlySet<EventType> = new Set(ofPassive);
const changesHolds: ReadonlySet<EventType> = new Set([
  'mapping.created',
  'mapping.removed',
  ...ofPassive,
]);

/**
 * The pids that were forked once, and that neither the call nor any other kind of event names; nor does
 * any name a process that has inherited from one of them.
 */
function passiveAmong(events: PlayedEvents, call: Attempt, out: ReadonlySet<number>): Set<number> {
  const passive = new Set<number>();
  const active = new Set<number>(pidsIn(call));
  const forks: { readonly pid: number; readonly child: number }[] = [];
  for (const { type, data, position } of events.range(0, events.length)) {
    // A refused attempt changes nothing.
    if (type === 'operation.refused' || out.has(position)) continue;
    if (!isOfPassive.has(type)) for (const pid of pidsIn(data)) active.add(pid);
    if (type !== 'process.forked') continue;
    if (passive.has(data.child)) active.add(data.child);
    passive.add(data.child);
    forks.push(data);
  }
  // A child is forked after its parent was.
  for (const { pid, child } of forks.toReversed()) if (active.has(child)) active.add(pid);
  for (const pid of active) passive.delete(pid);
  return passive;
}

function note(files: Map<number, FileId[]>, event: number, file: FileId): void {
  const known = files.get(event);
  if (known === undefined) files.set(event, [file]);
  else known.push(file);
}
