/**
 * Names made to steer or fool a terminal, logs that have them in every field, and a judge of what
 * reaches a terminal, which shares no code with the program.
 *
 * @module
 */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { decode } from '../../events/codec.ts';
import type { LedgerEvent } from '../../events/vocabulary.ts';
import { root } from '../cli/program.ts';

/** What a path and an argument of a command can hold. */
export const hostilePaths = [
  '\u001b[31mred\u001b[39m',
  '\u001b]0;title\u0007',
  '\u001b[2J\u001b[H',
  '\u009b31m',
  'new\nline',
  'over\rwritten',
  'tab\there',
  'gone\b\b\b\b\u007f',
  '\u202egnp.exe',
  '\u2066isolated\u2069',
  'zero\u200bwidth',
  '\u200e\u200f\u061c',
  '\ufeffbom',
  'line\u2028paragraph\u2029',
  'tag\u{e0041}\u{e0042}',
  'variant\ufe0f\u{e0100}',
  'filler\u3164\u115f',
  'blank\u00a0\u3000\u2800',
  'private\ue000\u{f0000}',
  'unassigned\u0378\ufdd0\uffff',
  '\u0301mark',
  'e\u0301',
  '\u212b',
  '\\u{1b}',
  'plain é 漢字',
] as const;

/** What evidence can hold besides. */
export const hostileNames = [...hostilePaths, 'nul\0nul', 'half\ud83d', '\ude00half'] as const;

const unit = fc.oneof(
  fc.constantFrom(...hostileNames),
  fc.integer({ min: 0, max: 0xffff }).map((code) => String.fromCharCode(code)),
  fc.string({ unit: 'binary', maxLength: 3 }),
  fc.constantFrom('\\', 'u{', '1b', '}', ' ', '"', "'", '[7]', 'e', '\u0301'),
);

/** Any text, and often such as steers a terminal. */
export const hostileText: fc.Arbitrary<string> = fc
  .array(unit, { minLength: 1, maxLength: 6 })
  .map((units) => units.join(''));

/** Keys of which the program knows each value. */
const known = new Set(['operation', 'errno', 'cause', 'profile', 'certainty', 'clock', 'kind']);
const instants = new Set(['zero', 'at', 'hash']);

/** A value of events with every name in it as `rename` has it. */
function renamed(value: unknown, rename: (name: string) => string, key = ''): unknown {
  if (typeof value === 'string') return known.has(key) || instants.has(key) ? value : rename(value);
  if (Array.isArray(value)) return value.map((item) => renamed(item, rename, key));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([name, item]) => [name, renamed(item, rename, name)]);
  return Object.fromEntries(entries);
}

/** Logs with events of all kinds: a simulated one and two from evidence. */
const kept = ['good_schema-2', 'good_schema-3', 'good_schema-4', 'good_schema-5'].map((name) =>
  readFileSync(`${root}test/log/corpus/${name}.jsonl`, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
    .filter((event) => 'type' in event && event['type'] !== 'history.archived'),
);

/** Logs that have a hostile name in each field that can have one: each name has one of `names`. */
export function hostileLogs(names: readonly string[]): LedgerEvent[][] {
  return kept.map((events) => {
    const given = new Map<string, string>();
    const rename = (name: string) => {
      const found = given.get(name) ?? `${name}${names[given.size % names.length]}`;
      given.set(name, found);
      return found;
    };
    return events.map((event) => decode({ ...event, data: renamed(event['data'], rename) }));
  });
}

/** The escape sequences that the program writes: dim, red, yellow, and their ends. */
const ours = ['2', '22', '31', '33', '39'].map((code) => `\u001b[${code}m`);

export function withoutColour(text: string): string {
  return ours.reduce((left, sequence) => left.replaceAll(sequence, ''), text);
}

/** First and last code points of what a terminal obeys or does not show. */
const hidden: readonly (readonly [first: number, last: number])[] = [
  [0, 0x09],
  [0x0b, 0x0c],
  [0x0e, 0x1f],
  [0x7f, 0xa0],
  [0xad, 0xad],
  [0x34f, 0x34f],
  [0x61c, 0x61c],
  [0x115f, 0x1160],
  [0x1680, 0x1680],
  [0x17b4, 0x17b5],
  [0x180b, 0x180f],
  [0x2000, 0x200f],
  [0x2028, 0x202f],
  [0x205f, 0x206f],
  [0x2800, 0x2800],
  [0x3000, 0x3000],
  [0x3164, 0x3164],
  [0xd800, 0xf8ff],
  [0xfdd0, 0xfdef],
  [0xfe00, 0xfe0f],
  [0xfeff, 0xfeff],
  [0xffa0, 0xffa0],
  [0xfff0, 0xfffb],
  [0xfffe, 0xffff],
  [0xe0000, 0x10ffff],
];

/** The code points of a printed text, colour aside, that no terminal should get; line feeds may be. */
export function unsafeIn(printed: string): string[] {
  const unsafe = Array.from(withoutColour(printed)).filter((character) => {
    const code = character.codePointAt(0) ?? 0;
    return hidden.some(([first, last]) => code >= first && code <= last);
  });
  return [...new Set(unsafe)].map((character) => `U+${character.codePointAt(0)?.toString(16)}`);
}
