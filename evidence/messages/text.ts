/**
 * The format `text`: output and logs of programs, read for refusals.
 *
 * @module
 */
import type { Parser } from '../sighting.ts';
import { logParser } from './log.ts';
import { hasWords } from './program.ts';

export function textParser(): Parser {
  return logParser();
}

export function looksLikeText(line: string): boolean {
  return hasWords(line);
}
