/**
 * Processes over time: from when to when each of them had which name, control group and virtual
 * machine, read from the columns of the time index.
 *
 * @module
 */
import type { ProcessAt } from '../../machines/host-at.ts';
import type { Position } from '../shapes.ts';
import type { SegmentHands, SegmentSpan } from './segment-hands.ts';

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

/** The indexes of the spans of a segment that are looked for. */
type SpansWanted = (hands: SegmentHands) => Iterable<number>;

const all: SpansWanted = (hands) => Array.from({ length: hands.spans }, (_, span) => span);

/**
 * The spans with a state from `from` to `to` (both included), in the order of their ends. `segments`
 * begin with the one that `from` is in. A span that began before that segment begins with it. If not
 * all spans are wanted, one that follows on an unwanted one is that of another process.
 */
export function* processSpans(
  segments: Iterable<SegmentHands>,
  from: number,
  to: number,
  wanted = all,
): Generator<ProcessSpan> {
  const alive = new Map<number, ProcessSpan>();
  /** By pid: the process whose span ended last, and where. */
  const ended = new Map<number, { readonly at: number; readonly process: number }>();
  let count = 0;
  for (const hands of segments) {
    if (hands.first > to) break;
    for (const { at, span, isEnd } of endsAndBegins(hands, wanted)) {
      if (at > to) break;
      const { pid, comm, cgroup, vm, isLater } = span;
      const before = alive.get(pid);
      if (isEnd) {
        alive.delete(pid);
        if (before !== undefined) ended.set(pid, { at, process: before.process });
        else if (!isLater) ended.delete(pid);
        if (before !== undefined && at > Math.max(from, before.from)) yield { ...before, to: at };
      } else if (before === undefined) {
        const last = isLater ? ended.get(pid) : undefined;
        const process = last?.at === at ? last.process : count++;
        alive.set(pid, { pid, comm, cgroup, vm, from: at, to: null, process });
      }
    }
  }
  yield* alive.values();
}

interface EndOrBegin {
  readonly at: number;
  readonly span: SegmentSpan;
  readonly isEnd: boolean;
}

/** The begins and ends of spans, by position. */
function endsAndBegins(hands: SegmentHands, wanted: SpansWanted): EndOrBegin[] {
  const found: EndOrBegin[] = [];
  for (const index of wanted(hands)) {
    const span = hands.spanAt(index);
    const { from, to, isBefore } = span;
    // A name that was given and lost by one event was that of no state.
    if (isBefore || from !== to) found.push({ at: from, span, isEnd: false });
    if (to !== null) found.push({ at: to, span, isEnd: true });
  }
  return found.toSorted((a, b) => a.at - b.at || turnOf(a) - turnOf(b));
}

/** What is there before the segment comes first; a pid that is used again ends before it begins. */
function turnOf({ isEnd, span: { isBefore } }: EndOrBegin): number {
  return isEnd ? 1 : isBefore ? 0 : 2;
}
