/**
 * Times of events, in two columns: seconds and microseconds. An event may have no time.
 *
 * @module
 */
import { Column } from './columns.ts';

/** Seconds from the year 0 to 1970: counted from the year 0, no ISO 8601 year is negative. */
const YEAR_0 = 62_167_219_200;

/** Splits a time of the log (ISO 8601, microseconds, UTC) into seconds since the year 0 and µs. */
export function splitTime(time: string): readonly [seconds: number, micros: number] {
  return [Date.parse(`${time.slice(0, 19)}Z`) / 1000 + YEAR_0, Number(time.slice(20, 26))];
}

const DAY = 86_400;
/** The day that was written last, in days since the year 0: times that are asked together share it. */
let lastDay = { number: NaN, text: '' };

function joinTime(seconds: number, micros: number): string {
  const number = Math.floor(seconds / DAY);
  if (number !== lastDay.number) {
    const midnight = new Date((number * DAY - YEAR_0) * 1000);
    lastDay = { number, text: midnight.toISOString().slice(0, 10) };
  }
  const second = seconds - number * DAY;
  const [hour, minute] = [Math.floor(second / 3600), Math.floor(second / 60) % 60];
  const ofDay = `${twoDigits(hour)}:${twoDigits(minute)}:${twoDigits(second % 60)}`;
  return `${lastDay.text}T${ofDay}.${String(micros).padStart(6, '0')}Z`;
}

function twoDigits(number: number): string {
  return number < 10 ? `0${number}` : `${number}`;
}

export class Times {
  /** Seconds since `base`, plus 1; 0 for no time. */
  #seconds: Column;
  #micros: Column;
  /** Seconds since the year 0. */
  readonly base: number;
  /** The second that was pushed last, as text, and its cell: events that follow often share it. */
  #second = 'none';
  #cell = 0;
  /** Whether any pushed event has a time. */
  isTimed = false;

  constructor(seconds = new Column(), micros = new Column(), base = 0) {
    this.#seconds = seconds;
    this.#micros = micros;
    this.base = base;
  }

  get columns(): readonly [Column, Column] {
    return [this.#seconds, this.#micros];
  }

  push(time: string | null): void {
    if (time === null) {
      this.#seconds.push(0);
      this.#micros.push(0);
      return;
    }
    if (!time.startsWith(this.#second)) {
      this.#second = time.slice(0, 19);
      this.#cell = splitTime(time)[0] + 1 - this.base;
    }
    this.#seconds.push(this.#cell);
    this.#micros.push(Number(time.slice(20, 26)));
    this.isTimed = true;
  }

  at(index: number): string | null {
    const seconds = this.#seconds.cells[index] ?? 0;
    if (seconds === 0) return null;
    return joinTime(seconds - 1 + this.base, this.#micros.cells[index] ?? 0);
  }

  /** The last event before `end` whose time is at or before an instant; -1 if there is none. */
  lastUntil([seconds, micros]: readonly [number, number], end: number): number {
    const second = seconds - this.base + 1;
    const cells = this.#seconds.cells;
    for (let index = end - 1; index >= 0; index--) {
      const there = cells[index]!;
      if (there === 0 || there > second) continue;
      if (there < second || this.#micros.cells[index]! <= micros) return index;
    }
    return -1;
  }

  /** The earliest time, in seconds since the year 0; null if no event has a time. */
  earliest(): number | null {
    let least = Infinity;
    for (const second of this.#seconds.cells.subarray(0, this.#seconds.length)) {
      if (second !== 0 && second < least) least = second;
    }
    return least === Infinity ? null : least - 1 + this.base;
  }

  sealed(): Times {
    const base = this.earliest() ?? 0;
    const seconds = new Column();
    for (const second of this.#seconds.cells.subarray(0, this.#seconds.length)) {
      seconds.push(second === 0 ? 0 : second + this.base - base);
    }
    return new Times(seconds.sealed(), this.#micros.sealed(), base);
  }
}
