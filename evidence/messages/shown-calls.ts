/**
 * Refused calls that a trace shows, and of which a message tells as well: the message is no other refusal.
 * A trace of a process shows each of its calls, with the descriptor or the path.
 *
 * @module
 */
import type { LedgerEvent } from '../../events/vocabulary.ts';
import { KERNEL_PID } from '../../processes/process-table.ts';
import { instantOf, microsOf } from '../../events/iso-8601.ts';
import { remember } from './names.ts';
import type { EventsAround } from './recorded-tellings.ts';
import { refusalKind } from './told.ts';

/** A refused call. */
interface TimedRefusal {
  /** Equal for calls that may be one: process, operation, errno, and the node that was opened. */
  readonly key: string;
  /** In microseconds since 1970. */
  readonly at: number;
}

/** A refused call of an event. */
interface RecentRefusal extends TimedRefusal {
  readonly id: string;
  /** Whether a trace shows it; otherwise a message tells of it. */
  readonly isShown: boolean;
}

/** The refused call of an event; null if it is none, or its process or time is not shown. */
function refusedCallOf({ type, time, data }: LedgerEvent): TimedRefusal | null {
  const at = time === null ? null : microsOf(time);
  if (type !== 'operation.refused' || at === null || data.errno === null) return null;
  const { pid, group, device } = data as Partial<Shown>;
  if (typeof pid !== 'number' || pid > KERNEL_PID) return null;
  const opened = data.operation.startsWith('open_') ? (group ?? device ?? '') : '';
  const key = `${pid} ${refusalKind(data)} ${opened}`;
  return { key, at };
}

interface Shown {
  readonly pid: number | null;
  readonly group: string;
  readonly device: string;
}

const MOST_KEYS = 1024;
/** A message with whole seconds may be that much apart from its call, in microseconds. */
const SECOND = 1_000_000;
/** So may any other, as it is printed after the call. */
const PRINTED_WITHIN = 10_000;

/** How far a message with this time may be apart from its call, in microseconds. */
function reachOf(at: number): number {
  return at % SECOND === 0 ? SECOND : PRINTED_WITHIN;
}

/** The refused calls of an import, as its events are merged, and those of the log. */
export class ShownCalls {
  readonly #recent = new Map<string, readonly RecentRefusal[]>();
  readonly #around: EventsAround;
  readonly #isTrace: (source: string) => boolean;

  /** `around` gives the events of the log; `isTrace` says which of its sources show calls. */
  constructor(around: EventsAround = () => [], isTrace: (source: string) => boolean = () => false) {
    this.#around = around;
    this.#isTrace = isTrace;
  }

  /** Takes the next event; `isShown` by a trace. Returns the ids of messages that tell what one shows. */
  take(event: LedgerEvent, isShown: boolean): readonly string[] {
    const call = refusedCallOf(event);
    if (call === null) return [];
    const all = this.#recent.get(call.key) ?? [];
    const near = all.filter(({ at }) => call.at - at <= SECOND);
    const same = near.filter((other) => {
      return other.isShown !== isShown && isOne(call, other, isShown ? other.at : call.at);
    });
    remember(this.#recent, call.key, [...near, { ...call, id: event.id, isShown }], MOST_KEYS);
    if (isShown) return same.map(({ id }) => id);
    return same.length > 0 || this.#isInLog(call) ? [event.id] : [];
  }

  #isInLog(told: TimedRefusal): boolean {
    const reach = reachOf(told.at);
    const [from, to] = [instantOf(told.at - reach), instantOf(told.at + reach)];
    if (from === null || to === null) return false;
    for (const event of this.#around(from, to)) {
      const source = event.data.evidence?.source;
      const call = source !== undefined && this.#isTrace(source) ? refusedCallOf(event) : null;
      if (call !== null && isOne(call, told, told.at)) return true;
    }
    return false;
  }
}

/** Whether a call and a message about it, with the time `told`, may be of one time. */
function isOne(one: TimedRefusal, other: TimedRefusal, told: number): boolean {
  return one.key === other.key && Math.abs(one.at - other.at) <= reachOf(told);
}
