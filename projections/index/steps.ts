/**
 * Steps through a segment event by event, and reports what each event touches before it is applied.
 *
 * @module
 */
import { changeKinds, changes, type ChangeKind } from './changes.ts';
import type { Cells } from './columns.ts';
import type { Journal } from './journal.ts';
import { FILE, fileKinds, HOLD, type Standing } from './standing.ts';

/** Receives what an event touches; groups and devices by their codes. */
export interface Touch {
  /** A boot changes everything. */
  everything(): void;
  group(code: number): void;
  /** The device changes, or the set of its open files. */
  device(code: number): void;
  /** The file opened at this position changes, or what holds it or keeps it alive. */
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

/** What each change touches. A process has no holds when it starts, and none when it ends. */
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
  waiting(touch, { waiter }, [code], at) {
    for (const cell of [waiter.device, code![at]!]) if (cell !== 0) touch.device(cell - 1);
  },
  refused: nothing,
};

const DEVICE_FILE = fileKinds.indexOf('device');
const tellsByCode = changeKinds.map((kind) => tells[kind]);
const takesByCode = changeKinds.map((kind) => changes[kind].take);

/**
 * Applies a journal event by event to the standing at its start. Yields the position of each event
 * that changed anything, after it was applied. With `only`, changes of other kinds are passed over:
 * the tables of the standing that these fill stay as they were.
 */
export function* stepsOf(
  journal: Journal,
  standing: Standing,
  touch: Touch,
  only: ReadonlySet<ChangeKind> | null = null,
): Generator<number> {
  const rows = journal.rows.cells;
  const kinds = journal.kinds.cells;
  const columns = changeKinds.map((kind) => journal.cellsOf(kind));
  const told = new Uint32Array(changeKinds.length);
  const taken = new Uint32Array(changeKinds.length);
  const isWanted = changeKinds.map((kind) => only?.has(kind) ?? true);
  let row = 0;
  for (let event = 0; event < journal.length; event++) {
    const end = row + rows[event]!;
    const position = journal.first + event;
    let changed = 0;
    for (let at = row; at < end; at++) {
      const kind = kinds[at]!;
      if (!isWanted[kind]) continue;
      tellsByCode[kind]!(touch, standing, columns[kind]!, told[kind]!++, position);
      changed++;
    }
    for (; row < end; row++) {
      const kind = kinds[row]!;
      if (isWanted[kind]) {
        takesByCode[kind]!(standing, columns[kind]!, taken[kind]!++, position, null);
      }
    }
    if (changed > 0) yield position;
  }
}

/** Reports the open file in a row, its device, and the file that it keeps alive. */
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
