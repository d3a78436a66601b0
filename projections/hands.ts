/**
 * Hands: the holds of files that concern a group, from when to when.
 *
 * A hold is a descriptor, a mapping, a place in a queue, or the reference of another file in the
 * kernel. A file concerns a group while it opens the group, while it is a device's file that is bound
 * in the group or was obtained from it, or while it keeps the group's owner alive.
 *
 * @module
 */
import type { FileAt } from '../machines/host-at.ts';
import type { FileId } from '../processes/process-table.ts';
import { follow } from './follow.ts';
import { holderOf } from './index/hold-at.ts';
import type { HostPart } from './index/segment.ts';
import type { StandingView } from './index/view.ts';
import { groupOfFile } from './parties.ts';
import type { Hand, OwnerInterval } from './interval-shapes.ts';
import type { Holder, Position } from './shapes.ts';
import { keyOf, type Subject } from './subjects.ts';
import type { Timeline } from './timeline.ts';
import { byProcess, filesOfDevice, holderShown, keepingAlive, referenceFrom } from './views.ts';

/** Why a file concerns a group; at least one of them is true. */
interface Reasons {
  /** It has the group open. */
  readonly opens: boolean;
  /** It is a device's file that is bound in the group or was obtained from it. */
  readonly bound: boolean;
  /** It owns the group, or keeps the file that does alive. */
  readonly keepsOwner: boolean;
}

/** A hold of a file. */
interface Hold {
  readonly holder: Holder;
  /** The file held; for a reference in the kernel, `holder.file` is the one that holds it. */
  readonly of: FileId;
}

/** Half-open: a hold of a file, as long as the file concerned a group for the same reasons. */
export interface HandIn extends Hold, Reasons {
  readonly from: number;
  /** Null while it goes on. */
  readonly to: Position;
}

/**
 * Every hand on a group in the states after the events from `from` up to but without `to` (null: up
 * to the end of the log), by `from`. A hold whose reasons change, or whose process gets another name,
 * is several hands, one after the other.
 */
export function handsOf(timeline: Timeline, group: string, from: number, to: Position): HandIn[] {
  const spans = new Spans<HandIn>();
  follow(timeline, from, to, (host, position) => {
    const files = filesConcerning(host, group);
    for (const [file, reasons] of files) {
      const why = `${reasons.opens} ${reasons.bound} ${reasons.keepsOwner}`;
      for (const [key, hold] of [...heldBy(host, file), ...keptBy(host, file)]) {
        spans.see(`${key} ${why}`, { ...hold, ...reasons }, position);
      }
    }
    spans.end(position);
    return { files: [...files.keys()], groups: [group] };
  });
  return spans.until(to);
}

/**
 * The descriptors and mappings that kept the owner of an interval of `subject` alive, clipped to the
 * interval: at each of its positions, the holders of its owner. Of an unknown owner: all that were
 * seen on files of the group, else of the subject.
 */
export function handsIn(timeline: Timeline, subject: Subject, interval: OwnerInterval): Hand[] {
  const { owner, from, to } = interval;
  if (owner.kind === 'none' || owner.kind === 'kernel') return [];
  const of = owner.file === null ? subject : null;
  const pid = of?.kind === 'process' ? Number(of.id) : null;
  const spans = new Spans<Hold & Pick<HandIn, 'from' | 'to'>>();
  follow(timeline, from ?? timeline.first, to, (host, position) => {
    const part = of === null ? keeping(host, owner.file ?? '') : seenOn(timeline, host, of);
    for (const file of part.files) {
      for (const [key, hold] of heldBy(host, file)) {
        if (pid === null || hold.holder.pid === pid) spans.see(key, hold, position);
      }
    }
    spans.end(position);
    return part;
  });
  return spans.until(to).map(({ holder, from: begun, to: ended }) => ({
    ...holder,
    from: begun,
    fromTime: timeline.timeAt(begun),
    to: ended,
    toTime: ended === null ? null : timeline.timeAt(ended),
  }));
}

/** The files that concern a group at a moment, and why. */
function filesConcerning(host: StandingView, group: string): Map<FileId, Reasons> {
  const files = new Map<FileId, Reasons>();
  const at = host.group(group);
  if (at === undefined) return files;
  const add = (file: FileId, reason: keyof Reasons): void => {
    const reasons = files.get(file) ?? { opens: false, bound: false, keepsOwner: false };
    files.set(file, { ...reasons, [reason]: true });
  };
  if (at.opener !== null) add(at.opener, 'opens');
  for (const file of host.files()) if (isBoundIn(file, group)) add(file.id, 'bound');
  const owner = at.isUnknown ? null : at.owner;
  if (owner !== null) for (const file of keepingAlive(host, [owner])) add(file, 'keepsOwner');
  return files;
}

/** Whether a device's file is bound in a group, or was obtained from it: then it keeps a context. */
function isBoundIn({ kind, group: of, pins }: FileAt, group: string): boolean {
  return kind === 'device' && of === group && pins.length > 0;
}

function keeping(host: StandingView, owner: FileId): HostPart {
  return { files: [...keepingAlive(host, [owner])] };
}

/** The files on which hands are seen while the owner of a subject is unknown. */
function seenOn(timeline: Timeline, host: StandingView, { kind, id }: Subject): HostPart {
  const subjects = [keyOf({ kind, id })];
  switch (kind) {
    case 'group':
      return { files: filesOfGroup(host, id), groups: [id] };
    case 'device': {
      const device = host.device(id);
      const group = device?.group ?? null;
      const alone = device === undefined ? [] : filesOfDevice(host, device).map((file) => file.id);
      const files = group === null ? alone : filesOfGroup(host, group);
      return { files, groups: timeline.groupsOfDevice(id), subjects };
    }
    case 'file':
      return { files: [...keepingAlive(host, [id])] };
    case 'process': {
      const { descriptors, mapped = [] } = host.process(Number(id)) ?? {};
      const open = [...(descriptors?.values() ?? [])].map(({ file }) => file);
      const files = [...new Set([...open, ...mapped])];
      return { files: files.filter((file) => host.file(file)?.kind !== 'other'), subjects };
    }
  }
}

/** The open files of a group and of its devices. */
function filesOfGroup(host: StandingView, group: string): FileId[] {
  return [...host.files()].filter((file) => groupOfFile(file) === group).map(({ id }) => id);
}

/** The descriptors and mappings of a file, by keys that last as long as their process has its name. */
function heldBy(host: StandingView, file: FileId): [key: string, Hold][] {
  return host.holdsOf(file).map((hold) => {
    const { number, comm, cgroup } = hold;
    const holder = holderShown(holderOf(hold));
    return [JSON.stringify([number, comm, cgroup]), { holder, of: file }];
  });
}

/** The references in the kernel that keep a file alive, by keys. */
function keptBy(host: StandingView, file: FileId): [key: string, Hold][] {
  const pins = host.file(file)?.pinnedBy ?? [];
  return pins.map((pin) => [`${pin} ${file}`, { holder: referenceFrom(pin), of: file }]);
}

/** Collects what is seen at some positions, each from when to when. */
class Spans<T extends Hold & Pick<HandIn, 'from' | 'to'>> {
  readonly #ended: T[] = [];
  readonly #open = new Map<string, T>();
  readonly #seen = new Set<string>();

  /** What is seen at a position; it begins there unless it was seen at the position before. */
  see(key: string, value: Omit<T, 'from' | 'to'>, position: number): void {
    this.#seen.add(key);
    if (!this.#open.has(key)) this.#open.set(key, { ...value, from: position, to: null } as T);
  }

  /** Ends at a position what was not seen there. */
  end(position: number): void {
    for (const [key, span] of this.#open) {
      if (this.#seen.has(key)) continue;
      this.#ended.push({ ...span, to: position });
      this.#open.delete(key);
    }
    this.#seen.clear();
  }

  /** All spans, by their beginning and process; what was still seen last ends at `to`. */
  until(to: Position): T[] {
    const open = [...this.#open.values()].map((span) => ({ ...span, to }));
    return [...this.#ended, ...open].toSorted(
      (a, b) => a.from - b.from || byProcess(a.holder, b.holder),
    );
  }
}
