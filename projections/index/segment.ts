/**
 * A segment: a run of events that were judged, which can be read without the segments before it.
 *
 * It has the standing before its first event, a journal of what each event changed, the times, and
 * posting lists of the subjects. It keeps a copy of the standing every 4096 events: any other
 * moment is reached from the copy before it.
 *
 * @module
 */
import { eventTypes, type EventType } from '../../events/vocabulary.ts';
import type { ObservedCause } from '../../machines/causes.ts';
import type { Blocker } from '../../machines/check.ts';
import { positionOf, type FileId } from '../../processes/process-table.ts';
import type { SubjectKey } from '../subjects.ts';
import { countBelow, type Cells } from './columns.ts';
import { changeCodes, changeKinds } from './changes.ts';
import { advance, Cursor } from './journal.ts';
import { columnsOf } from './segment-bytes.ts';
import { handsOfParts } from './sections.ts';
import type { SegmentHands } from './segment-hands.ts';
import type { SegmentParts } from './segment-parts.ts';
import type { Standing } from './standing.ts';
import { findSubject } from './subject-codes.ts';

/** Events between two copies of the standing. */
const STRIDE = 4096;

/** A standing, and how much of the journal it has applied. */
interface Copy {
  readonly cursor: Cursor;
  readonly standing: Standing;
}

/** A part of a host, whose changes are listed in the segment. */
export interface HostPart {
  readonly files: readonly FileId[];
  readonly groups?: readonly string[];
  /** Every event that concerns one of these counts as a change, unless it is a refusal. */
  readonly subjects?: readonly SubjectKey[];
}

/** A refusal by the rules: its cause, and the file or driver that blocked the call. */
export interface RefusalAt {
  readonly cause: ObservedCause;
  readonly blocker: Blocker | null;
  /** Whether the rules refuse the call for that cause on the host as it is known. */
  readonly isByTheRules: boolean;
  /** How it ends, or its number (`open-refusals.ts`). */
  readonly passes: number;
}

/** The changes that can give a file, a process or a device without a group another owner. */
const shifting = new Set(
  (['booted', 'groupSet', 'fileSet', 'fileClosed'] as const).map((kind) => changeCodes[kind]),
);
const REFUSED = changeKinds.indexOf('refused');
const SETTLED = changeKinds.indexOf('refusalSettled');
const HELD = changeKinds.indexOf('held');
const BOOTED = eventTypes.indexOf('host.booted');
const REFUSAL = eventTypes.indexOf('operation.refused');

export class Segment {
  readonly parts: SegmentParts;
  /** Positions of `shifting` events, and up to which event and row they have been collected. */
  readonly #shifts = { positions: [] as number[], event: 0, row: 0 };
  /** The standing before the events 0, `STRIDE`, 2 `STRIDE` …, as far as it was asked for. */
  readonly #copies: Copy[];
  #copiedBytes = 0;
  #hands: SegmentHands | null = null;
  #columnBytes: number | null = null;

  constructor(parts: SegmentParts) {
    this.parts = parts;
    this.#copies = [{ cursor: new Cursor(), standing: parts.start }];
  }

  get first(): number {
    return this.parts.journal.first;
  }

  get length(): number {
    return this.parts.journal.length;
  }

  /** The position of the last event. */
  get last(): number {
    return this.first + this.length - 1;
  }

  /**
   * Bytes of memory for the columns (of a file: for all of it) and the copies of the standing. The
   * segment must be sealed.
   */
  get bytes(): number {
    this.#columnBytes ??= bytesOf(columnsOf(this.parts).map(({ cells }) => cells));
    return this.#columnBytes + this.#copiedBytes;
  }

  get hands(): SegmentHands {
    if (this.#hands?.length !== this.length) this.#hands = handsOfParts(this.parts);
    return this.#hands!;
  }

  /**
   * A standing and its cursor from the last copy at or before an event (counted from the first of
   * the segment). The caller may change both. Throws `RangeError`.
   */
  copyBefore(event: number): Copy {
    const stride = Math.floor(Math.min(event, this.length) / STRIDE);
    while (this.#copies.length <= stride) this.#keep();
    const copy = this.#copies[stride];
    if (copy === undefined) throw new RangeError(`no event ${event} in segment ${this.first}`);
    return copyOf(copy);
  }

  /** Whether a copy is nearer to an event than a standing that has applied `cursor` events. */
  isNearerTo(event: number, cursor: number): boolean {
    return Math.floor(event / STRIDE) * STRIDE > cursor;
  }

  /**
   * Positions from `from` on at which a group was set, a file set or closed, or the host booted,
   * merged with the positions `others`; both ascending.
   */
  *shifts(from: number, others: readonly number[]): Generator<number> {
    this.#findShifts();
    const { positions } = this.#shifts;
    const start = Math.max(from, this.first);
    const end = this.first + this.length;
    let next = countBelow(positions, start);
    for (let at = countBelow(others, start); at < others.length; at++) {
      const other = others[at] ?? end;
      if (other >= end) break;
      while (next < positions.length && (positions[next] ?? end) < other) yield positions[next++]!;
      if (positions[next] === other) next++;
      yield other;
    }
    while (next < positions.length) yield positions[next++]!;
  }

  /**
   * Collects the positions of `shifting` changes from events that were added since the last call.
   */
  #findShifts(): void {
    const { rows, kinds, length } = this.parts.journal;
    const found = this.#shifts;
    for (; found.event < length; found.event++) {
      let isShift = false;
      for (let left = rows.cells[found.event] ?? 0; left > 0; left--) {
        if (shifting.has(kinds.cells[found.row++] ?? -1)) isShift = true;
      }
      if (isShift) found.positions.push(this.first + found.event);
    }
  }

  /** Cause and blocker of the refusal at a cursor; null if it is none, or the host was unknown. */
  refusalAt({ event, row, read }: Cursor): RefusalAt | null {
    const { journal, codes } = this.parts;
    const [rows, kind] = [journal.rows.cells[event], journal.kinds.cells[row]];
    if (rows === 0 || kind !== REFUSED) return null;
    const [cause = 0, , , blocker = 0, file = 0, driver = 0, isByTheRules, passes = 0] = journal
      .cellsOf('refused')
      .map((cells) => cells[read[REFUSED] ?? 0]);
    const text = (code: number) => (code === 0 ? null : codes.texts.at(code - 1));
    return {
      cause: codes.texts.at(cause) as ObservedCause,
      blocker:
        blocker === 0
          ? null
          : {
              kind: text(blocker) as Blocker['kind'],
              file: file === 0 ? null : `f${file - 1}`,
              driver: text(driver),
            },
      isByTheRules: isByTheRules === 1,
      passes,
    };
  }

  /**
   * The event that ends an open refusal, and how (`open-refusals.ts`); null if none of the segment
   * does.
   */
  settlingOf(refusal: number): { readonly position: number; readonly as: number } | null {
    const { journal } = this.parts;
    const [refusals, as] = journal.changes[SETTLED] ?? [];
    if (refusals === undefined || as === undefined) return null;
    const row = refusals.cells.subarray(0, refusals.length).indexOf(refusal);
    if (row < 0) return null;
    return { position: this.#writtenBy(SETTLED, row), as: as.cells[row] ?? 0 };
  }

  /** The position of the event that wrote a row of a kind of change. Throws `RangeError`. */
  #writtenBy(kind: number, index: number): number {
    const { rows, kinds, length } = this.parts.journal;
    const isBefore = ({ cursor }: Copy) => (cursor.read[kind] ?? 0) <= index;
    while (isBefore(this.#copies.at(-1)!) && this.#copies.length * STRIDE <= length) this.#keep();
    const copy = this.#copies.findLast(isBefore);
    let { event, row } = copy?.cursor ?? { event: length, row: 0 };
    for (let found = copy?.cursor.read[kind] ?? 0; event < length; event++) {
      for (let left = rows.cells[event] ?? 0; left > 0; left--) {
        if (kinds.cells[row++] === kind && found++ === index) return this.first + event;
      }
    }
    throw new RangeError(`segment ${this.first} has no row ${index} of ${changeKinds[kind]}`);
  }

  /**
   * The event that made the hold with this number, and the row of the hold. Throws `RangeError`.
   */
  holdNumbered(number: number): { readonly position: number; readonly row: number } {
    const { journal, start } = this.parts;
    const index = number - start.held;
    const position = this.#writtenBy(HELD, index);
    const [rows] = journal.cellsOf('held');
    return { position, row: rows?.[index] ?? 0 };
  }

  /** The type of the event at a position. Throws `RangeError`. */
  typeAt(position: number): EventType {
    const type = eventTypes[this.parts.journal.types.cells[position - this.first] ?? -1];
    if (type === undefined) throw new RangeError(`there is no event at position ${position}`);
    return type;
  }

  /** Positions from `from` to `to`, as far as they are in the segment, of events of these types. */
  *positionsOfTypes(types: ReadonlySet<EventType>, from: number, to: number): Generator<number> {
    const end = Math.min(to - this.first + 1, this.length);
    const cells = this.parts.journal.types.cells.subarray(0, Math.max(end, 0));
    const codes = [...types].map((type) => eventTypes.indexOf(type));
    const start = Math.max(from - this.first, 0);
    // A search for one value is many times faster than a look at each event.
    const next = codes.map((code) => cells.indexOf(code, start));
    for (;;) {
      const event = Math.min(...next.map((at) => (at < 0 ? Infinity : at)));
      if (event === Infinity) return;
      yield this.first + event;
      const found = next.indexOf(event);
      next[found] = cells.indexOf(codes[found]!, event + 1);
    }
  }

  /** The time of the event at a position, as ISO 8601 in microseconds; null if it has none. */
  timeAt(position: number): string | null {
    return this.parts.times.at(position - this.first);
  }

  /** Position of the last boot at or before a position; -1 if there is none. */
  bootBefore(position: number): number {
    const { cells } = this.parts.journal.types;
    const event = cells
      .subarray(0, Math.min(position - this.first + 1, this.length))
      .lastIndexOf(BOOTED);
    return event < 0 ? this.parts.lastBoot : this.first + event;
  }

  /** Position of the first boot in the segment at or after a position; null if there is none. */
  bootFrom(position: number): number | null {
    const { cells } = this.parts.journal.types;
    const event = cells
      .subarray(0, this.length)
      .indexOf(BOOTED, Math.max(position - this.first, 0));
    return event < 0 ? null : this.first + event;
  }

  /** Indexes of the events that concern a subject, counted from the first of the segment. */
  eventsOf(key: SubjectKey): ArrayLike<number> {
    const code = findSubject(key, this.parts.codes);
    return code === null ? [] : this.parts.postings.of(...code);
  }

  /** The first position from `from` on at which a part of the host changed; null if it did not. */
  changeFrom(from: number, { files, groups, subjects }: HostPart): number | null {
    const { postings, codes, journal } = this.parts;
    const least = Math.max(from - this.first, 0);
    let event = Infinity;
    const note = (events: ArrayLike<number>, but = -1): void => {
      let at = countBelow(events, least);
      while (at < events.length && journal.types.cells[events[at]!] === but) at++;
      event = Math.min(event, events[at] ?? Infinity);
    };
    for (const file of files) note(postings.of('changedFile', positionOf(file)));
    for (const group of groups ?? []) {
      const code = codes.groups.find(group);
      if (code !== undefined) note(postings.of('changedGroup', code));
    }
    for (const subject of subjects ?? []) note(this.eventsOf(subject), REFUSAL);
    return event === Infinity ? null : this.first + event;
  }

  /** Keeps the next copy of the standing. */
  #keep(): void {
    const copy = copyOf(this.#copies.at(-1)!);
    advance(this.parts.journal, copy.standing, copy.cursor, this.#copies.length * STRIDE);
    this.#copies.push(copy);
    this.#copiedBytes += bytesOf(copy.standing.tables.map(({ cells }) => cells));
  }
}

function bytesOf(cells: readonly Cells[]): number {
  const buffers = new Set(cells.map(({ buffer }) => buffer));
  return [...buffers].reduce((sum, { byteLength }) => sum + byteLength, 0);
}

function copyOf({ cursor, standing }: Copy): Copy {
  return { cursor: cursor.copy(), standing: standing.copy() };
}
