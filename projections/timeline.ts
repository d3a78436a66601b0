/**
 * The timeline of a host: one pass over its events, and what questions about the past stand on.
 *
 * It keeps the events, the intervals of ownership, and for each subject the positions that concern
 * it. A past moment is replayed from the boot before it, where everything begins anew.
 *
 * @module
 */
import type { DataOf, Placed } from '../events/vocabulary.ts';
import { Kernel } from '../machines/kernel.ts';
import type { Interval, Owner, Position } from './shapes.ts';
import { subjectsOf, type SubjectKey } from './subjects.ts';
import { nobody, ownerOf } from './views.ts';

export class Timeline<E extends Placed = Placed> {
  readonly events: E[] = [];
  /** The host after the last event. */
  readonly kernel = new Kernel();
  /** PCI addresses by the names that devices go by. */
  readonly deviceNames = new Map<string, string>();
  readonly #groupsOfDevice = new Map<string, Set<string>>();
  readonly #intervals = new Map<string, Interval[]>();
  readonly #positions = new Map<SubjectKey, number[]>();
  readonly #boots: number[] = [];
  #cached: { position: number; kernel: Kernel } | null = null;

  get head(): number {
    return this.events.length - 1;
  }

  /** Takes the next event. */
  take(event: E): void {
    if (event.position !== this.events.length) {
      throw new RangeError(`expected position ${this.events.length}, not ${event.position}`);
    }
    this.events.push(event);
    if (event.type === 'host.booted') this.#boots.push(event.position);
    if (event.type === 'device.added') this.#name(event.data);
    for (const key of subjectsOf(this.kernel, event)) {
      const positions = this.#positions.get(key);
      if (positions === undefined) this.#positions.set(key, [event.position]);
      else positions.push(event.position);
    }
    this.kernel.take(event);
    for (const group of this.kernel.touched) {
      const current = this.kernel.group(group.group);
      const owner = current === undefined ? nobody : ownerOf(this.kernel, current);
      this.#note(group.group, owner, event);
    }
  }

  /** The host after the event at a position; before the first one at -1. */
  hostAt(position: number): Kernel {
    const cached = this.#cached;
    const boot = this.#boots.findLast((at) => at <= position) ?? 0;
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
    const event = this.events[position];
    if (event === undefined) throw new RangeError(`there is no event at position ${position}`);
    return event;
  }

  /** Where the boot stands that a position belongs to. */
  bootBefore(position: number): number {
    return this.#boots.findLast((at) => at <= position) ?? 0;
  }

  /** The first position after the boot that a position belongs to. */
  bootAfter(position: number): number {
    return this.#boots.find((at) => at > position) ?? this.events.length;
  }

  /** Positions of the events that concern a subject, ascending. */
  positionsOf(key: SubjectKey): readonly number[] {
    return this.#positions.get(key) ?? [];
  }

  /** The events from one position to another, both included; those of a subject where one is named. */
  select(first: number, last: number, subject: SubjectKey | null): E[] {
    const positions = subject === null ? null : new Set(this.positionsOf(subject));
    return this.events
      .slice(Math.max(first, 0), last + 1)
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

  #name({ device, name, group }: DataOf<'device.added'>): void {
    const groups = this.#groupsOfDevice.get(device) ?? new Set();
    this.#groupsOfDevice.set(device, groups);
    if (group !== null) groups.add(group);
    if (name !== null) this.deviceNames.set(name, device);
  }

  #note(group: string, owner: Owner, event: Placed): void {
    let intervals = this.#intervals.get(group);
    if (intervals === undefined) {
      intervals = [{ subject: group, from: null, to: null, owner: nobody, endedBy: null }];
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
