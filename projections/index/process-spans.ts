/**
 * Processes over time: from when to when each of them had which name, control group and virtual
 * machine, read from the journals of the time index.
 *
 * @module
 */
import type { ProcessAt } from '../../machines/host-at.ts';
import type { Position } from '../shapes.ts';
import { changeCodes } from './changes.ts';
import { processIn, vmIn } from './hold-at.ts';
import type { Segment } from './segment.ts';

/** What the evidence calls a process. */
export type ProcessLabel = Pick<ProcessAt, 'pid' | 'comm' | 'cgroup' | 'vm'>;

/** Half-open: a process had this label in the states from `from` up to but without `to`. */
export interface ProcessSpan extends ProcessLabel {
  readonly from: number;
  /** Null: it has not ended. */
  readonly to: Position;
  /**
   * Equal for the spans of one process, which may get another name; its pid may be used again.
   */
  readonly process: number;
}

/** A process gets a label; null: it ends. At a boot all processes end, and `pid` is null. */
interface LabelChange {
  readonly position: number;
  readonly pid: number | null;
  readonly label: ProcessLabel | null;
}

/**
 * The spans with a state from `from` to `to` (both included), in the order of their ends. `segments`
 * begin with the one that `from` is in. A span that began before that segment begins with it.
 */
export function* processSpans(
  segments: Iterable<Segment>,
  from: number,
  to: number,
): Generator<ProcessSpan> {
  const alive = new Map<number, ProcessSpan>();
  let count = 0;
  for (const segment of segments) {
    if (segment.first > to) break;
    if (count === 0) {
      for (const label of labelsBefore(segment).values()) {
        alive.set(label.pid, { ...label, from: segment.first, to: null, process: count++ });
      }
    }
    for (const { position, pid, label } of labelChanges(segment)) {
      if (position > to) break;
      for (const before of pid === null ? [...alive.values()] : [alive.get(pid)]) {
        if (before === undefined) continue;
        alive.delete(before.pid);
        if (position > Math.max(from, before.from)) yield { ...before, to: position };
        if (label === null) continue;
        alive.set(before.pid, { ...label, from: position, to: null, process: before.process });
      }
      if (label !== null && !alive.has(label.pid)) {
        alive.set(label.pid, { ...label, from: position, to: null, process: count++ });
      }
    }
  }
  yield* alive.values();
}

/** The label of each process before the first event of a segment, by its row. */
function labelsBefore({ parts: { start, codes } }: Segment): Map<number, ProcessLabel> {
  const labels = new Map<number, ProcessLabel>();
  const { cells, width, count } = start.processes;
  for (let row = 0; row < count; row++) {
    if (cells[row * width] !== 0) labels.set(row, processIn(start, codes, row));
  }
  return labels;
}

function* labelChanges(segment: Segment): Generator<LabelChange> {
  const { booted, processStarted, processEnded } = changeCodes;
  const { journal, codes } = segment.parts;
  const { rows, kinds, length, first } = journal;
  const [processes, pids, comms, cgroups, vms] = journal.cellsOf('processStarted');
  const [ends] = journal.cellsOf('processEnded');
  const pidOf = new Map([...labelsBefore(segment)].map(([row, { pid }]) => [row, pid]));
  let [row, started, ended] = [0, 0, 0];
  for (let event = 0; event < length; event++) {
    for (let left = rows.cells[event]!; left > 0; left--) {
      const kind = kinds.cells[row++];
      const position = first + event;
      if (kind === processStarted) {
        const at = started++;
        const pid = codes.numbers.at(pids![at]! - 1);
        const cgroup = cgroups![at]!;
        const label = {
          pid,
          comm: codes.texts.at(comms![at]!),
          cgroup: cgroup === 0 ? null : codes.texts.at(cgroup - 1),
          vm: vmIn(vms![at]!, codes),
        };
        pidOf.set(processes![at]!, pid);
        yield { position, pid, label };
      } else if (kind === processEnded) {
        yield { position, pid: pidOf.get(ends![ended++]!) ?? null, label: null };
      } else if (kind === booted) {
        yield { position, pid: null, label: null };
      }
    }
  }
}
