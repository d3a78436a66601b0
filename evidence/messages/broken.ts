/**
 * Messages that a terminal or a mail has broken into two lines.
 *
 * @module
 */
import { plain } from '../wrappers/escapes.ts';
import { hasWords } from './program.ts';
import { NODE } from './names.ts';
import { speaksOfRefusals } from './refusals.ts';

/** Narrower terminals are rare. */
const NARROWEST = 60;
/** The usual widths of terminals. */
const WIDTHS: readonly number[] = [80, 100, 120, 132];

const node = new RegExp(NODE);

/** Whether a line is as long as a terminal is wide: only the next one tells whether it ends here. */
export function fillsTerminal(text: string): boolean {
  return WIDTHS.includes(text.length);
}

/** Whether a line that says nothing by itself may be the first part of a message. */
export function mayBreakOff(text: string): boolean {
  if (text.length < NARROWEST) return false;
  const words = plain(text);
  return node.test(words) || speaksOfRefusals(words) || /vfio/i.test(words);
}

/**
 * Whether a line may be the rest of the message that `first` begins: it says nothing by itself, and no
 * program begins it. After a line that fills a terminal, one of the two is enough.
 */
export function mayContinue(first: string, text: string): boolean {
  if (text === '') return false;
  const isBegun = /^[\w./-]{2,64}(?:\[\d+\])?: /.test(text);
  if (fillsTerminal(first)) return !isBegun || !hasWords(text);
  return !isBegun && !hasWords(text);
}
