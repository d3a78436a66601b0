/**
 * Candidates: sets of events in which `fewestEvents` looks for the fewest that decide an
 * expression.
 *
 * A boot may be long, and most of its events do not matter. So small sets come first, and the whole
 * boot last. A small set may miss an event that is needed; then the next set is tried.
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

/** Sets of the last events, by their size; they are tried before the whole boot. */
const RECENT = [512, 8192];

type Wanted = (type: EventType) => boolean;

const any: Wanted = () => true;
const plugs = new Set<EventType>(['device.added', 'device.removed']);
const ofDrivers = new Set(eventTypes.filter((type) => type.startsWith('driver.')));

/** Whether events of a type start, end or name a process. */
function ofProcesses(type: EventType): boolean {
  const { replaces, names } = effectOf(type);
  return replaces !== null || names !== null;
}

/** The sets, in the order in which they are to be tried; each is read only when it is called. */
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

/**
 * Groups, devices, files and processes that the rows involve right before an event and after it.
 */
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

  /** All events of the files, starts, ends and names of the processes, and some of the devices. */
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
    return [...this.#timeline.many([...positions].toSorted((a, b) => a - b))];
  }

  /** Adds every file that had one of the groups open or owned it at any time since the boot. */
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
 * The events from `from` to `to`, and of those before them the events of the devices and the open
 * files of that moment.
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
  const places = timeline.many([...before].toSorted((a, b) => a - b));
  return [...places, ...recent];
}

function lastAdded(timeline: Timeline, device: string, until: number): Placed | undefined {
  for (const at of timeline.positionsBack(`device ${device}`, until)) {
    if (timeline.typeAt(at) === 'device.added') return timeline.at(at);
  }
  return undefined;
}
