/**
 * Events among which to look for the fewest with which an expression comes to hold.
 *
 * A boot may be long. Most of it has nothing to do with what holds at its end, and is not to be
 * played again and again: smaller choices are tried before it. None of them has to be enough.
 *
 * @module
 */
import { eventTypes, type EventType, type Placed } from '../../events/vocabulary.ts';
import { effectOf } from '../../processes/effects.ts';
import type { FileId } from '../../processes/process-table.ts';
import type { SubjectKey } from '../subjects.ts';
import type { Timeline } from '../timeline.ts';
import { hostRows, type DeviceNames } from './host-rows.ts';
import { NotingHost } from './seen-host.ts';
import type { FirstMatch, RowName } from './trial.ts';

/** How many of the last events are tried, before all are. */
const RECENT = [512, 8192];

type Wanted = (type: EventType) => boolean;

const any: Wanted = () => true;
const plugs = new Set<EventType>(['device.added', 'device.removed']);
const ofDrivers = new Set(eventTypes.filter((type) => type.startsWith('driver.')));

/** By which a process came, went, or came by its name. */
function ofProcesses(type: EventType): boolean {
  const { replaces, names } = effectOf(type);
  return replaces !== null || names !== null;
}

/** Events among which the fewest may be, in the order in which they are to be tried. */
export function* candidates(
  timeline: Timeline,
  found: FirstMatch,
): Generator<() => readonly Placed[]> {
  const { position } = found;
  let boot = timeline.bootBefore(position);
  const involved = new Involved(timeline, found, boot);
  yield () => involved.events((type) => type === 'device.added');
  yield () => involved.events((type) => plugs.has(type) || ofDrivers.has(type));
  involved.addPast();
  yield () => involved.events(any);
  for (const size of RECENT) {
    if (position - size > boot) yield () => recentEvents(timeline, boot, position - size, position);
  }
  for (;;) {
    const isKnown = timeline.first === 0 || timeline.typeAt(boot) === 'host.booted';
    const from = boot;
    if (isKnown) yield () => [...timeline.between(from, position)];
    if (boot <= timeline.first) return;
    boot = timeline.bootBefore(boot - 1);
  }
}

/** What rows have to do with, right before an event and after it. */
class Involved {
  readonly #timeline: Timeline;
  readonly #position: number;
  readonly #boot: number;
  readonly #groups = new Set<string>();
  readonly #devices = new Set<string>();
  readonly #files = new Set<FileId>();
  readonly #pids = new Set<number>();

  constructor(timeline: Timeline, { position, rows, before, names }: FirstMatch, boot: number) {
    this.#timeline = timeline;
    this.#position = position;
    this.#boot = boot;
    for (const at of [position - 1, position]) {
      if (at >= boot) for (const row of [...before, ...rows]) this.#add(row, at, names);
    }
  }

  /** All events of the files, those by which processes came and went, and some of the devices. */
  events(ofDevices: Wanted): Placed[] {
    const positions = new Set([this.#boot, this.#position]);
    const add = (key: SubjectKey, isWanted: Wanted): void => {
      for (const at of this.#positionsOf(key)) {
        if (isWanted(this.#timeline.typeAt(at))) positions.add(at);
      }
    };
    for (const file of this.#files) add(`file ${file}`, any);
    for (const pid of this.#pids) add(`process ${pid}`, ofProcesses);
    for (const device of this.#devices) add(`device ${device}`, ofDevices);
    return [...positions].toSorted((a, b) => a - b).map((at) => this.#timeline.at(at));
  }

  /** Takes in what was open of the groups, and owned them, at any time since the boot. */
  addPast(): void {
    const timeline = this.#timeline;
    for (const group of this.#groups) {
      for (const at of this.#positionsOf(`group ${group}`)) {
        const { opens } = effectOf(timeline.typeAt(at));
        if (opens === 'group' || opens === 'device') this.#files.add(`f${at}`);
      }
      for (const { position } of timeline.handedOver(this.#boot, this.#position, group)) {
        const host = timeline.hostAt(position);
        const owner = host.group(group)?.owner ?? null;
        const file = owner === null ? undefined : host.file(owner);
        if (file === undefined) continue;
        this.#files.add(file.id);
        for (const kept of file.pins) this.#files.add(kept);
      }
    }
  }

  #positionsOf(key: SubjectKey): Iterable<number> {
    return this.#timeline.positionsOf(key, this.#boot, this.#position);
  }

  #add({ kind, id }: RowName, position: number, names: DeviceNames): void {
    const host = new NotingHost(this.#timeline.hostAt(position));
    const row = hostRows(host, () => null, names)[kind](id);
    if (kind === 'device') this.#devices.add(id);
    if (row !== undefined && 'group' in row && row.group !== null) this.#groups.add(row.group);
    for (const { device, group } of host.devices()) {
      if (group !== null && this.#groups.has(group)) this.#devices.add(device);
    }
    for (const file of host.asked) {
      this.#files.add(file);
      for (const { pid } of host.holders(file)) this.#pids.add(pid);
    }
  }
}

/**
 * The events from a position on, and of those before it what led to the devices that were there and
 * to the files that were open.
 */
function recentEvents(timeline: Timeline, boot: number, from: number, to: number): Placed[] {
  const recent = [...timeline.between(from, to)];
  const host = timeline.hostAt(from - 1);
  const before = new Set([boot]);
  const add = (key: SubjectKey, isWanted: Wanted, after = boot): void => {
    for (const at of timeline.positionsOf(key, after, from - 1)) {
      if (isWanted(timeline.typeAt(at))) before.add(at);
    }
  };
  for (const { id } of host.files()) {
    add(`file ${id}`, any);
    for (const { pid } of host.holders(id)) add(`process ${pid}`, ofProcesses);
  }
  for (const { device, driver } of host.devices()) {
    const added = lastAdded(timeline, device, from - 1);
    if (added?.type !== 'device.added') continue;
    before.add(added.position);
    if (added.data.driver !== driver)
      add(`device ${device}`, (type) => ofDrivers.has(type), added.position);
  }
  const places = [...before].toSorted((a, b) => a - b).map((at) => timeline.at(at));
  return [...places, ...recent];
}

function lastAdded(timeline: Timeline, device: string, until: number): Placed | undefined {
  for (const at of timeline.positionsBack(`device ${device}`, until)) {
    if (timeline.typeAt(at) === 'device.added') return timeline.at(at);
  }
  return undefined;
}
