/**
 * Reads the hands of a segment from its columns: processes and their names, what they touched, and the
 * hands on each group.
 *
 * @module
 */
import { KERNEL_PID } from '../../processes/process-table.ts';
import { Column, countBelow } from './columns.ts';
import type { Reasons } from './concerning.ts';
import {
  columnsOfHands,
  handsOfSegment,
  MAPPING,
  type HoldColumns,
  type NameColumns,
} from './hand-columns.ts';
import type { ProcessLabel } from './process-spans.ts';
import { reasonsOf } from './stretches.ts';
import type { SegmentParts } from './segment-parts.ts';

/** Bytes of memory for a time of a group, about. */
const BYTES_OF_TIME = 100;

/** Half-open, in positions: a process as long as it had one name. */
export interface SegmentSpan extends ProcessLabel {
  /** The first position of the segment if it began before. */
  readonly from: number;
  readonly isBefore: boolean;
  /** Null if it goes on after the segment. */
  readonly to: number | null;
  /** Whether the process had another name before. */
  readonly isLater: boolean;
}

/** Half-open, in positions: the hold of a file that concerned a group. */
export interface SegmentHand extends Reasons {
  /** Position of the open of the file. */
  readonly of: number;
  /** Null: a reference in the kernel. */
  readonly process: ProcessLabel | null;
  readonly via: 'fd' | 'mapping';
  /** Null if it is not shown, and for a mapping. */
  readonly fd: number | null;
  /** As `HOLD.number`; of a reference in the kernel: the position of the open of the file that it is from. */
  readonly number: number;
  /** The first position of the segment if it began before. */
  readonly from: number;
  /** The position after the segment if it goes on. */
  readonly to: number;
}

/** Where the columns of a segment are read from; those of `names` are kept in memory. */
export interface HandSource {
  readonly first: number;
  readonly length: number;
  readonly names: NameColumns;
  holds(): HoldColumns;
  /** The time of an event, counted from the first of the segment. */
  timeAt(event: number): string | null;
}

/** The hands of a segment in memory; those of an open one up to its last event. */
export function handsOfParts(parts: SegmentParts): SegmentHands {
  const { first, length, timeAt } = parts;
  const names = parts.hands ?? handsOfSegment(parts);
  return new SegmentHands({ first, length, names, holds: () => names, timeAt });
}

export class SegmentHands {
  /** Position of the first event. */
  readonly first: number;
  readonly length: number;
  readonly columns: Omit<NameColumns, 'chars'>;
  readonly #source: HandSource;
  /** The texts of names, as JSON one after the other. */
  readonly #chars: string;
  /** By the code of the group. */
  readonly #groups = new Map<number, HoldColumns['hands']>();
  /** By the code of the group: the times of the events at which a hand on it begins or ends. */
  readonly #times = new Map<number, ReadonlyMap<number, string | null>>();
  #unshown: number[] | null = null;
  /** The rows of all groups, while a question about many of them is answered. */
  #read: HoldColumns | null = null;
  /** Bytes of memory for the columns that were read. */
  bytes: number;

  constructor(source: HandSource) {
    this.first = source.first;
    this.length = source.length;
    const { chars, ...columns } = source.names;
    const { cells, length } = chars.byte;
    this.columns = columns;
    this.#source = source;
    this.#chars = new TextDecoder().decode(new Uint8Array(cells.subarray(0, length)));
    const all = columnsOfHands(columns);
    this.bytes = all.reduce((sum, column) => sum + column.cells.byteLength, this.#chars.length);
  }

  get last(): number {
    return this.first + this.length - 1;
  }

  textAt(index: number): string {
    const { cells } = this.columns.texts.end;
    const json = this.#chars.slice(index === 0 ? 0 : cells[index - 1], cells[index]);
    try {
      return String(JSON.parse(json));
    } catch {
      // Only a segment that somebody has changed has such a text: `verify` tells of it.
      return json;
    }
  }

  /** The indexes of all texts that contain another one. It may be one too many. */
  textsWith(part: string): ReadonlySet<number> {
    const json = JSON.stringify(part).slice(1, -1);
    const found = new Set<number>();
    const { cells, length } = this.columns.texts.end;
    const ends = cells.subarray(0, length);
    for (let at = this.#chars.indexOf(json); at >= 0;) {
      const text = countBelow(ends, at + 1);
      found.add(text);
      at = this.#chars.indexOf(json, Math.max(ends[text] ?? 0, at + 1));
    }
    return found;
  }

  /** The indexes of the spans of processes whose pid is not shown, and of the kernel. */
  get unshown(): readonly number[] {
    if (this.#unshown === null) {
      const { cells, length } = this.columns.spans.pid;
      this.#unshown = [];
      for (let span = 0; span < length; span++) {
        if (cells[span]! >= KERNEL_PID) this.#unshown.push(span);
      }
    }
    return this.#unshown;
  }

  get labels(): number {
    return this.columns.labels.comm.length;
  }

  get spans(): number {
    return this.columns.spans.pid.length;
  }

  /** What the processes with a label are called; `pid` is one of theirs. */
  labelAt(index: number, pid: number): ProcessLabel {
    const { comm, cgroup, vm } = this.columns.labels;
    const [group, machine] = [cgroup.cells[index]!, vm.cells[index]!];
    return {
      pid,
      comm: this.textAt(comm.cells[index]!),
      cgroup: group === 0 ? null : this.textAt(group - 1),
      vm: machine === 0 ? null : machine === 1 ? false : this.textAt(machine - 2),
    };
  }

  nameOf(span: number): ProcessLabel {
    const { pid, label } = this.columns.spans;
    return this.labelAt(label.cells[span]!, pid.cells[span]!);
  }

  spanAt(span: number): SegmentSpan {
    const { from, to, isLater } = this.columns.spans;
    const [begun, ended, later] = [from.cells[span]!, to.cells[span]!, isLater.cells[span]!];
    return {
      ...this.nameOf(span),
      from: this.beginOf(begun),
      isBefore: begun === 0,
      to: ended === 0 ? null : this.first + ended - 1,
      isLater: later !== 0,
    };
  }

  /** The position of a cell `from` or `since`. */
  beginOf(cell: number): number {
    return this.first + Math.max(cell - 1, 0);
  }

  /** The codes of the groups that any file of the segment concerned. */
  get groups(): Iterable<number> {
    const { group } = this.#source.holds().groups;
    return group.cells.subarray(0, group.length);
  }

  /** Until `act` ends, the rows of all groups stay read: for a question about many groups. */
  reading(act: () => void): void {
    this.#read = this.#source.holds();
    try {
      act();
    } finally {
      this.#read = null;
    }
  }

  /** The hands on the group with a code in the states from `from` up to but without `to`. */
  *handsOn(group: number, from = 0, to = Infinity): Generator<SegmentHand> {
    const hands = this.#handsOf(group);
    const names = new Map<number, ProcessLabel>();
    for (let row = 0; row < hands.of.length; row++) {
      const begin = this.beginOf(hands.from.cells[row]!);
      const end = this.#endOf(hands.to.cells[row]!);
      if (begin >= to || end <= from) continue;
      const span = hands.span.cells[row]!;
      const name = span === 0 ? null : (names.get(span) ?? this.nameOf(span - 1));
      if (name !== null) names.set(span, name);
      const [fd, bits] = [hands.fd.cells[row]!, hands.reasons.cells[row]!];
      yield {
        ...reasonsOf(bits),
        of: hands.of.cells[row]!,
        process: name,
        via: (bits & MAPPING) === 0 ? 'fd' : 'mapping',
        fd: fd === 0 ? null : fd - 1,
        number: hands.number.cells[row]!,
        from: Math.max(begin, from),
        to: Math.min(end, to),
      };
    }
  }

  /** The time of the event at a position, if a hand on a group begins or ends there; else undefined. */
  timeAt(group: number, position: number): string | null | undefined {
    let times = this.#times.get(group);
    if (times === undefined) {
      times = this.#timesOf(this.#handsOf(group));
      this.#times.set(group, times);
      this.bytes += times.size * BYTES_OF_TIME;
    }
    return times.get(position);
  }

  #timesOf({ from, to }: HoldColumns['hands']): ReadonlyMap<number, string | null> {
    const times = new Map<number, string | null>();
    if (from.length === 0) return times;
    for (const cell of new Set([...from.cells, ...to.cells])) {
      if (cell > 0) times.set(this.first + cell - 1, this.#source.timeAt(cell - 1));
    }
    return times;
  }

  /** The rows of a group; a copy that is kept, as the columns of a file are views of all its bytes. */
  #handsOf(group: number): HoldColumns['hands'] {
    const known = this.#groups.get(group);
    if (known !== undefined) return known;
    const { groups, hands } = this.#read ?? this.#source.holds();
    const index = groups.group.cells.subarray(0, groups.group.length).indexOf(group);
    const start = index > 0 ? groups.end.cells[index - 1]! : 0;
    const end = index < 0 ? 0 : groups.end.cells[index]!;
    const cut = ([name, { cells }]: readonly [string, Column]) =>
      [name, new Column(cells.slice(start, end), end - start)] as const;
    const own = Object.fromEntries(Object.entries<Column>(hands).map(cut)) as HoldColumns['hands'];
    this.#groups.set(group, own);
    this.bytes += Object.values<Column>(own).reduce((sum, { cells }) => sum + cells.byteLength, 0);
    return own;
  }

  /** The position of a cell `to`. */
  #endOf(cell: number): number {
    return this.first + (cell === 0 ? this.length : cell - 1);
  }

  /**
   * The spans that had a descriptor of a file and did not have it before the segment, and since which
   * position; of a file to which the kernel referred, or that is open after the segment.
   */
  *newUsersOf(file: number): Generator<{ readonly span: number; readonly since: number }> {
    const { file: files, span, since } = this.columns.users;
    const cells = files.cells.subarray(0, files.length);
    for (let row = countBelow(cells, file); cells[row] === file; row++) {
      if (span.cells[row] === 0 || since.cells[row] === 0) continue;
      yield { span: span.cells[row]! - 1, since: this.beginOf(since.cells[row]!) };
    }
  }
}
