/**
 * The hands of a segment in columns: what questions about tenants and hands read of it, without its
 * journal. They follow from the rest of the segment.
 *
 * An event is counted from the first of the segment, plus 1; `from` is 0 for what was there before it,
 * `to` is 0 for what goes on after it. A span is a process as long as it had one name; columns of spans
 * have its index plus 1, and 0 for a process that was not seen.
 *
 * @module
 */
import { KERNEL_PID } from '../../processes/process-table.ts';
import { Column } from './columns.ts';
import { HandWatch } from './hand-watch.ts';
import type { SegmentParts } from './segment-parts.ts';
import type { ConcernStretch, EventStretch, NameStretch, WatchedFile } from './stretches.ts';

/**
 * - `spans`: by their begin; `label` is an index of `labels`; `isLater` is 1 if the process had another
 *   name before.
 * - `labels`: an index of `texts`; another plus 1, 0 for null; a third plus 2, 1 for false and 0 for
 *   null (`PROCESS.vm`).
 * - `texts`: where each text ends in `chars`: the texts as JSON, in UTF-8, counted in UTF-16.
 * - `touches`: the spans that held a file at any time of the segment, by the code of each group which
 *   the file concerned at any time of it.
 * - `users`: the spans that had a descriptor of a file, and since when. Of the files to which the kernel
 *   referred, and of those that are open after the segment; by file, which is the position of its open.
 * - `carried`: the files that were open before the segment and concerned a group in it.
 * - `ungrouped`: the events that added a device, by its code, without its group.
 * - `groups`: codes, ascending; where the rows of each end in `hands`.
 * - `hands`: holds of files (`of`) as long as these concerned the group for the same `reasons` and the
 *   process had the same name; `reasons` has 8 for a mapping; `fd` is the descriptor plus 1, 0 if it is
 *   not shown or a mapping; `number` is that of the hold (`HOLD.number`). `span` is 0 for a reference in the
 *   kernel; then `number` is the file that it is from.
 */
const nameTables = {
  spans: ['pid', 'label', 'from', 'to', 'isLater'],
  labels: ['comm', 'cgroup', 'vm'],
  texts: ['end'],
  chars: ['byte'],
  touches: ['group', 'span'],
  users: ['file', 'span', 'since'],
  carried: ['file', 'group'],
  ungrouped: ['device', 'event'],
} as const;
const holdTables = {
  groups: ['group', 'end'],
  hands: ['of', 'span', 'fd', 'number', 'reasons', 'from', 'to'],
} as const;

type ColumnsOf<T extends Readonly<Record<string, readonly string[]>>> = {
  readonly [K in keyof T]: Readonly<Record<T[K][number], Column>>;
};
/** The tables that tell of processes: read for every question about tenants. */
export type NameColumns = ColumnsOf<typeof nameTables>;
/** The tables of hands: read for questions about the hands on some groups. */
export type HoldColumns = ColumnsOf<typeof holdTables>;
export type HandColumns = NameColumns & HoldColumns;

/** Bit of `reasons`: the hold is a mapping. */
export const MAPPING = 8;

function tablesOf<T extends Readonly<Record<string, readonly string[]>>>(
  names: T,
  next: () => Column,
): ColumnsOf<T> {
  const tables = Object.entries(names).map(([table, columns]) => {
    return [table, Object.fromEntries(columns.map((name) => [name, next()]))] as const;
  });
  return Object.fromEntries(tables) as ColumnsOf<T>;
}

const newColumn = () => new Column();

/** The columns that a source gives, one after the other. */
export function nameColumns(next = newColumn): NameColumns {
  return tablesOf(nameTables, next);
}

export function holdColumns(next = newColumn): HoldColumns {
  return tablesOf(holdTables, next);
}

export function handColumns(next = newColumn): HandColumns {
  return { ...nameColumns(next), ...holdColumns(next) };
}

/** All columns, in the order in which they are given. */
export function columnsOfHands(columns: Partial<HandColumns>): Column[] {
  return Object.values(columns).flatMap((table) => Object.values<Column>(table));
}

type WatchedParts = Pick<SegmentParts, 'start' | 'journal' | 'codes' | 'ungrouped'>;

/** The columns of a segment, growing ones. */
export function handsOfSegment(parts: WatchedParts): HandColumns {
  return new HandTables(parts).columns;
}

/** A copy in the narrowest columns. */
export function sealedHands(columns: HandColumns): HandColumns {
  const left = columnsOfHands(columns).values();
  return handColumns(() => left.next().value!.sealed());
}

class HandTables {
  readonly columns: HandColumns;
  readonly #parts: WatchedParts;
  readonly #labels = new Map<string, number>();
  readonly #texts = new Map<number, number>();
  readonly #chars: string[] = [];
  /** Files to which the kernel referred. */
  readonly #referred = new Set<WatchedFile>();

  constructor(parts: WatchedParts) {
    this.#parts = parts;
    this.columns = { ...handColumns(), ungrouped: parts.ungrouped };
    const watch = new HandWatch(parts);
    for (const name of watch.names) this.#addSpan(name);
    this.#addChars();
    const groups = [...watch.concerns].toSorted(([a], [b]) => a - b);
    for (const [group, concerns] of groups) this.#addGroup(group, concerns);
    const files = watch.files.toSorted((a, b) => a.opened - b.opened);
    for (const file of files) this.#addUsers(file);
  }

  #addSpan({ pid, from, to, isLater, ...label }: NameStretch): void {
    const { spans } = this.columns;
    spans.pid.push(pid);
    spans.label.push(this.#labelOf(label));
    spans.from.push(from + 1);
    spans.to.push(to === Infinity ? 0 : to + 1);
    spans.isLater.push(isLater ? 1 : 0);
  }

  #labelOf({ comm, cgroup, vm }: Pick<NameStretch, 'comm' | 'cgroup' | 'vm'>): number {
    const key = `${comm} ${cgroup} ${vm}`;
    let label = this.#labels.get(key);
    if (label === undefined) {
      label = this.#labels.size;
      this.#labels.set(key, label);
      const { labels } = this.columns;
      labels.comm.push(this.#textOf(comm));
      labels.cgroup.push(cgroup === 0 ? 0 : this.#textOf(cgroup - 1) + 1);
      labels.vm.push(vm < 2 ? vm : this.#textOf(vm - 2) + 2);
    }
    return label;
  }

  #textOf(code: number): number {
    let text = this.#texts.get(code);
    if (text === undefined) {
      text = this.#texts.size;
      this.#texts.set(code, text);
      const json = JSON.stringify(this.#parts.codes.texts.at(code));
      this.#chars.push(json);
      const { end } = this.columns.texts;
      end.push((text === 0 ? 0 : end.cells[text - 1]!) + json.length);
    }
    return text;
  }

  #addChars(): void {
    const bytes = new TextEncoder().encode(this.#chars.join(''));
    const { chars } = this.columns;
    [chars.byte.cells, chars.byte.length] = [bytes, bytes.length];
  }

  /** The hands on a group, the spans that touch it, and the files that it had before. */
  #addGroup(group: number, concerns: readonly ConcernStretch[]): void {
    const { groups, hands, touches, carried } = this.columns;
    const before = hands.of.length;
    for (const concern of concerns) this.#addHands(concern);
    if (hands.of.length > before) {
      groups.group.push(group);
      groups.end.push(hands.of.length);
    }
    const touching = new Set<number>();
    const files = new Set(concerns.map(({ file }) => file));
    for (const file of files) {
      if (file.wasOpen) {
        carried.file.push(file.opened);
        carried.group.push(group);
      }
      if (file.isUnseen) touching.add(0);
      for (const hold of file.holds) {
        for (const name of hold.names)
          if (common(hold, name) !== null) touching.add(name.index + 1);
      }
    }
    for (const span of touching) {
      touches.group.push(group);
      touches.span.push(span);
    }
  }

  /** The hands of a file, as long as it concerns a group for the same reasons. */
  #addHands(concern: ConcernStretch): void {
    const { hands } = this.columns;
    const { file, reasons } = concern;
    const add = (
      { from, to }: EventStretch,
      [span, fd, number, bits]: readonly [number, number, number, number],
    ): void => {
      hands.of.push(file.opened);
      hands.span.push(span);
      hands.fd.push(fd);
      hands.number.push(number);
      hands.reasons.push(bits);
      hands.from.push(from + 1);
      hands.to.push(to === Infinity ? 0 : to + 1);
    };
    for (const hold of file.holds) {
      const during = common(hold, concern);
      if (during === null) continue;
      const { number, isMapping } = hold;
      const fd = hold.fd === null ? 0 : hold.fd + 1;
      const bits = reasons | (isMapping ? MAPPING : 0);
      for (const name of hold.names) {
        const held = common(during, name);
        if (held === null) continue;
        if (name.pid === KERNEL_PID) this.#referred.add(file);
        add(held, [name.index + 1, fd, number, bits]);
      }
    }
    for (const pin of file.pins) {
      const during = common(pin, concern);
      if (during === null) continue;
      this.#referred.add(file);
      add(during, [0, 0, pin.by.opened, reasons]);
    }
  }

  /** The processes that had a descriptor of a file, if later answers can depend on them. */
  #addUsers(file: WatchedFile): void {
    if (!file.isOpen && !this.#referred.has(file)) return;
    const { users } = this.columns;
    const add = (span: number, since: number): void => {
      users.file.push(file.opened);
      users.span.push(span);
      users.since.push(since);
    };
    if (file.isUnseen) add(0, 0);
    for (const hold of file.holds) {
      if (hold.isMapping) continue;
      for (const name of hold.names) {
        const used = common(hold, name);
        if (used !== null) add(name.index + 1, used.from + 1);
      }
    }
  }
}

/** The stretch that two have in common; null if there is none. */
function common(one: EventStretch, other: EventStretch): EventStretch | null {
  const from = Math.max(one.from, other.from);
  const to = Math.min(one.to, other.to);
  return from < to ? { from, to } : null;
}
