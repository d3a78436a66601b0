/**
 * A segment: a run of events that were judged, which can be read without the segments before it.
 *
 * It has the standing before its first event, a journal of what each event changed, the times, and
 * posting lists of the subjects. A moment is reached from the begin of its block.
 *
 * @module
 */
import { eventTypes, type EventType } from '../../events/vocabulary.ts';
import type { ObservedCause } from '../../machines/causes.ts';
import type { Blocker } from '../../machines/check.ts';
import { positionOf, type FileId } from '../../processes/process-table.ts';
import type { SubjectKey } from '../subjects.ts';
import { blockOfEvent, blockOfHold, eventOfRow, type Block } from './blocks.ts';
import { countBelow, type Column } from './columns.ts';
import { changeKinds } from './changes.ts';
import type { Cursor, Journal } from './journal.ts';
import { columnsOf } from './segment-bytes.ts';
import { handsOfParts, type SegmentHands } from './segment-hands.ts';
import type { SegmentParts } from './segment-parts.ts';
import { rowOfSettled } from './settled-refusals.ts';
import { findSubject } from './subject-codes.ts';

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

/** Bytes of memory for what is known of a file before its parts are read, about. */
const DIRECTORY_BYTES = 2 ** 14;
const REFUSED = changeKinds.indexOf('refused');
const HELD = changeKinds.indexOf('held');
const BOOTED = eventTypes.indexOf('host.booted');
const REFUSAL = eventTypes.indexOf('operation.refused');

export class Segment {
  readonly parts: SegmentParts;
  #hands: SegmentHands | null = null;
  #columnBytes: number | null = null;

  constructor(parts: SegmentParts) {
    this.parts = parts;
  }

  get first(): number {
    return this.parts.first;
  }

  get length(): number {
    return this.parts.length;
  }

  /** The position of the last event. */
  get last(): number {
    return this.first + this.length - 1;
  }

  /** Bytes of memory, but for parts that are read from a file. The segment must be sealed. */
  get bytes(): number {
    const { isRead } = this.parts;
    this.#columnBytes ??= isRead ? DIRECTORY_BYTES : bytesOf(columnsOf(this.parts).flat());
    return this.#columnBytes;
  }

  get hands(): SegmentHands {
    if (this.#hands?.length !== this.length) this.#hands = handsOfParts(this.parts);
    return this.#hands!;
  }

  /** The block from whose begin the moment before an event (counted from the first) is reached. */
  blockAt(event: number): Block {
    const { blocks } = this.parts;
    return blocks.at(blockOfEvent(blocks, event));
  }

  /** Cause and blocker of the refusal at a cursor of the journal of a block; null if it is none, or the host was unknown. */
  refusalAt(journal: Journal, { event, row, read }: Cursor): RefusalAt | null {
    const { codes } = this.parts;
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
    const { settled } = this.parts;
    const row = rowOfSettled(settled, refusal);
    if (row < 0) return null;
    return { position: this.first + settled.event.cells[row]!, as: settled.as.cells[row]! };
  }

  /**
   * The event that made the hold with this number, and the row of the hold. Throws `RangeError`.
   */
  holdNumbered(number: number): { readonly position: number; readonly row: number } {
    const { blocks } = this.parts;
    const at = blockOfHold(blocks, number);
    const block = blocks.at(at);
    const { journal } = block;
    const index = number - blocks.heldAt(at);
    const [rows] = journal.cellsOf('held');
    const before = block.begin().cursor.read[HELD]!;
    return {
      position: journal.first + eventOfRow(block, HELD, index),
      row: rows?.[before + index] ?? 0,
    };
  }

  /** The type of the event at a position. Throws `RangeError`. */
  typeAt(position: number): EventType {
    const type = eventTypes[this.parts.types.cells[position - this.first] ?? -1];
    if (type === undefined) throw new RangeError(`there is no event at position ${position}`);
    return type;
  }

  /** Positions from `from` to `to`, as far as they are in the segment, of events of these types. */
  *positionsOfTypes(types: ReadonlySet<EventType>, from: number, to: number): Generator<number> {
    const end = Math.min(to - this.first + 1, this.length);
    const cells = this.parts.types.cells.subarray(0, Math.max(end, 0));
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
    return this.parts.timeAt(position - this.first);
  }

  /** Position of the last boot at or before a position; -1 if there is none. */
  bootBefore(position: number): number {
    const { cells } = this.parts.types;
    const event = cells
      .subarray(0, Math.min(position - this.first + 1, this.length))
      .lastIndexOf(BOOTED);
    return event < 0 ? this.parts.lastBoot : this.first + event;
  }

  /** Position of the first boot in the segment at or after a position; null if there is none. */
  bootFrom(position: number): number | null {
    const { cells } = this.parts.types;
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
    const { postings, codes, types } = this.parts;
    const least = Math.max(from - this.first, 0);
    let event = Infinity;
    const note = (events: ArrayLike<number>, but = -1): void => {
      let at = countBelow(events, least);
      while (at < events.length && types.cells[events[at]!] === but) at++;
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
}

function bytesOf(columns: readonly Column[]): number {
  const buffers = new Set(columns.map(({ cells: { buffer } }) => buffer));
  return [...buffers].reduce((sum, { byteLength }) => sum + byteLength, 0);
}
