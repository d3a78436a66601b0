/**
 * Messages that a terminal or a mail has broken into two lines.
 *
 * @module
 */
import { plain } from '../wrappers/escapes.ts';
import { looksLikeDevices } from './device-listing.ts';
import { errnoIn } from './errnos.ts';
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
 * The messages that two lines may be. `rest` is the second line without quote marks and indentation.
 * `isCutOff`: the first one surely goes on.
 *
 * What was written apart is not put together: the second line may not begin like a message of its own,
 * and the break is within an errno, unless the first line is cut off or fills a terminal.
 */
export function joined(first: string, second: string, rest: string, isCutOff: boolean): string[] {
  const isMessage = /^[\w./-]{2,64}(?:\[\d+\])?: /.test(rest);
  if (rest === '' || (isMessage && hasWords(rest)) || isRow(second)) return [];
  const isFull = fillsTerminal(first) && mayFill(first, second, rest);
  const blanks = second.startsWith(' ') && !first.endsWith(' ') ? [' '] : ['', ' '];
  return blanks
    .filter((blank) => {
      if (breaksErrno(first, blank, rest)) return true;
      if (isMessage && !rest.startsWith('/')) return false;
      return isCutOff || (isFull && blank === blanks[0]);
    })
    .map((blank) => first + blank + rest);
}

/** A row of a listing says all by itself; a terminal goes on at the margin. */
function isRow(second: string): boolean {
  return second.startsWith('\t') || looksLikeDevices(second);
}

/** A terminal breaks within a word, and no word goes on with a capital. */
function mayFill(first: string, second: string, rest: string): boolean {
  if (first.endsWith(' ') || second.startsWith(' ')) return true;
  return !/[a-z\d]$/.test(first) || !/^[A-Z]/.test(rest);
}

function breaksErrno(first: string, blank: string, rest: string): boolean {
  const tail = plain(first).slice(-60);
  const found = errnoIn(tail + blank + rest);
  return errnoIn(tail) === null && found !== null && found.at < tail.length;
}
