/**
 * A segment event by event: what each event changes is told before the standing takes it.
 *
 * @module
 */
import { changeKinds, changes, type ChangeKind } from './changes.ts';
import type { Cells } from './columns.ts';
import type { Journal } from './journal.ts';
import { FILE, fileKinds, HOLD, type Standing } from './standing.ts';

/** Told of what an event changes; groups and devices go by their codes. */
export interface Touch {
  /** A boot: nothing is as it was. */
  everything(): void;
  group(code: number): void;
  /** A device, or which files of it are open. */
  device(code: number): void;
  /** A file by the position of its open: the file, what holds it, or what keeps it alive. */
  file(opened: number): void;
}

type Touches = (
  touch: Touch,
  standing: Standing,
  columns: readonly Cells[],
  at: number,
  position: number,
) => void;

const nothing: Touches = () => {};
const device: Touches = (touch, _standing, [code], at) => touch.device(code![at]!);
const file: Touches = (touch, standing, [row], at) => tellFile(touch, standing, row![at]!);

/** What a change touches. A process that comes holds nothing yet, and one that goes no longer. */
const tells: Readonly<Record<ChangeKind, Touches>> = {
  booted: (touch) => touch.everything(),
  deviceSet: device,
  deviceMoved: device,
  groupSet: (touch, _standing, [code], at) => touch.group(code![at]!),
  fileOpened(touch, _standing, [, kind, subject], at, position) {
    touch.file(position);
    if (kind![at] === DEVICE_FILE) touch.device(subject![at]!);
  },
  fileSet(touch, standing, [row, , , pins], at) {
    tellFile(touch, standing, row![at]!);
    tellFile(touch, standing, pins![at]! - 1);
  },
  fileClosed: file,
  processStarted: nothing,
  processEnded: nothing,
  held: (touch, standing, [, row], at) => tellFile(touch, standing, row![at]!),
  dropped(touch, standing, [hold], at) {
    const { cells, width } = standing.holds;
    tellFile(touch, standing, (cells[hold![at]! * width + HOLD.file] ?? 0) - 1);
  },
  waiting: nothing,
  refused: nothing,
};

const DEVICE_FILE = fileKinds.indexOf('device');
const tellsByCode = changeKinds.map((kind) => tells[kind]);
const takesByCode = changeKinds.map((kind) => changes[kind].take);

/**
 * Has a standing that is at the start of a journal take one event after the other. Gives the
 * position of each that has changed anything.
 */
export function* stepsOf(journal: Journal, standing: Standing, touch: Touch): Generator<number> {
  const rows = journal.rows.cells;
  const kinds = journal.kinds.cells;
  const columns = changeKinds.map((kind) => journal.cellsOf(kind));
  const told = new Uint32Array(changeKinds.length);
  const taken = new Uint32Array(changeKinds.length);
  let row = 0;
  for (let event = 0; event < journal.length; event++) {
    const end = row + rows[event]!;
    if (row === end) continue;
    const position = journal.first + event;
    for (let at = row; at < end; at++) {
      const kind = kinds[at]!;
      tellsByCode[kind]!(touch, standing, columns[kind]!, told[kind]!++, position);
    }
    for (; row < end; row++) {
      const kind = kinds[row]!;
      takesByCode[kind]!(standing, columns[kind]!, taken[kind]!++, position, null);
    }
    yield position;
  }
}

/** Tells of an open file by its row, of its device, and of the file that it keeps alive. */
function tellFile(touch: Touch, { files }: Standing, row: number): void {
  if (row < 0 || row >= files.count) return;
  const { cells, width } = files;
  const cell = row * width;
  const opened = cells[cell]!;
  if (opened === 0) return;
  touch.file(opened - 1);
  if (cells[cell + FILE.kind] === DEVICE_FILE) touch.device(cells[cell + FILE.subject]!);
  const kept = cells[cell + FILE.pins]!;
  if (kept !== 0) touch.file(cells[(kept - 1) * width]! - 1);
}
