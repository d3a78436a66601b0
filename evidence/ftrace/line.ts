/**
 * Splits lines of an ftrace trace into task, time and event.
 *
 * @module
 */
import { EvidenceError } from '../importer.ts';

/** `enter` and `exit` of a system call; any other event is a `point`. */
export interface TraceEvent {
  readonly kind: 'enter' | 'exit' | 'point';
  /** The name of the event; of a system call without `sys_`. */
  readonly name: string;
  /** The arguments, the return value, or the fields. */
  readonly text: string;
}

/** The parts of a line. Null: not shown. */
export interface TraceLine {
  readonly tid: number;
  readonly pid: number | null;
  readonly comm: string | null;
  /** Microseconds; null if the clock does not count seconds. */
  readonly at: number | null;
  /** Null for a line of the function tracer. */
  readonly event: TraceEvent | null;
}

/** `comm-tid (tgid) [cpu] flags seconds.fraction: `. The tgid and the flags may be missing. */
const leader =
  /^[ \t]*(\S.{0,14})-(\d{1,10})[ \t]{1,64}(?:\( {0,16}(\d{1,10}|-+)\)[ \t]{1,64})?\[\d{1,5}\][ \t]{1,64}(?:[^\s:]{3,8}[ \t]{1,64})?(\d{1,20})(?:\.(\d{1,9}))?:[ \t]{1,64}/;

const call = /^sys_(?:(enter|exit)_)?(\w+)(\(|: *| -> )(.*)$/;
const point = /^([\w.-]+): *(.*)$/;

/** Splits a line; null if it is not a trace line. Throws `EvidenceError` if an event is cut off. */
export function lineIn(text: string): TraceLine | null {
  const found = leader.exec(text);
  if (found === null) return null;
  const [whole, comm, tid, pid, seconds, fraction] = found;
  return {
    tid: Number(tid),
    pid: pid === undefined || pid.startsWith('-') ? null : Number(pid),
    comm: comm === undefined || comm === '<...>' || comm === '<idle>' ? null : comm,
    at:
      fraction === undefined
        ? null
        : Number(seconds) * 1_000_000 + Number(fraction.padEnd(6, '0').slice(0, 6)),
    event: eventIn(text.slice(whole.length).trimEnd()),
  };
}

function eventIn(text: string): TraceEvent | null {
  const system = text.startsWith('sys_') ? call.exec(text) : null;
  if (system !== null) {
    const [, side, base = '', mark, rest = ''] = system;
    const name = side === undefined ? base : `${side}_${base}`;
    if (mark === ' -> ') return { kind: 'exit', name, text: rest };
    if (mark === '(') {
      if (!rest.endsWith(')')) throw new EvidenceError(`the arguments of sys_${name} break off`);
      return { kind: 'enter', name, text: rest.slice(0, -1) };
    }
    if (side === 'enter' || side === 'exit') return { kind: side, name: base, text: rest };
  }
  const other = point.exec(text);
  return other === null ? null : { kind: 'point', name: other[1] ?? '', text: other[2] ?? '' };
}

const LOST = /^CPU:? ?\d{1,5} \[(?:LOST )?(?:(\d{1,20}) )?EVENTS(?: DROPPED)?\]/;
const OVERWRITTEN = /^# entries-in-buffer\/entries-written: (\d{1,20})\/(\d{1,20})/;

/** The number of lost events that a line reports; null: an unknown number; 0: none. */
export function lostIn(text: string): number | null {
  const lost = LOST.exec(text);
  if (lost !== null) return lost[1] === undefined ? null : Number(lost[1]);
  const [, held, written] = OVERWRITTEN.exec(text) ?? [];
  return Math.max(0, Number(written ?? 0) - Number(held ?? 0));
}

/** The probe that the recorder could not set, by its notice; null if a line is none. */
export function unsetIn(text: string): string | null {
  return /^# no probe: (\S+)/.exec(text)?.[1] ?? null;
}

const ASIDE =
  /^(?:#.*|cpus=\d+|version = .*|CPU:? ?\d+ (?:is empty|\[.*EVENTS.*\])|\s+=> .*|"?\s*)$/;

/**
 * Whether a line belongs to the trace but holds no event: a header, a stack frame, a notice of lost
 * events, or the rest of a string after a line feed.
 */
export function isAside(text: string): boolean {
  return ASIDE.test(text);
}

/** Whether a first line may be one of an ftrace trace. */
export function looksLikeFtrace(line: string): boolean {
  if (/^# (?:tracer: |vfio-ledger|no probe: |entries-in-buffer\/)/.test(line)) return true;
  if (/^#\s+(?:TASK-PID\s|_-+=> )/.test(line)) return true;
  if (/^(?:cpus=\d+$|CPU:? ?\d+ (?:is empty|\[.*EVENTS))/.test(line)) return true;
  return leader.test(line);
}
