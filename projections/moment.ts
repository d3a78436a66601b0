/**
 * A host at one moment, as plain data.
 *
 * @module
 */
import type { Kernel } from '../machines/kernel.ts';
import type { OpenFile } from '../machines/host.ts';
import type { FileId } from '../processes/process-table.ts';
import { lineageOf } from './lineage.ts';
import { resolveSubject } from './resolve.ts';
import type {
  Descent,
  DeviceView,
  FileView,
  GroupView,
  Holder,
  Moment,
  Owner,
  Table,
  Who,
} from './shapes.ts';
import { UnknownSubjectError, type Subject } from './subjects.ts';
import type { Timeline } from './timeline.ts';
import {
  byProcess,
  deviceView,
  filesOfDevice,
  groupView,
  keepers,
  nobody,
  orphans,
  ownerOf,
  tableOf,
} from './views.ts';
import { START } from './when.ts';

export class HostAtMoment {
  readonly #timeline: Timeline;
  readonly #position: number;

  constructor(timeline: Timeline, position: number) {
    this.#timeline = timeline;
    this.#position = position;
  }

  get moment(): Moment {
    const position = this.#position;
    return position === START
      ? { position: null, time: null }
      : { position, time: this.#timeline.at(position).time };
  }

  table(): Table {
    return tableOf(this.#host, this.moment, this.#since);
  }

  /** A device by address, name or node. Throws `UnknownSubjectError`. */
  device(word: string): DeviceView {
    const { kind, id } = resolveSubject(this.#timeline, word, this.#position);
    const device = kind === 'device' ? this.#host.device(id) : undefined;
    if (device === undefined) throw new UnknownSubjectError(`no device '${word}' at that moment`);
    return deviceView(this.#host, device, this.#since);
  }

  /** A group by its number. Throws `UnknownSubjectError`. */
  group(word: string): GroupView {
    const { kind, id } = resolveSubject(this.#timeline, word, this.#position);
    const group = kind === 'group' ? this.#host.group(id) : undefined;
    if (group === undefined) throw new UnknownSubjectError(`no group '${word}' at that moment`);
    return groupView(this.#host, group, this.#since);
  }

  /** Owner, holders and waiters of a subject; nobody where it is not there at that moment. */
  who(word: string): Who {
    const subject = resolveSubject(this.#timeline, word, this.#position);
    const parties = this.#parties(subject);
    const files = new Set(parties.holders.flatMap(({ file }) => file ?? []));
    const lineage = [...files].flatMap((file) => this.lineage(file));
    const known = new Set(parties.holders.map(placeOf));
    return {
      subject: subject.id,
      at: this.moment,
      ...parties,
      lineage: lineage.filter((descent) => known.has(placeOf(descent))).toSorted(byProcess),
    };
  }

  /** How each holder of a file came by it. */
  lineage(file: FileId): Descent[] {
    return lineageOf(this.#timeline, file, this.#position);
  }

  /** Files that are alive although no process could name them. */
  orphans(): FileView[] {
    return orphans(this.#host);
  }

  get #host(): Kernel {
    return this.#timeline.hostAt(this.#position);
  }

  readonly #since = (group: string) => this.#timeline.since(group, this.#position);

  #parties({ kind, id }: Subject): Omit<Who, 'subject' | 'at' | 'lineage'> {
    const host = this.#host;
    switch (kind) {
      case 'device': {
        const device = host.device(id);
        if (device === undefined) return { owner: nobody, holders: [], waiters: [] };
        const owner = device.group === null ? unknownOwner : ownerOf(host, device.group);
        const files = filesOfDevice(host, device);
        return { owner, holders: heldBy(host, files), waiters: waitersFor(host, [id]) };
      }
      case 'group': {
        const group = host.group(id);
        if (group === undefined) return { owner: nobody, holders: [], waiters: [] };
        const files = [...host.files()].filter((file) => groupOfFile(file) === group);
        const waiters = waitersFor(host, [...group.devices.keys()]);
        return { owner: ownerOf(host, group), holders: heldBy(host, files), waiters };
      }
      case 'file': {
        const file = host.file(id);
        if (file === undefined) return { owner: nobody, holders: [], waiters: [] };
        const group = groupOfFile(file) ?? ownedBy(host, file);
        const owner = group === undefined ? nobody : ownerOf(host, group);
        return { owner, holders: keepers(host, [id]), waiters: [] };
      }
      case 'process': {
        const pid = Number(id);
        const files = [...host.files()].filter(({ kind: what }) => what !== 'other');
        const holders = files
          .flatMap((file) => host.processes.holders(file.id))
          .filter((holder) => holder.pid === pid)
          .toSorted(byProcess);
        const owners = [...host.groups()].map((group) => ownerOf(host, group));
        const kept = owners.find((owner) => owner.holders.some((holder) => holder.pid === pid));
        return { owner: kept ?? nobody, holders, waiters: [] };
      }
    }
  }
}

const placeOf = ({ pid, fd, file }: Holder): string => `${pid} ${fd} ${file}`;

const unknownOwner: Owner = { kind: 'unknown', file: null, holders: [] };

function heldBy(host: Kernel, files: readonly OpenFile[]): Holder[] {
  return files.flatMap((file) => host.processes.holders(file.id)).toSorted(byProcess);
}

function groupOfFile(file: OpenFile) {
  if (file.kind === 'group') return file.state === 'dead' ? undefined : file.group;
  return file.kind === 'device' ? (file.device.group ?? undefined) : undefined;
}

/** A group that a context owns: an iommufd's, or one in a container. */
function ownedBy(host: Kernel, file: OpenFile) {
  for (const group of host.groups()) {
    const { owner, opener } = group.record;
    if (owner === file.id) return group;
    const opened = opener === null ? undefined : host.file(opener);
    if (opened?.kind === 'group' && opened.record.container === file.id) return group;
  }
  return undefined;
}

/** Who waits for one of the devices to be let go: the unbind of a driver. */
function waitersFor(host: Kernel, devices: readonly string[]): Holder[] {
  const change = host.driverChange;
  if (change === null || change.outcome !== null) return [];
  if (!devices.includes(change.device.device)) return [];
  const { pid, comm } = change.waiter;
  return [{ pid, comm, cgroup: null, via: 'queue', fd: null, file: null }];
}
