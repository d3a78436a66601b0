/**
 * All that the page asks of a history. The answers are the library's.
 *
 * @module
 */
import { instantOf, microsOf } from '../events/iso-8601.ts';
import { LedgerError } from '../events/ledger-error.ts';
import type { LogSelection, Past } from '../ledger/questions.ts';
import type { SupposedEvent, WhatIf } from '../ledger/what-if.ts';
import type { Coverage } from '../projections/coverage.ts';
import type { Tenure } from '../projections/interval-shapes.ts';
import type { Lane } from '../projections/lanes/lanes.ts';
import type { Mark } from '../projections/lanes/marks.ts';
import type { Diff, Table } from '../projections/shapes.ts';
import type { Why } from '../projections/why/why.ts';
import type { PictureClock } from './axis.ts';

/** A refusal, with what the picture shows of it. */
export interface ShownRefusal {
  readonly why: Why;
  /** The explanation in the words of the command line. */
  readonly explained: string;
  /** The lane of what was refused; null: on the axis. */
  readonly lane: string | null;
  readonly because: readonly Reason[];
  /** The interval of the blocker on its lane; null if it is on none. */
  readonly blocked: LitInterval | null;
}

/** An event without which the call would have passed. */
interface Reason {
  readonly position: number;
  readonly sentence: string;
  readonly lane: string | null;
}

/** An interval of a lane that is lit; half-open. */
export interface LitInterval {
  readonly lane: string;
  readonly from: number;
  readonly to: number;
}

/** What a search has found. */
export interface SearchHits {
  /** Ids of devices and groups with that name. */
  readonly lanes: readonly string[];
  /** The intervals of ownership that such processes kept alive. */
  readonly tenures: readonly Tenure[];
}

/** Events in the first part of a history in which a step looks for the nearest one. */
const SHORT = 64;

/** Where a step through a history goes. */
export type StepKind = 'change' | 'refusal' | 'event';

export class Questions {
  readonly past: Past<SupposedEvent>;
  readonly clock: PictureClock;

  constructor(past: Past<SupposedEvent>) {
    this.past = past;
    this.clock = clockOf(past);
  }

  get first(): number {
    return this.past.first;
  }

  /** Position of the last event; `first - 1` while there is none. */
  get head(): number {
    return this.past.first + this.past.length - 1;
  }

  lanes(edges: readonly number[]): readonly Lane[] {
    return this.past.lanes({ edges });
  }

  marks(edges: readonly number[]): readonly Mark[] {
    return this.past.marks({ edges });
  }

  table(position: number): Table {
    return this.past.at(position < this.first ? 'start' : position).table();
  }

  diff(from: number, to: number): Diff {
    const when = (position: number) => (position < this.first ? 'start' : position);
    return this.past.diff(when(from), when(to));
  }

  coverage(): Coverage {
    return this.past.coverage();
  }

  /** The event at a position in words; empty if there is none. */
  sentence(position: number): string {
    const event = this.past.event(position);
    return event === undefined ? '' : this.past.describe(event);
  }

  timeOf(position: number): string | null {
    return this.past.event(position)?.time ?? null;
  }

  /** The refusal at a position; null if there is none. */
  refusal(position: number): ShownRefusal | null {
    if (this.past.event(position)?.type !== 'operation.refused') return null;
    const why = this.past.why(position);
    const [mark] = this.marks([position, position + 1]);
    const lane = mark?.lane ?? null;
    const group = lane === null ? null : this.#groupOf(lane, position);
    const because = why.because.map((at): Reason => ({
      position: at,
      sentence: this.sentence(at),
      lane: [lane, group].find((id) => id !== null && this.#concerns(id, at)) ?? null,
    }));
    const explained = this.past.explain(why);
    return { why, explained, lane, because, blocked: this.#blocked(position, lane) };
  }

  /** The history without an event, and all later calls attempted anew. Throws `LedgerError`. */
  without(position: number): { readonly questions: Questions; readonly from: number } {
    const whatIf: WhatIf = this.past.without([position]);
    return { questions: new Questions(whatIf), from: whatIf.from };
  }

  /** Devices, groups, and processes by pid, command, control group or virtual machine. */
  search(text: string): SearchHits {
    const wanted = text.trim();
    if (wanted === '' || this.head < this.first) return { lanes: [], tenures: [] };
    const { groups, devices } = this.table(this.head);
    const plain = wanted.replace(/^(?:group|device) /, '');
    const lanes = [
      ...groups.filter(({ group }) => group === plain || `g${group}` === plain),
      ...devices.filter(({ device, name }) => device.includes(plain) || name?.includes(plain)),
    ].map((view) => ('device' in view ? view.device : view.group));
    const who = /^\d+$/.test(wanted) ? `pid:${wanted}` : wanted.replace(/^(?:vm|cgroup|comm):/, '');
    const owned = orNone(() => this.past.everOwned(who)) ?? [];
    return { lanes, tenures: owned.filter(({ by }) => by.length > 0) };
  }

  /** The next or the previous event of a kind from a position; null if there is none. */
  step(kind: StepKind, position: number, way: 1 | -1, subject: string | null): number | null {
    if (kind === 'change') return way > 0 ? this.#nextChange(position) : this.#lastChange(position);
    const selection = kind === 'refusal' ? { refused: true } : { subject: subject ?? undefined };
    return this.#nearest(selection, position + way, way);
  }

  /** The first such event from a position on, looked for in ever longer parts of the history. */
  #nearest(selection: LogSelection, from: number, way: 1 | -1): number | null {
    const { first, head } = this;
    let [begin, length] = [from, SHORT];
    while (begin >= first && begin <= head) {
      const end = Math.min(Math.max(begin + way * (length - 1), first), head);
      const range = { from: Math.min(begin, end), to: Math.max(begin, end) };
      const found = orNone(() => this.past.log({ ...selection, ...range })) ?? [];
      const nearest = found.at(way > 0 ? 0 : -1);
      if (nearest !== undefined) return nearest.position;
      begin = end + way;
      length *= 4;
    }
    return null;
  }

  #nextChange(position: number): number | null {
    const groups = this.lanes([this.head, this.head + 1]).filter(({ kind }) => kind === 'group');
    const changes = groups.map(({ id }) => this.past.ownerChange(id, position));
    return changes.filter((at) => at !== null).toSorted((one, other) => one - other)[0] ?? null;
  }

  #lastChange(position: number): number | null {
    const { groups } = this.table(position - 1);
    const changes = groups.flatMap(({ since }) => (since === null ? [] : [since]));
    return changes.toSorted((one, other) => other - one)[0] ?? null;
  }

  #groupOf(lane: string, position: number): string | null {
    return this.lanes([position, position + 1]).find(({ id }) => id === lane)?.group ?? null;
  }

  #concerns(subject: string, position: number): boolean {
    const found = orNone(() => this.past.log({ subject, from: position, to: position }));
    return found !== null && found.length > 0;
  }

  #blocked(position: number, refused: string | null): LitInterval | null {
    const { lane } = this.past.blocked({ position, lane: refused });
    const before = position - 1;
    if (lane === null || before < this.first) return null;
    // The interval in which a column is, or ends, is not merged.
    const found = this.lanes([this.first, before, position, this.head + 1]);
    const stretches = found.find(({ id }) => id === lane)?.stretches ?? [];
    const stretch = stretches.find(({ from, to }) => from <= before && before < to);
    return stretch === undefined ? null : { lane, from: stretch.from, to: stretch.to };
  }
}

function clockOf(past: Past<SupposedEvent>): PictureClock {
  return {
    timeAt(position) {
      for (let at = position; at >= past.first; at--) {
        const time = past.event(at)?.time ?? null;
        if (time !== null) return millisecondsOf(time);
      }
      return past.firstTime === null ? 0 : millisecondsOf(past.firstTime);
    },
    lastUntil(time) {
      const instant = instantOf(time * 1000);
      return instant === null ? -1 : (past.lastUntil(instant) ?? -1);
    },
  };
}

function millisecondsOf(time: string): number {
  return (microsOf(time) ?? 0) / 1000;
}

/** An answer; null where the history does not have what was asked for. */
function orNone<R>(ask: () => R): R | null {
  try {
    return ask();
  } catch (error) {
    if (error instanceof LedgerError) return null;
    throw error;
  }
}
