/**
 * The timeline of a host: one pass over its events, and what questions about the past stand on.
 *
 * It keeps the events, the intervals of ownership, and for each subject the positions that concern
 * it. A past moment is replayed from the boot before it, where everything begins anew. Where the
 * events before the first are not here, nothing is known of the host until it boots.
 *
 * @module
 */
import type { DataOf, Placed } from '../events/vocabulary.ts';
import { Kernel } from '../machines/kernel.ts';
import type { Interval, Owner, Position } from './shapes.ts';
import { subjectsOf, type SubjectKey } from './subjects.ts';
import { nobody, ownerOf, unknownOwner } from './views.ts';

export class Timeline<E extends Placed = Placed> {
  readonly events: E[] = [];
  /** The position of the first event; those before it are not here. */
  readonly first: number;
  /** The host after the last event. */
  readonly kernel = new Kernel();
  /** PCI addresses by the names that devices go by. */
  readonly deviceNames = new Map<string, string>();
  readonly #groupsOfDevice = new Map<string, Set<string>>();
  readonly #intervals = new Map<string, Interval[]>();
  readonly #positions = new Map<SubjectKey, number[]>();
  readonly #boots: number[] = [];
  #cached: { position: number; kernel: Kernel } | null = null;

  constructor(first = 0) {
    this.first = first;
    this.kernel.isKnown = first === 0;
  }

  get head(): number {
    return this.first + this.events.length - 1;
  }

  /** Takes the next event. */
  take(event: E): void {
    if (event.position !== this.head + 1) {
      throw new RangeError(`expected position ${this.head + 1}, not ${event.position}`);
    }
    this.events.push(event);
    if (event.type === 'host.booted') this.#boots.push(event.position);
    if (event.type === 'device.added') this.#name(event.data);
    for (const key of subjectsOf(this.kernel, event)) {
      const positions = this.#positions.get(key);
      if (positions === undefined) this.#positions.set(key, [event.position]);
      else positions.push(event.position);
    }
    if (!this.kernel.isKnown && event.type !== 'host.booted') return;
    this.kernel.take(event);
    for (const group of this.kernel.touched) {
      const current = this.kernel.group(group.group);
      const owner = current === undefined ? nobody : ownerOf(this.kernel, current);
      this.#note(group.group, owner, event);
    }
  }

  /** The host after the event at a position; before the first one at -1. */
  hostAt(position: number): Kernel {
    if (!this.#isKnownAt(position)) return this.#unknownHost();
    const cached = this.#cached;
    const boot = this.bootBefore(position);
    const useful = cached !== null && cached.position <= position && cached.position >= boot;
    const kernel = useful ? cached.kernel : new Kernel();
    for (let next = useful ? cached.position + 1 : boot; next <= position; next++) {
      kernel.take(this.at(next));
    }
    this.#cached = { position, kernel };
    return kernel;
  }

  /** A host of its own after the event at a position, for whoever means to go on differently. */
  replayTo(position: number): Kernel {
    const kernel = new Kernel();
    for (let next = this.bootBefore(position); next <= position; next++) {
      kernel.take(this.at(next));
    }
    return kernel;
  }

  at(position: number): E {
    const event = this.events[position - this.first];
    if (event === undefined) throw new RangeError(`there is no event at position ${position}`);
    return event;
  }

  /** Where the boot stands that a position belongs to. */
  bootBefore(position: number): number {
    return this.#boots.findLast((at) => at <= position) ?? this.first;
  }

  /** The first position after the boot that a position belongs to. */
  bootAfter(position: number): number {
    return this.#boots.find((at) => at > position) ?? this.head + 1;
  }

  /** Positions of the events that concern a subject, ascending. */
  positionsOf(key: SubjectKey): readonly number[] {
    return this.#positions.get(key) ?? [];
  }

  /** The events from one position to another, both included; those of a subject where one is named. */
  select(first: number, last: number, subject: SubjectKey | null): E[] {
    const positions = subject === null ? null : new Set(this.positionsOf(subject));
    return this.events
      .slice(Math.max(first - this.first, 0), Math.max(last + 1 - this.first, 0))
      .filter(({ position }) => positions === null || positions.has(position));
  }

  /** The intervals of a group, without gaps from the start on. */
  intervalsOf(group: string): readonly Interval[] {
    return this.#intervals.get(group) ?? [];
  }

  /** The groups that a device was ever seen in. */
  groupsOfDevice(device: string): readonly string[] {
    return [...(this.#groupsOfDevice.get(device) ?? [])];
  }

  groups(): readonly string[] {
    return [...this.#intervals.keys()];
  }

  /** Since when the owner of a group at a position has been the owner. */
  since(group: string, position: number): Position {
    return this.intervalsOf(group).findLast(({ from }) => (from ?? -1) <= position)?.from ?? null;
  }

  /** The interval of a subject before anything has happened to it. */
  openInterval(subject: string): Interval {
    const owner = this.first === 0 ? nobody : unknownOwner;
    return { subject, from: null, to: null, owner, endedBy: null };
  }

  /** Whether what was so at a position follows from events that are here. */
  #isKnownAt(position: number): boolean {
    return position < this.first
      ? position < 0
      : this.first === 0 || this.#boots.some((at) => at <= position);
  }

  /** What the log will come to know of is there already; nothing else about it is known. */
  #unknownHost(): Kernel {
    const kernel = new Kernel();
    kernel.isKnown = false;
    const position = this.first;
    const names = new Map([...this.deviceNames].map(([name, device]) => [device, name]));
    for (const [device, [group = null]] of this.#groupsOfDevice) {
      const data = { device, name: names.get(device) ?? null, group, driver: null, model: null };
      kernel.take({ type: 'device.added', data: { ...data, cdev: null }, position });
    }
    for (const group of kernel.groups()) group.unknownSince = position;
    return kernel;
  }

  #name({ device, name, group }: DataOf<'device.added'>): void {
    const groups = this.#groupsOfDevice.get(device) ?? new Set();
    this.#groupsOfDevice.set(device, groups);
    if (group !== null) groups.add(group);
    if (name !== null) this.deviceNames.set(name, device);
  }

  #note(group: string, owner: Owner, event: Placed): void {
    let intervals = this.#intervals.get(group);
    if (intervals === undefined) {
      intervals = [this.openInterval(group)];
      this.#intervals.set(group, intervals);
    }
    const last = intervals.at(-1);
    if (last === undefined || isSame(last.owner, owner)) return;
    const { position, type } = event;
    intervals[intervals.length - 1] = { ...last, to: position, endedBy: type };
    intervals.push({ subject: group, from: position, to: null, owner, endedBy: null });
  }
}

function isSame(a: Owner, b: Owner): boolean {
  return a.kind === b.kind && a.file === b.file;
}
