/**
 * Writes the journal: watches a host while it takes an event, and writes rows of what has changed.
 *
 * @module
 */
import type { DataOf, Placed } from '../../events/vocabulary.ts';
import type { FileAt } from '../../machines/host-at.ts';
import type { Explanation } from '../../machines/judge.ts';
import type { LiveHost } from '../../machines/live-host.ts';
import {
  positionOf,
  type FileId,
  type HoldPlace,
  type Process,
  type ProcessObserver,
} from '../../processes/process-table.ts';
import { JournalBlocks } from './blocks.ts';
import { Changed } from './changed.ts';
import type { Codes } from './codes.ts';
import type { ChangeKind } from './changes.ts';
import { HandOvers } from './hand-overs.ts';
import { advance, Cursor, Journal } from './journal.ts';
import { inTheCall, NEVER, OpenRefusals, type SavedRefusals } from './open-refusals.ts';
import { settledColumns } from './settled-refusals.ts';
import { HoldRows, Slots } from './slots.ts';
import {
  deviceCells,
  fdCell,
  fileCell,
  fileCells,
  groupCells,
  orNone,
  processCells,
  tiesOf,
  waiterOf,
} from './standing-of.ts';
import { DEVICE, FILE, GROUP, HOLD, type CellRows, type Standing } from './standing.ts';

export class JournalWriter implements ProcessObserver {
  readonly journal: Journal;
  readonly handOvers: HandOvers;
  /** The standing after the last event. */
  readonly standing: Standing;
  readonly cursor = new Cursor();
  readonly refusals: OpenRefusals;
  readonly settled = settledColumns();
  readonly blocks: JournalBlocks;
  /** What the last event changed. */
  readonly changed: Changed;
  readonly #codes: Codes;
  readonly #files: Slots<FileId>;
  readonly #processes: Slots<Process>;
  readonly #holds: HoldRows;
  /** The numbers of the holds that the event has ended, by file: the last one of each. */
  readonly #ended = new Map<FileId, number>();
  readonly #whole: number;
  #rows = 0;

  /**
   * `start` is the standing of `host`, with rows in the order of `host`; `whole`: events of a whole
   * segment.
   */
  constructor(
    host: LiveHost,
    first: number,
    start: Standing,
    codes: Codes,
    { refusals, whole }: { readonly refusals: SavedRefusals; readonly whole: number },
  ) {
    this.journal = new Journal(first);
    this.handOvers = HandOvers.from(first, start);
    this.standing = start.copy();
    this.#whole = whole;
    this.blocks = new JournalBlocks(this.journal, [{ cursor: new Cursor(), standing: start }]);
    this.changed = new Changed(this.standing, codes);
    this.#codes = codes;
    this.refusals = new OpenRefusals(host, refusals);
    this.#files = new Slots([...host.files()].map(({ id }) => id));
    this.#processes = new Slots(host.processTable.processes());
    this.#holds = new HoldRows(host.processTable, (row) => this.#hold(row)[HOLD.number] ?? 0);
  }

  /** Plays an event on the host, and writes what it changed. */
  take(event: Placed, host: LiveHost): void {
    this.#rows = 0;
    this.changed.clear();
    const found = event.type === 'operation.refused' ? explained(event.data, host) : null;
    host.takeObserved(event, this);
    // Before the event's own refusal is opened, which later events decide.
    const settled = this.refusals.settle(host, event);
    if (event.type === 'host.booted') this.#booted(host);
    else if (event.type === 'operation.refused' && found !== null)
      this.#refused(event.data, found, host);
    this.#settle(host, event);
    for (const { number, as } of settled) this.#settled(number, as);
    this.#done();
    for (const rows of [this.#files, this.#processes, this.#holds]) rows.reuse();
    if (this.#ended.size > 0) this.#ended.clear();
  }

  /** Writes an event without changes, because nothing is known of the host before its boot. */
  pass(): void {
    this.#rows = 0;
    this.#done();
  }

  started(process: Process): void {
    const row = this.#processes.take(process);
    this.#write('processStarted', row, ...processCells(process, this.#codes));
  }

  renamed(process: Process): void {
    const row = this.#processes.find(process);
    if (row === undefined) return;
    this.changed.renamed(process);
    this.#write('processStarted', row, ...processCells(process, this.#codes));
  }

  ended(process: Process): void {
    this.#write('processEnded', this.#processes.free(process));
    this.#holds.forget(process);
  }

  held(file: FileId, at: HoldPlace, from: HoldPlace | null): void {
    // What the kernel keeps, it has from the last holder, which this event has ended.
    const before = from === null ? this.#ended.get(file) : this.#holds.find(from)?.number;
    const row = this.#holds.take(at, this.standing.held + this.#holds.taken);
    const slot = this.#files.find(file) ?? this.#files.take(file);
    const process = this.#processes.find(at.process) ?? 0;
    const origin = orNone(before ?? null, (number) => number);
    this.changed.files.add(file);
    this.#write('held', row, slot, process, fdCell(at, this.#codes), origin);
  }

  dropped(file: FileId, at: HoldPlace): void {
    const hold = this.#holds.free(at);
    if (hold === undefined) return;
    this.changed.files.add(file);
    this.#ended.set(file, hold.number);
    this.#write('dropped', hold.row);
  }

  /** Cells of the hold at a place. Throws `RangeError` if nothing is held there. */
  remembered(place: HoldPlace): readonly [since: number, from: number, number: number] {
    const row = this.#holds.find(place)?.row;
    if (row === undefined) {
      const { process, via, number } = place;
      const position = this.journal.first + this.journal.length;
      throw new RangeError(
        `position ${position}: no row belongs to ${via} ${number} of pid ${process.pid}`,
      );
    }
    const cells = this.#hold(row);
    return [cells[HOLD.since] ?? 0, cells[HOLD.from] ?? 0, cells[HOLD.number] ?? 0];
  }

  #hold(row: number): Uint32Array {
    return rowOf(this.standing.holds, row);
  }

  #write(kind: ChangeKind, ...cells: readonly number[]): void {
    this.journal.write(kind, cells);
    this.#rows++;
  }

  #settled(number: number, as: number): void {
    this.settled.event.push(this.journal.length);
    this.settled.refusal.push(number);
    this.settled.as.push(as);
  }

  #done(): void {
    const { journal, standing, cursor } = this;
    this.blocks.extend(cursor, standing, this.#whole);
    journal.done(this.#rows);
    advance(journal, standing, cursor, journal.length, this.#handOver);
  }

  readonly #handOver = (position: number, group: number): void => {
    this.handOvers.push(position, group, this.standing);
  };

  /** A boot frees all rows at once: no release is recorded for what existed before. */
  #booted({ touched }: LiveHost): void {
    this.changed.booted(touched.groups);
    for (const rows of [this.#files, this.#processes, this.#holds]) rows.clear();
    this.#write('booted');
  }

  #settle(host: LiveHost, event: Placed): void {
    const { devices, groups, files: ids } = host.touched;
    const files =
      event.type === 'device.added'
        ? filesBeside(host, event.data.device, ids)
        : filesOf(host, ids);
    for (const id of ids) if (!host.isOpen(id)) this.#noteClosed(id);
    for (const file of files) this.#noteOpen(file);
    for (const file of files) this.#noteTies(file);
    for (const device of devices) this.#noteDevice(host, device);
    for (const group of groups) this.#noteGroup(host, group);
    const waiter = waiterOf(host, this.#codes);
    const { device, pid, comm } = this.standing.waiter;
    if (waiter.device !== device || waiter.pid !== pid || waiter.comm !== comm) {
      this.#write('waiting', waiter.device, waiter.pid, waiter.comm);
    }
    this.#holds.taken = 0;
  }

  #noteClosed(id: FileId): void {
    const row = this.#files.find(id);
    if (row === undefined) return;
    this.changed.closed(row);
    this.#write('fileClosed', this.#files.free(id));
  }

  #noteOpen(file: FileAt): void {
    const row = this.#files.find(file.id);
    if (row !== undefined && this.#isOpen(row, file.id)) return;
    const slot = row ?? this.#files.take(file.id);
    this.changed.opened(file);
    this.#write('fileOpened', slot, ...fileCells(file, this.#codes));
  }

  /** Whether `fileOpened` has been written for a file in a row. */
  #isOpen(row: number, id: FileId): boolean {
    return rowOf(this.standing.files, row)[FILE.opened] === positionOf(id) + 1;
  }

  #noteTies(file: FileAt): void {
    const link = (to: FileId | null | undefined) =>
      to == null ? 0 : (this.#files.find(to) ?? -1) + 1;
    const slot = link(file.id) - 1;
    const ties = tiesOf(file, this.#codes, link);
    const row = rowOf(this.standing.files, slot);
    const before = this.#isOpen(slot, file.id) ? row.subarray(FILE.isGone) : [0, 0, 0];
    if (isSame(before, ties)) return;
    this.changed.set(slot, file);
    this.#write('fileSet', slot, ...ties);
  }

  #noteDevice(host: LiveHost, address: string): void {
    const index = this.#codes.devices.codeOf(address);
    const row = rowOf(this.standing.devices, index);
    const device = host.device(address);
    const group = row[0] === 0 ? 0 : row[DEVICE.group]!;
    if (device === undefined) {
      if (row[0] === 0) return;
      this.changed.moved(group, 0);
      this.#write('deviceMoved', index, 0);
      return;
    }
    const [state, ...rest] = deviceCells(device, this.#codes);
    if (row[0] === 0 || !isSame(row.subarray(1), rest)) {
      this.changed.moved(group, rest[0]);
      this.#write('deviceSet', index, state, ...rest);
    } else if (row[0] !== state) this.#write('deviceMoved', index, state);
  }

  #noteGroup(host: LiveHost, id: string): void {
    const group = host.group(id);
    if (group === undefined) return;
    const index = this.#codes.groups.codeOf(id);
    const { opener } = group;
    const open = opener === null ? 0 : (this.#files.find(opener) ?? -1) + 1;
    const cells = groupCells(group, this.#codes, open);
    const row = rowOf(this.standing.groups, index);
    const busy = host.isInUse(id);
    if (isSame(row, cells) && (row[GROUP.busy] !== 0) === busy) return;
    this.changed.groups.add(id);
    this.#write('groupSet', index, ...cells, busy ? 1 : 0);
  }

  #refused(
    refused: DataOf<'operation.refused'>,
    { cause, refusal, isByTheRules }: Explanation,
    host: LiveHost,
  ): void {
    const { texts } = this.#codes;
    const { operation, errno } = refused;
    const blocker = refusal?.blocker ?? null;
    this.#write(
      'refused',
      texts.codeOf(cause),
      texts.codeOf(operation),
      orNone(errno, (name) => texts.codeOf(name)),
      orNone(blocker, ({ kind }) => texts.codeOf(kind)),
      fileCell(blocker?.file ?? null),
      orNone(blocker?.driver ?? null, (driver) => texts.codeOf(driver)),
      isByTheRules === true ? 1 : 0,
      errno === null || inTheCall.has(cause) ? NEVER : this.refusals.open(host, refused, cause),
    );
  }
}

/** The explanation of a refusal, with `isByTheRules`. */
function explained(refused: DataOf<'operation.refused'>, host: LiveHost): Explanation {
  const found = host.explain(refused);
  if (found.isByTheRules !== undefined) return found;
  const { cause } = found;
  return { ...found, isByTheRules: host.judgeAs(refused, cause)?.cause === cause };
}

function rowOf(rows: CellRows, row: number): Uint32Array {
  const at = rows.reach(row);
  return rows.cells.subarray(at, at + rows.width);
}

/** Whether the cells begin with the wanted ones. */
function isSame(there: ArrayLike<number>, wanted: readonly number[]): boolean {
  return wanted.every((cell, index) => there[index] === cell);
}

function filesOf(host: LiveHost, ids: readonly FileId[]): FileAt[] {
  const files: FileAt[] = [];
  for (const id of ids) {
    const file = host.file(id);
    if (file !== undefined) files.push(file);
  }
  return files;
}

/** The touched files, and all files of an added device: its address may be that of a gone one. */
function filesBeside(host: LiveHost, added: string, touched: readonly FileId[]): FileAt[] {
  const ids = new Set(touched);
  return [...host.files()].filter(({ id, device }) => device === added || ids.has(id));
}
