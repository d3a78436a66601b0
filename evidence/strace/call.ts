/**
 * Parses a call as strace prints it: its arguments, its result, and the members of structs.
 *
 * @module
 */
import { EvidenceError } from '../importer.ts';
import type { Result, ShownFd } from '../sighting.ts';
import { errnoName } from './errno.ts';

export interface Returned {
  readonly result: Result;
  /** The result as it is printed. */
  readonly text: string;
}

export interface StraceCall {
  readonly args: readonly string[];
  /** Null if the call has not returned, or its result is unknown. */
  readonly returned: Returned | null;
}

/** Parses the call whose arguments begin at index `from`. Throws `EvidenceError`. */
export function callAt(text: string, from: number): StraceCall {
  const { pieces, end } = piecesAt(text, from);
  if (end >= text.length) throw new EvidenceError('the call breaks off');
  const rest = text.slice(end + 1).trimStart();
  if (!rest.startsWith('=')) throw new EvidenceError('the call has no result');
  return { args: pieces, returned: returnedFrom(rest.slice(1).trimStart()) };
}

/** The arguments of a call that has not returned. The last one may be cut off. */
export function argsBegun(text: string): readonly string[] {
  return piecesAt(text, 0).pieces;
}

/** The index after the name of an argument, which newer versions print on request: `fd=3`. */
export function pastArgumentName(text: string, from: number): number {
  for (let at = from; ; at++) {
    const code = text.charCodeAt(at);
    const isLetter = (code >= 97 && code <= 122) || code === UNDERSCORE;
    if (isLetter || (at > from && code >= 48 && code <= 57)) continue;
    return code === EQUALS && at > from ? at + 1 : from;
  }
}

/** Arguments without their names. */
export function withoutNames(args: readonly string[]): readonly string[] {
  return args.map((argument) => argument.slice(pastArgumentName(argument, 0)));
}

function returnedFrom(text: string): Returned | null {
  if (text.startsWith('?')) return null;
  const rc = Number.parseInt(text);
  if (!Number.isFinite(rc)) throw new EvidenceError('the call has no result');
  if (rc >= 0) return { result: { rc }, text };
  const [, name, number] = /^-\d+ (?:(E[A-Z\d]+)|\(errno (\d+)\))/.exec(text) ?? [];
  if (rc === -1 && name === undefined && number === undefined) {
    throw new EvidenceError('the call breaks off before its errno');
  }
  return { result: { errno: name ?? errnoName(Number(number ?? -rc)) }, text };
}

const QUOTE = 34;
const APOSTROPHE = 39;
const OPEN = 40;
const CLOSE = 41;
const STAR = 42;
const COMMA = 44;
const MINUS = 45;
const SLASH = 47;
const LESS = 60;
const EQUALS = 61;
const UNDERSCORE = 95;
const GREATER = 62;
const BRACKET = 91;
const BACKSLASH = 92;
const END_BRACKET = 93;
const BRACE = 123;
const END_BRACE = 125;

/** Splits text at commas, up to the closing bracket at index `end`, or to the end of the text. */
export function piecesAt(text: string, from: number): { pieces: readonly string[]; end: number } {
  const pieces: string[] = [];
  for (let begin = from; ;) {
    const end = pieceEnd(text, begin);
    const piece = text.slice(begin, end).trim();
    if (piece !== '') pieces.push(piece);
    if (text.charCodeAt(end) !== COMMA) return { pieces, end };
    begin = end + 1;
  }
}

function pieceEnd(text: string, from: number): number {
  let depth = 0;
  for (let at = from; at !== -1 && at < text.length; at++) {
    switch (text.charCodeAt(at)) {
      case COMMA:
        if (depth === 0) return at;
        break;
      case OPEN:
      case BRACKET:
      case BRACE:
        depth++;
        break;
      case CLOSE:
      case END_BRACKET:
      case END_BRACE:
        if (depth-- === 0) return at;
        break;
      case QUOTE:
        at = stringEnd(text, at);
        break;
      case LESS:
        if (isShown(text, at)) at = shownEnd(text, at);
        break;
      case SLASH:
        if (text.charCodeAt(at + 1) === STAR) at = commentEnd(text, at);
        break;
      case APOSTROPHE:
        if (text.charCodeAt(at + 2) === APOSTROPHE) at += 2;
        break;
    }
    if (at === -1) return text.length;
  }
  return text.length;
}

function stringEnd(text: string, open: number): number {
  for (let at = open + 1; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === BACKSLASH) at++;
    else if (code === QUOTE) return at;
  }
  return -1;
}

function commentEnd(text: string, open: number): number {
  const end = text.indexOf('*/', open + 2);
  return end === -1 ? -1 : end + 1;
}

/** Whether a `<` begins the path of a descriptor: `3</dev/iommu>`, `AT_FDCWD</>`. */
function isShown(text: string, less: number): boolean {
  return /[\w/]/.test(text.charAt(less - 1)) && !/[<=\s]/.test(text.charAt(less + 1));
}

/** The end of `</dev/vfio/vfio<char 10:196>>` or `<UNIX-STREAM:[1->2,"/run/x"]>`; -1 if it has none. */
export function shownEnd(text: string, open: number): number {
  let depth = 0;
  let isListed = false;
  for (let at = open; at < text.length; at++) {
    switch (text.charCodeAt(at)) {
      case LESS:
        depth++;
        break;
      case GREATER:
        if (isListed && text.charCodeAt(at - 1) === MINUS) break;
        if (--depth === 0) return at;
        break;
      case BRACKET:
        isListed = true;
        break;
      case END_BRACKET:
        isListed = false;
        break;
      case QUOTE:
        if (isListed) at = stringEnd(text, at);
        if (at === -1) return -1;
        break;
    }
  }
  return -1;
}

const MOST_FD = 2 ** 31 - 1;

/** Parses a descriptor: `3` or `3</dev/iommu>`. Throws `EvidenceError`. */
export function shownFd(text: string): ShownFd {
  const [number] = /^-?\d+/.exec(text) ?? [];
  if (number === undefined || Number(number) > MOST_FD) {
    throw new EvidenceError(`${excerpt(text)} is not a descriptor`);
  }
  return { fd: Number(number), path: shownAt(text, number.length) };
}

/** The path of the directory descriptor that a path is relative to; null if not shown. */
export function shownFolder(text: string): string | null {
  const [number] = /^(?:AT_FDCWD|-?\d+(?: \/\* AT_FDCWD \*\/)?)/.exec(text) ?? [];
  return number === undefined ? null : shownAt(text, number.length);
}

function shownAt(text: string, open: number): string | null {
  if (text.charCodeAt(open) !== LESS) return null;
  const end = shownEnd(text, open);
  if (end === -1) throw new EvidenceError(`${excerpt(text)} breaks off`);
  let shown = text.slice(open + 1, end);
  if (shown.endsWith('>')) shown = shown.slice(0, Math.max(0, shown.lastIndexOf('<')));
  return unescaped(shown).replace(/ ?\(deleted\)$/, '');
}

/** Parses a string; `isCut` if strace has left out its end. Null if it is not a string. */
export function stringIn(text: string): { text: string; isCut: boolean } | null {
  if (text.charCodeAt(0) !== QUOTE) return null;
  const end = stringEnd(text, 0);
  if (end === -1) return null;
  return { text: unescaped(text.slice(1, end)), isCut: text.startsWith('...', end + 1) };
}

const LETTERS: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', v: '\v', f: '\f' };

/** Undoes the escapes of a C string. */
export function unescaped(text: string): string {
  if (!text.includes('\\')) return text;
  const bytes = text.replace(/\\(?:x([\da-f]{2})|([0-7]{1,3})|(.))/g, (_, hex, octal, letter) => {
    if (letter !== undefined) return LETTERS[letter as string] ?? (letter as string);
    const code = hex === undefined ? parseInt(octal as string, 8) : parseInt(hex as string, 16);
    return String.fromCharCode(code);
  });
  return Buffer.from(bytes, 'latin1').toString();
}

/** A member of a struct, or an element of a list, which has no name. */
export interface Member {
  readonly name: string | null;
  readonly value: string;
}

/** The members of `{…}` or `[…]`. */
export function membersOf(text: string): readonly Member[] {
  return piecesAt(text, 1).pieces.map((piece) => {
    const [named, name] = /^([a-z]\w*)(?:\(\d+\))?=(?!>)/.exec(piece) ?? [];
    return { name: name ?? null, value: piece.slice(named?.length ?? 0) };
  });
}

export function memberOf(text: string, name: string): string | null {
  return membersOf(text).find((member) => member.name === name)?.value ?? null;
}

/** Whether flags contain one, by name or as a bit. */
export function hasFlag(text: string, name: string, bit: number): boolean {
  if (text.includes(name)) return true;
  for (const [, number] of text.matchAll(/(?:^|\|)(0x[\da-f]+|\d+)/g)) {
    if (Math.floor(Number(number) / bit) % 2 === 1) return true;
  }
  return false;
}

/** Whether a text is a constant, by name or as a number. */
export function isConstant(text: string, name: string, number: number): boolean {
  return text === name || Number.parseInt(text) === number;
}

const LONGEST = 40;

/** The first 40 characters of a text, quoted, for error messages. */
export function excerpt(text: string): string {
  return JSON.stringify(text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text);
}
