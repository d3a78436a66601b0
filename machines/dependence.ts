/**
 * What a refused call depends on: it cannot pass before the host changes one of these things.
 *
 * @module
 */
import type { Attempt } from '../events/vocabulary.ts';
import type { FileId } from '../processes/process-table.ts';
import type { Question } from './check.ts';
import { allOf, GONE, type OwnFiles } from './own-files.ts';
import { STRANGER } from './unshown.ts';

/** Files that no event changes. */
const placeholders = new Set([GONE, STRANGER]);

export class Dependence {
  /** Groups whose own state counts, by name. */
  readonly groups: string[] = [];
  /** Groups of which any device counts. */
  readonly members: string[] = [];
  /** PCI addresses. */
  readonly devices: string[] = [];
  /** The caller's own files, and containers and iommufds. */
  readonly files: FileId[] = [];
  /** The process whose descriptors the call names; null if its files are kept, or it names none. */
  pid: number | null = null;
  /** Whether driver changes, plugged devices and readings of the host count. */
  isOfHost = false;
  /** Whether the names of processes count. */
  isOfProcesses = false;
  /** Whether every event counts. */
  isOfAnything = false;

  /**
   * What every check depends on: the caller's own files, or the process if they are not kept, and
   * the device that the call names.
   */
  static onOwn(attempt: Attempt, files: OwnFiles): Dependence {
    const found = new Dependence();
    for (const { file, isGone } of allOf(files)) if (!isGone) found.files.push(file.id);
    const { on } = files;
    const pid = 'pid' in attempt ? attempt.pid : null;
    if (on === null && pid !== null && pid >= 0) found.pid = pid;
    found.#addNamed(attempt);
    // A file that is gone is as good as open until its device loses its driver (`isAsItWas`).
    if (allOf(files).some(({ isGone }) => isGone)) found.isOfHost = true;
    return found;
  }

  static onAnything(): Dependence {
    const found = new Dependence();
    found.isOfAnything = true;
    return found;
  }

  /** Whether it depends on the same things as another. */
  equals(other: Dependence): boolean {
    return (
      isSame(this.groups, other.groups) &&
      isSame(this.members, other.members) &&
      isSame(this.devices, other.devices) &&
      isSame(this.files, other.files) &&
      this.pid === other.pid &&
      this.isOfHost === other.isOfHost &&
      this.isOfProcesses === other.isOfProcesses &&
      this.isOfAnything === other.isOfAnything
    );
  }

  /** Adds everything that a question may look at. */
  addAll(question: Question): this {
    const { call, device, group } = question;
    const groups = new Set<string>();
    if (group !== undefined) groups.add(group.group);
    if (device?.group != null) groups.add(device.group.group);
    if ('group' in call) groups.add(call.group);
    this.groups.push(...groups);
    this.members.push(...groups);
    if (device !== undefined) this.devices.push(device.device);
    const context = contextOf(question);
    if (context !== null && !placeholders.has(context)) this.files.push(context);
    if ('comm' in call) this.isOfProcesses = true;
    return this;
  }

  #addNamed(attempt: Attempt): void {
    if ('device' in attempt && typeof attempt.device === 'string') {
      this.devices.push(attempt.device);
    }
  }
}

function isSame(some: readonly string[], others: readonly string[]): boolean {
  return some.length === others.length && some.every((name, index) => name === others[index]);
}

/** The container or iommufd that a question concerns. */
export function contextOf({ iommufd, container }: Question): FileId | null {
  return (iommufd ?? container)?.id ?? null;
}
