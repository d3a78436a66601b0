/**
 * The format `text`: output and logs of programs, read for refusals.
 *
 * @module
 */
import type { Zero } from '../instants.ts';
import type { Parser } from '../sighting.ts';
import { logParser } from './log.ts';
import { hasWords } from './program.ts';

export function textParser(zero?: Zero): Parser {
  return logParser('program', looksLikeText, zero);
}

export function looksLikeText(line: string): boolean {
  return hasWords(line);
}
