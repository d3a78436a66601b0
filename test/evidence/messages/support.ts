import fc from 'fast-check';
import { expect } from 'vitest';
import { EvidenceError } from '../../../evidence/importer.ts';
import type { Parser, Sighting } from '../../../evidence/sighting.ts';

/** What the lines of a text show; what is null of who and when is left out. */
export function shownBy(parser: Parser, text: string): unknown[] {
  const shown = lines(text).flatMap((line) => parser.line(line));
  return [...shown, ...parser.end()].map(terse);
}

export function lines(text: string): string[] {
  return text.split('\n').filter((line) => line.trim() !== '');
}

function terse(sighting: Sighting): unknown {
  const { tid, pid, comm, at, ...said } = sighting;
  const left = new Set(['isListed', 'clock', 'telling', 'listing']);
  const deed = Object.fromEntries(Object.entries(said).filter(([key]) => !left.has(key)));
  const who = Object.entries({ tid, pid, comm, at }).filter(([, value]) => value !== null);
  return { ...deed, ...Object.fromEntries(who) };
}

/** However a line is changed, it is read or rejected. */
export function surviveMutation(
  parserOf: () => Parser,
  looksLike: (line: string) => boolean,
  samples: readonly string[],
): void {
  const junk = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 8 }),
    fc.constantFrom('"', '\\', '(', ')', '0x', '-1', ' fd=', '/dev/vfio/', ':', "'", '99999999999'),
  );
  const mutated = fc
    .tuple(fc.constantFrom(...samples), fc.nat(), fc.nat({ max: 12 }), junk)
    .map(([line, at, gone, by]) => {
      const from = at % (line.length + 1);
      return line.slice(0, from) + by + line.slice(from + gone);
    });
  fc.assert(
    fc.property(
      fc.array(fc.oneof(mutated, fc.constantFrom(...samples)), { maxLength: 12 }),
      (all) => {
        const parser = parserOf();
        for (const line of all) {
          expect(typeof looksLike(line)).toBe('boolean');
          try {
            for (const { at, pid } of parser.line(line)) {
              expect(at === null || Number.isInteger(at)).toBe(true);
              expect(pid === null || Number.isSafeInteger(pid)).toBe(true);
            }
          } catch (error) {
            expect(error).toBeInstanceOf(EvidenceError);
          }
        }
        parser.end();
      },
    ),
    { numRuns: 300 },
  );
}

/** Lines of a megabyte that have driven pattern matchers to despair. */
export function readLongLines(
  parserOf: () => Parser,
  looksLike: (line: string) => boolean,
  samples: readonly string[],
): void {
  const parts = [
    '\\',
    '"',
    ' ',
    '1',
    '/',
    'open ',
    'group ',
    '[Errno 16] ',
    'a=',
    '1234 ',
    ...samples,
  ];
  const parser = parserOf();
  for (const part of parts) {
    const line = part.repeat(Math.ceil(1_000_000 / part.length));
    looksLike(line);
    try {
      parser.line(line);
    } catch (error) {
      expect(error).toBeInstanceOf(EvidenceError);
    }
  }
}
