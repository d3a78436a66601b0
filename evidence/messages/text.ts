/**
 * The format `text`: output and logs of programs, read for refusals.
 *
 * @module
 */
import type { Parser } from '../sighting.ts';
import { hasWords, logParser } from './log.ts';

export function textParser(): Parser {
  return logParser();
}

export function looksLikeText(line: string): boolean {
  return hasWords(line);
}
