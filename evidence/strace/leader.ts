/**
 * Reads the beginning of a line of strace: the thread and the time of a call.
 *
 * @module
 */
import { unescaped } from './call.ts';

/** Numbers from here on are seconds since 1970. Smaller ones are pids or relative times. */
export const EPOCH_FROM = 1e8;
const MOST_DIGITS = 10;

const ZERO = 48;
const NINE = 57;
const SPACE = 32;
const COLON = 58;
const DOT = 46;
const LESS = 60;
const OPEN = 40;
const BRACKET = 91;

/** The parts of the last line read. One object serves all lines, as there are millions. */
export class Leader {
  /** -1 if the line has none. */
  tid = -1;
  comm: string | null = null;
  /** -1 if the line has no time. */
  seconds = -1;
  micros = 0;
  /** Whether `seconds` count from midnight. */
  isDaytime = false;
  /** Whether there is no such time of day. */
  isImpossible = false;
  /** The index of the rest of the line. */
  end = 0;

  /** Reads the beginning of a line into the fields. */
  read(text: string): void {
    this.tid = -1;
    this.comm = null;
    this.seconds = -1;
    this.micros = 0;
    this.isDaytime = false;
    this.isImpossible = false;
    let at = pastSpaces(text, 0);
    if (text.charCodeAt(at) === BRACKET && text.startsWith('[pid ', at)) at = this.#bracketed(text);
    for (let next = at; isDigit(text.charCodeAt(at)); at = next) {
      next = this.#number(text, at);
      if (next === -1) break;
      next = pastSpaces(text, next);
    }
    if (this.seconds !== -1 && text.charCodeAt(at) === OPEN && text.startsWith('(+ ', at)) {
      at = pastClosing(text, at, ')');
    }
    // The number of the call (-n) and the instruction pointer (-i).
    while (text.charCodeAt(at) === BRACKET) {
      const next = pastClosing(text, at, ']');
      if (next === at) break;
      at = next;
    }
    this.end = at;
  }

  /** Reads `[pid 123] ` or `[pid 123<comm>] `. Returns the index after it; 0 if it is neither. */
  #bracketed(text: string): number {
    const from = pastSpaces(text, text.indexOf('[pid ') + 5);
    const to = pastDigits(text, from);
    if (to === from || to > from + MOST_DIGITS) return 0;
    const named = text.charCodeAt(to) === LESS;
    const close = named ? text.indexOf('>] ', to) : text.indexOf('] ', to);
    if (close === -1) return 0;
    this.tid = Number(text.slice(from, to));
    if (close > to) this.comm = unescaped(text.slice(to + 1, close).trim());
    return pastSpaces(text, close + (named ? 3 : 2));
  }

  /** Reads a pid or a time. Returns the index of its end; -1 if it is neither. */
  #number(text: string, from: number): number {
    const to = pastDigits(text, from);
    if (to > from + MOST_DIGITS) return -1;
    const value = numberIn(text, from, to);
    switch (text.charCodeAt(to)) {
      case COLON:
        return this.seconds === -1 ? this.#daytime(text, from, to) : -1;
      case DOT:
        if (this.seconds !== -1) return -1;
        this.seconds = value;
        return this.#fraction(text, to);
      case SPACE:
        if (value >= EPOCH_FROM && this.seconds === -1) this.seconds = value;
        else if (this.tid === -1 && this.seconds === -1) this.tid = value;
        else return -1;
        return to;
      case LESS: {
        const close = text.indexOf('> ', to);
        if (this.tid !== -1 || this.seconds !== -1 || close === -1) return -1;
        this.tid = value;
        this.comm = unescaped(text.slice(to + 1, close));
        return close + 1;
      }
      default:
        return -1;
    }
  }

  #daytime(text: string, from: number, colon: number): number {
    const end = from + 8;
    if (colon !== from + 2 || text.charCodeAt(from + 5) !== COLON) return -1;
    const hours = numberIn(text, from, colon);
    const minutes = numberIn(text, from + 3, from + 5);
    const seconds = numberIn(text, from + 6, end);
    const code = text.charCodeAt(end);
    if (Number.isNaN(minutes + seconds) || (code !== SPACE && code !== DOT)) return -1;
    this.seconds = (hours * 60 + minutes) * 60 + seconds;
    this.isImpossible = hours > 23 || minutes > 59 || seconds > 59;
    this.isDaytime = true;
    return code === DOT ? this.#fraction(text, end) : end;
  }

  #fraction(text: string, dot: number): number {
    const end = pastDigits(text, dot + 1);
    let scale = 100_000;
    for (let at = dot + 1; at < end && scale >= 1; at++, scale /= 10) {
      this.micros += (text.charCodeAt(at) - ZERO) * scale;
    }
    return end;
  }
}

function isDigit(code: number): boolean {
  return code >= ZERO && code <= NINE;
}

function pastDigits(text: string, from: number): number {
  let at = from;
  while (isDigit(text.charCodeAt(at))) at++;
  return at;
}

function pastSpaces(text: string, from: number): number {
  let at = from;
  while (text.charCodeAt(at) === SPACE) at++;
  return at;
}

/** The number between two indices; NaN if there are other characters than digits. */
function numberIn(text: string, from: number, to: number): number {
  let value = 0;
  for (let at = from; at < to; at++) {
    const code = text.charCodeAt(at);
    value = isDigit(code) ? value * 10 + code - ZERO : NaN;
  }
  return value;
}

const WIDEST = 24;

/** The index after a short note in brackets and its spaces; `from` if there is none. */
function pastClosing(text: string, from: number, closing: string): number {
  const note = text.slice(from + 1, from + WIDEST);
  const close = note.indexOf(closing);
  if (close === -1 || !/^[\s\d.?a-f+]+$/.test(note.slice(0, close))) return from;
  return pastSpaces(text, from + 1 + close + 1);
}
