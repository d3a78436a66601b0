/**
 * The format `text`: output and logs of programs, read for refusals.
 *
 * @module
 */
import type { Parser } from '../sighting.ts';
import { logParser } from './log.ts';
import type { ToldAnywhere } from './told.ts';
import { hasWords } from './program.ts';

export function textParser(told?: ToldAnywhere): Parser {
  return logParser(told);
}

export function looksLikeText(line: string): boolean {
  return hasWords(line);
}
