/**
 * The rows of a host that takes events: a row is cached until an event touches a group, device or
 * file that it was made from.
 *
 * @module
 */
import type { SegmentParts } from '../index/segment-parts.ts';
import type { Touch } from '../index/steps.ts';
import { DEVICE, FILE, fileKinds, GROUP, ownerKinds, type Standing } from '../index/standing.ts';
import { positionOf } from '../../processes/process-table.ts';
import { StandingView } from '../index/view.ts';
import { sinceOrFound } from '../owner-at.ts';
import type { FileView, Position } from '../shapes.ts';
import type { FileAt, HostAt } from '../../machines/host-at.ts';
import { deviceView, fileView, groupView } from '../views.ts';
import type { DeviceNames } from './host-rows.ts';
import { NotingHost } from './seen-host.ts';
import type { DeviceRow, GroupRow, TableRow, RowKind } from './keys.ts';
import type { TableRows } from './where.ts';

interface CachedRow {
  readonly key: number;
  /** Undefined if the host has no such group, device or file. */
  readonly row: TableRow | undefined;
  /** Keys of the groups, devices and files that it was made from. */
  readonly uses: readonly number[];
}

const kinds: readonly RowKind[] = ['group', 'device', 'file'];
const groupKey = (code: number): number => code * kinds.length;
const deviceKey = (code: number): number => code * kinds.length + 1;
const fileKey = (opened: number): number => opened * kinds.length + 2;

export class LiveRows implements TableRows {
  readonly areKept = true;
  /** Whether a row that was read may have changed since `renew`. */
  isStale = true;
  /** Receives what the next event of the standing touches. */
  readonly touch: Touch = {
    everything: () => {
      this.isStale = true;
      this.#kept.clear();
      this.#users.clear();
    },
    group: (code) => this.#touched(groupKey(code)),
    device: (code) => this.#touched(deviceKey(code)),
    file: (opened) => {
      if (this.#isListed) this.isStale = true;
      this.#touched(fileKey(opened));
    },
  };
  readonly #names: DeviceNames;
  readonly #foundAt: (group: string) => Position;
  readonly #codes: SegmentParts['codes'];
  readonly #standing: Standing;
  readonly #kept = new Map<number, CachedRow>();
  readonly #users = new Map<number, Set<CachedRow>>();
  /** Whether `files` was called: then every open and release matters. */
  #isListed = false;
  #view: StandingView;

  /** `foundAt` says where a group was found. */
  constructor(
    standing: Standing,
    codes: SegmentParts['codes'],
    names: DeviceNames,
    foundAt: (group: string) => Position,
  ) {
    this.#standing = standing;
    this.#codes = codes;
    this.#names = names;
    this.#foundAt = foundAt;
    this.#view = new StandingView(standing, codes);
  }

  /** Call it before reading rows after an event. */
  renew(): void {
    this.isStale = false;
    this.#view = new StandingView(this.#standing, this.#codes);
  }

  *groups(): Generator<GroupRow> {
    for (let code = 0; code < this.#codes.groups.values.length; code++) {
      const row = this.#groupOf(code);
      if (row !== undefined) yield row;
    }
  }

  group(id: string): GroupRow | undefined {
    const code = this.#codes.groups.find(id);
    return code === undefined ? undefined : this.#groupOf(code);
  }

  *devices(): Generator<DeviceRow> {
    for (let code = 0; code < this.#codes.devices.values.length; code++) {
      const row = this.#deviceOf(code);
      if (row !== undefined) yield row;
    }
  }

  device(word: string): DeviceRow | undefined {
    const code = this.#codes.devices.find(this.#names.get(word) ?? word);
    return code === undefined ? undefined : this.#deviceOf(code);
  }

  *files(): Generator<FileView> {
    this.#isListed = true;
    const { cells, width, count } = this.#standing.files;
    for (let row = 0; row < count; row++) {
      const opened = cells[row * width + FILE.opened]!;
      const file = opened === 0 ? undefined : this.file(`f${opened - 1}`);
      if (file !== undefined) yield file;
    }
  }

  file(id: string): FileView | undefined {
    return this.#row(fileKey(positionOf(id)), (host) => {
      const file = host.file(id);
      return (file && fileView(host, file)) ?? undefined;
    });
  }

  #groupOf(code: number): GroupRow | undefined {
    return this.#row(groupKey(code), (host) => {
      const group = host.group(this.#codes.groups.at(code));
      return group && groupView(host, group, this.#since);
    });
  }

  #deviceOf(code: number): DeviceRow | undefined {
    const make = (host: HostAt, uses: number[]): DeviceRow | undefined => {
      const { cells, width } = this.#standing.devices;
      const group = cells[code * width + DEVICE.group] ?? 0;
      if (group !== 0) uses.push(groupKey(group - 1));
      const device = host.device(this.#codes.devices.at(code));
      return device && deviceView(host, device, this.#since);
    };
    return this.#row(deviceKey(code), make, () => this.#filesOf(code));
  }

  /** The open files of a device: its row needs no others. */
  *#filesOf(device: number): Generator<FileAt> {
    const { cells, width, count } = this.#standing.files;
    for (let cell = 0; cell < count * width; cell += width) {
      const isOfDevice = fileKinds[cells[cell + FILE.kind]!] === 'device';
      if (cells[cell] === 0 || !isOfDevice || cells[cell + FILE.subject] !== device) continue;
      const file = this.#view.file(`f${cells[cell]! - 1}`);
      if (file !== undefined) yield file;
    }
  }

  /** The cached row of a key; else makes it, and notes what it was made from. */
  #row<R extends TableRow>(
    key: number,
    make: (host: HostAt, uses: number[]) => R | undefined,
    files?: () => Iterable<FileAt>,
  ): R | undefined {
    const known = this.#kept.get(key);
    if (known !== undefined) return known.row as R | undefined;
    const uses = [key];
    const host = new NotingHost(this.#view, files);
    const row = make(host, uses);
    for (const id of host.asked) uses.push(fileKey(positionOf(id)));
    const kept: CachedRow = { key, row, uses };
    this.#kept.set(key, kept);
    for (const used of uses) {
      const users = this.#users.get(used);
      if (users === undefined) this.#users.set(used, new Set([kept]));
      else users.add(kept);
    }
    return row;
  }

  /** Drops the rows that were made from a group, device or file. */
  #touched(key: number): void {
    const users = this.#users.get(key);
    if (users === undefined) return;
    this.isStale = true;
    for (const kept of users) {
      this.#kept.delete(kept.key);
      for (const used of kept.uses) if (used !== key) this.#drop(used, kept);
    }
    this.#users.delete(key);
  }

  #drop(used: number, kept: CachedRow): void {
    const users = this.#users.get(used);
    users?.delete(kept);
    if (users?.size === 0) this.#users.delete(used);
  }

  readonly #since = (group: string): Position => {
    const { cells, width } = this.#standing.groups;
    const code = this.#codes.groups.find(group) ?? 0;
    const since = cells[code * width + GROUP.since]!;
    const kind = ownerKinds[cells[code * width + GROUP.kind]! - 1] ?? 'none';
    return sinceOrFound(this.#foundAt(group), since === 0 ? null : since - 1, kind);
  };
}
