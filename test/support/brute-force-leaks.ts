/**
 * What processes did between two moments, worked out the slow way: the table of every moment is
 * looked at, and of a file what the machines say of it.
 *
 * @module
 */
import type { LedgerEvent, Placed } from '../../events/vocabulary.ts';
import type { ObservedCause } from '../../machines/causes.ts';
import type { FileAt } from '../../machines/host-at.ts';
import { LiveHost } from '../../machines/live-host.ts';
import { effectOf } from '../../processes/effects.ts';
import type { OpenedFile } from '../../projections/activity.ts';
import type { FoundActivity } from '../../projections/leaks.ts';
import { HostAtMoment } from '../../projections/moment.ts';
import type { Table } from '../../projections/shapes.ts';
import { Timeline } from '../../projections/timeline.ts';

type Event = Placed<LedgerEvent>;

/** One above the highest pid that the kernel gives; from there on numbers stand for no process. */
const NO_PID = 0x40_0000;

const operations: Readonly<Record<string, 'bind' | 'attach' | 'set_container'>> = {
  'device.bound': 'bind',
  'device.attached': 'attach',
  'container.set': 'set_container',
};

/** What was done with a file, and by whom, where the host was known. */
interface Done {
  readonly event: Event;
  readonly cause: ObservedCause | null;
  /** The file that was opened, or that the call was made on. */
  readonly file: FileAt | null;
  /** The node of the device that it names, below /dev/vfio/devices. */
  readonly node: string | null;
}

/** A log with its table after each event. */
export class SlowActivity {
  readonly #first: number;
  readonly #done: readonly Done[];
  readonly #tables: ReadonlyMap<number, Table>;

  constructor(log: readonly Event[]) {
    const first = log[0]?.position ?? 0;
    const timeline = new Timeline({ first });
    for (const event of log) timeline.take(event);
    const positions = [-1, ...log.map(({ position }) => position)];
    this.#first = first;
    this.#tables = new Map(positions.map((at) => [at, new HostAtMoment(timeline, at).table()]));
    const host = new LiveHost({ isKnown: first === 0 });
    this.#done = log.map((event) => done(host, event));
  }

  #timeOf(position: number): string | null {
    return this.#done.find(({ event }) => event.position === position)?.event.time ?? null;
  }

  between(from: number, to: number, by: readonly number[] | null): FoundActivity {
    const after = this.#tables.get(to);
    if (after === undefined) throw new RangeError(`there is no table at ${to}`);
    const theirs = this.#done.filter(({ event: { position, data } }) => {
      const isBetween = position > from && position <= to;
      if (!isBetween || !('pid' in data) || data.pid === null) return false;
      return by === null || by.includes(data.pid);
    });
    const opened = theirs.flatMap((one): OpenedFile[] => {
      const { event, file } = one;
      if (effectOf(event.type).opens === null || file === null) return [];
      const isSeen = [undefined, 'observed'].includes(event.data.evidence?.certainty);
      const released = this.#releaseOf(file.id, event.position, to);
      return [{ file: file.id, ...of(file), ...this.#call(event), isSeen, released }];
    });
    const leaks = opened
      .filter(({ released }) => released === null)
      .map((one) => {
        const { released: _, ...opening } = one;
        const holders = after.files.find(({ file }) => file === opening.file)?.holders ?? [];
        const groups = after.groups.filter(({ owner: { file } }) => {
          return file !== null && keepersOf(file, after).has(opening.file);
        });
        return { ...opening, holders, keepsOwnerOf: groups.map(({ group }) => group) };
      });
    return {
      from: from < 0 ? null : from,
      fromTime: this.#timeOf(from),
      to: to < 0 ? null : to,
      toTime: this.#timeOf(to),
      opened,
      bound: theirs.flatMap(({ event, file }) => {
        const operation = operations[event.type];
        if (operation === undefined || file === null) return [];
        return [{ operation, ...of(file), ...this.#call(event) }];
      }),
      refused: theirs.flatMap(({ event, cause, file, node }) => {
        if (event.type !== 'operation.refused') return [];
        const { operation, errno } = event.data;
        const { fd: _, ...caller } = this.#call(event);
        const known = cause ?? 'unknown';
        return [{ operation, errno, cause: known, ...this.#placeOf(event, file, node), ...caller }];
      }),
      held: leaks.flatMap(({ kind, group, device, holders }) =>
        holders.flatMap((holder) =>
          holder.via === 'kernel' ? [] : [{ ...holder, kind, group, device }],
        ),
      ),
      owned: after.groups
        .filter(({ group, owner }) => {
          return (
            owner.kind === 'unknown' || leaks.some((leak) => leak.keepsOwnerOf.includes(group))
          );
        })
        .map(({ group, owner }) => ({ group, owner })),
      leaks,
    };
  }

  /** What a refused call was made on, and the path that it was to open. */
  #placeOf({ position, data }: Event, file: FileAt | null, node: string | null) {
    const given = new Map<string, unknown>(Object.entries(data));
    const text = (key: string): string | null => {
      const value = given.get(key);
      return typeof value === 'string' ? value : null;
    };
    const device = text('device') ?? file?.device ?? null;
    const row = this.#tables.get(position)?.devices.find((one) => one.device === device);
    const group = text('group') ?? file?.group ?? row?.group ?? null;
    const operation = text('operation');
    const paths = new Map([
      ['open_path', text('path')],
      ['open_group', group === null ? null : `/dev/vfio/${group}`],
      ['open_cdev', node === null ? null : `/dev/vfio/devices/${node}`],
    ]);
    return { group, device, path: paths.get(operation ?? '') ?? null };
  }

  /** The first event after which a file is not in the table. */
  #releaseOf(file: string, opened: number, to: number): OpenedFile['released'] {
    for (let position = opened; position <= to; position++) {
      const { files = [] } = this.#tables.get(position) ?? {};
      if (files.some((one) => one.file === file)) continue;
      return { position, time: this.#done[position - this.#first]?.event.time ?? null };
    }
    return null;
  }

  #call({ position, time, data }: Event) {
    const { pid, fd, as = fd } = data as { pid: number; fd?: number; as?: number };
    const comm = this.#commOf(pid, position);
    return {
      position,
      time,
      pid: pid < NO_PID ? pid : null,
      comm,
      fd: as === undefined || as < 0 ? null : as,
    };
  }

  #commOf(pid: number, position: number): string | null {
    let comm: string | null = null;
    for (const { event } of this.#done.slice(0, position + 1 - this.#first)) {
      if (event.type === 'host.booted') comm = null;
      const named = effectOf(event.type).names?.(event.data) ?? null;
      if (named?.pid === pid) ({ comm } = named);
    }
    return comm;
  }
}

/** Has a host take an event, and says what that was about. */
function done(host: LiveHost, event: Event): Done {
  const nothing = { event, cause: null, file: null, node: null };
  if (!host.isKnown && event.type !== 'host.booted') return nothing;
  const cause = event.type === 'operation.refused' ? host.explain(event.data).cause : null;
  host.take(event);
  const { pid, fd, device } = event.data as { pid?: number; fd?: number; device?: unknown };
  const opens = effectOf(event.type).opens !== null;
  const id = opens ? `f${event.position}` : host.fileBehind(pid ?? -1, fd ?? -1);
  const found = id === undefined ? undefined : host.file(id);
  const file = found === undefined || found.kind === 'other' ? null : { ...found };
  const node = host.device(String(device))?.cdev ?? null;
  return { event, cause, file, node };
}

function of({ kind, group, device }: FileAt): Pick<OpenedFile, 'kind' | 'group' | 'device'> {
  if (kind === 'other') throw new TypeError('it is no file of VFIO');
  return { kind, group, device };
}

/** A file, and the files through which the kernel keeps it alive. */
function keepersOf(file: string, { files }: Table): ReadonlySet<string> {
  const found = new Set([file]);
  for (const id of found) {
    const view = files.find((one) => one.file === id);
    for (const holder of view?.holders ?? []) {
      if (holder.via === 'kernel' && holder.file !== null) found.add(holder.file);
    }
  }
  return found;
}
