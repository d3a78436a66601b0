import fc from 'fast-check';
import { expect, test } from 'vitest';
import { printable, printableJson } from '../../words/printable.ts';
import { countOf } from '../support/effort.ts';
import { hostileNames, hostileText, unsafeIn } from '../support/hostile-names.ts';

const numRuns = countOf('texts made printable', { test: 2000, soak: 200_000, full: 500_000 });

/** The text that was printed: escapes name code points. */
function readBack(printed: string): string {
  return printed.replace(/\\u\{([\da-f]+)\}/g, (_, hex: string) => {
    return String.fromCodePoint(Number.parseInt(hex, 16));
  });
}

test('what a terminal obeys or does not show is an escape; all else stays', () => {
  const printed = [
    ['a\u001b[31mb\u009b\u202ec\n\t\0', 'a\\u{1b}[31mb\\u{9b}\\u{202e}c\\u{a}\\u{9}\\u{0}'],
    ['\ud83d x \u{e0041}', '\\u{d83d} x \\u{e0041}'],
    ['\u2028\u2029\u2066\u200b\ufeff', '\\u{2028}\\u{2029}\\u{2066}\\u{200b}\\u{feff}'],
    ['a\u00a0b\u3000\u2800\u3164', 'a\\u{a0}b\\u{3000}\\u{2800}\\u{3164}'],
    ['\ue000\u0378', '\\u{e000}\\u{378}'],
    ['plain é ü 漢字 한 नमस्ते שָׁלוֹם ไทย → µs', 'plain é ü 漢字 한 नमस्ते שָׁלוֹם ไทย → µs'],
    ['/machine-qemu\\x2d1.scope \\u001b', '/machine-qemu\\x2d1.scope \\u001b'],
  ];
  for (const [text = '', shown] of printed) expect(printable(text)).toBe(shown);
});

test('names that look alike are told apart: an escape in a name, and a letter in two spellings', () => {
  expect(printable('\\u{1b}')).toBe('\\u{5c}u{1b}');
  expect([printable('\u00e9'), printable('e\u0301')]).toEqual(['\u00e9', 'e\\u{301}']);
  expect([printable('\u00c5'), printable('\u212b')]).toEqual(['\u00c5', '\\u{212b}']);
  expect(printable('=\u0338')).toBe('=\\u{338}');
});

test('any text is safe, in one line, and can be read back', () => {
  fc.assert(
    fc.property(fc.oneof(hostileText, fc.constantFrom(...hostileNames)), (text) => {
      const printed = printable(text);
      expect(unsafeIn(printed)).toEqual([]);
      expect(printed).not.toMatch(/[\r\n]/);
      expect(printed.normalize()).toBe(printed);
      expect(readBack(printed)).toBe(text);
    }),
    { numRuns },
  );
});

test('any JSON is safe, and has the same value', () => {
  fc.assert(
    fc.property(hostileText, (text) => {
      const printed = printableJson(JSON.stringify({ [text]: [text] }));
      expect(unsafeIn(printed)).toEqual([]);
      expect(JSON.parse(printed)).toEqual({ [text]: [text] });
    }),
    { numRuns },
  );
});
