/**
 * Parses ioctl(2) calls of VFIO and iommufd as strace prints them.
 *
 * @module
 */
import { REQUEST_TYPE } from '../../operations/other-requests.ts';
import type { TracedWords } from '../../operations/traced-words.ts';
import type { Deed } from '../sighting.ts';
import {
  isConstant,
  membersOf,
  pastArgumentName,
  piecesAt,
  shownEnd,
  shownFd,
  stringIn,
  type StraceCall,
} from './call.ts';
import { extensions, requestNumber } from './ioctl-names.ts';

const LESS = 60;
const COMMA = 44;

/** Whether an ioctl may be one of VFIO or iommufd, by the first characters of its request. */
export function mayBeOurs(text: string, from: number): boolean {
  let at = from;
  for (let code = text.charCodeAt(at); code !== COMMA; code = text.charCodeAt(++at)) {
    if (code === LESS) at = shownEnd(text, at);
    if (at === -1 || at >= text.length) return true;
  }
  const request = pastArgumentName(text, at + 2);
  switch (text.charAt(request)) {
    case 'V':
      return text.startsWith('VFIO_', request);
    case 'I':
      return text.startsWith('IOMMU_', request);
    case 'F':
      return text.startsWith('FIO', request);
    case '0':
      return !text.startsWith('0x', request) || /^[35]/.test(text.charAt(request + 2));
    case '_':
    case '1':
    case '2':
    case ' ':
      return true;
    default:
      return false;
  }
}

/** The deed of an ioctl; null if it is not VFIO's or iommufd's, and does not set FD_CLOEXEC. */
export function ioctlDeed({ args, returned }: StraceCall): Deed | null {
  const [on = '', request = '', argument] = args;
  if (returned === null) return null;
  const { result } = returned;
  const requests = requestsOf(request);
  if (requests.length > 0) {
    const words = argument === undefined ? {} : wordsOf(argument);
    return { did: 'ioctl', on: shownFd(on), requests, words, result, file: null };
  }
  const cloexec = isConstant(request, 'FIOCLEX', 0x5451);
  if (!cloexec && !isConstant(request, 'FIONCLEX', 0x5450)) return null;
  return 'rc' in result ? { did: 'cloexec', on: shownFd(on), cloexec } : null;
}

/** The numbers that a request may have; none if it is not of VFIO's type (`;`). */
function requestsOf(text: string): readonly number[] {
  if (/^\d/.test(text)) {
    const number = Number.parseInt(text);
    return Math.floor(number / 0x100) === REQUEST_TYPE ? [number] : [];
  }
  if (text.startsWith('_IO')) return composed(text);
  const numbers = text.split(' or ').map(requestNumber);
  return [...new Set(numbers.filter((number) => number !== null))];
}

/** `_IOC(_IOC_NONE, 0x3b, 0x81, 0)`, `_IO(';', 0x76)`. */
function composed(text: string): readonly number[] {
  const open = text.indexOf('(');
  const { pieces } = piecesAt(text, open + 1);
  const [direction = '', type = '', nr = '', size = ''] =
    text.slice(0, open) === '_IO' ? ['0', ...pieces, '0'] : pieces;
  const number = Number.parseInt(nr);
  const isOurs =
    isConstant(direction, '_IOC_NONE', 0) &&
    isConstant(type, `'${String.fromCharCode(REQUEST_TYPE)}'`, REQUEST_TYPE) &&
    Number.parseInt(size) === 0 &&
    number >= 0 &&
    number < 0x100;
  return isOurs ? [REQUEST_TYPE * 0x100 + number] : [];
}

type Words = { -readonly [Key in keyof TracedWords]: TracedWords[Key] };

function wordsOf(text: string): TracedWords {
  switch (text.charAt(0)) {
    case '{':
      return wordsIn(text);
    case '[': {
      const container = Number.parseInt(text.slice(1), 10);
      return Number.isFinite(container) ? { container } : {};
    }
    case '"': {
      const name = stringIn(text);
      return name === null || name.isCut ? {} : { device: name.text };
    }
    default: {
      const value = text === 'NULL' ? 0 : (extensions.get(text) ?? Number.parseInt(text));
      return Number.isFinite(value) ? { value } : {};
    }
  }
}

const given: Readonly<Record<string, keyof Omit<Words, 'device' | 'claimed'>>> = {
  argsz: 'argsz',
  flags: 'flags',
  iommufd: 'iommufd',
  pt_id: 'pt',
  ioas_id: 'ioas',
  id: 'object',
  out_devid: 'id',
  out_ioas_id: 'id',
  out_hwpt_id: 'id',
};

/** `{argsz=16, flags=0, iommufd=3} => {out_devid=1}`, `{…, pt_id=2 => 3}`. */
function wordsIn(text: string): TracedWords {
  const words: Words = {};
  const { end } = piecesAt(text, 1);
  for (const { name, value } of membersOf(text)) {
    const word = given[name ?? ''];
    if (word === undefined) continue;
    const [before = '', after] = value.split(' => ');
    set(words, word, before);
    if (after !== undefined) set(words, word === 'pt' ? 'id' : word, after);
  }
  const out = /^\}? *=> (?=\{)/.exec(text.slice(end));
  if (out === null) return words;
  for (const { name, value } of membersOf(text.slice(end + out[0].length))) {
    const word = given[name ?? ''];
    if (word !== undefined) set(words, word === 'pt' ? 'id' : word, value);
  }
  return words;
}

function set(words: Words, word: keyof Omit<Words, 'device' | 'claimed'>, value: string): void {
  const number = Number.parseInt(value);
  if (Number.isFinite(number)) words[word] = number;
}
