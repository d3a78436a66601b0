/**
 * The tokens of a `--where` expression, and `WhereError` for an expression that cannot be parsed.
 *
 * @module
 */
import { RequestError } from '../../events/ledger-error.ts';

/**
 * An expression that cannot be parsed (`bad-request`); its message says at which column, and why.
 */
export class WhereError extends RequestError {
  override readonly name = 'WhereError';
  /** Of the first wrong character, from 1. */
  readonly column: number;

  constructor(column: number, reason: string) {
    super(`column ${column} of the expression: ${reason}`);
    this.column = column;
  }
}

/** `quoted` is text in quotation marks, stored without them; the last token is `end`. */
export interface Token {
  readonly kind: 'word' | 'quoted' | 'operator' | '(' | ')' | 'end';
  readonly text: string;
  readonly column: number;
}

const LONGEST = 4096;

const blanks = /\s*/y;
const token = /"((?:[^"\\]|\\["\\])*)"|'([^']*)'|([=!<>~]+)|([()])|([^\s"'()=!<>~]+)|$/y;

/** Throws `WhereError` for an unclosed quotation mark, and for more than 4096 characters. */
export function tokensOf(text: string): Token[] {
  if (text.length > LONGEST) {
    throw new WhereError(LONGEST + 1, `an expression has at most ${LONGEST} characters`);
  }
  const tokens: Token[] = [];
  for (let at = 0; tokens.at(-1)?.kind !== 'end'; at = token.lastIndex) {
    blanks.lastIndex = at;
    blanks.test(text);
    const begin = blanks.lastIndex;
    token.lastIndex = begin;
    const found = token.exec(text);
    if (found === null) throw new WhereError(begin + 1, unclosed(text.charAt(begin)));
    tokens.push({ ...read(found), column: begin + 1 });
  }
  return tokens;
}

function read([, double, single, operator, parenthesis, word]: RegExpExecArray): Omit<
  Token,
  'column'
> {
  if (double !== undefined) return { kind: 'quoted', text: double.replace(/\\(.)/g, '$1') };
  if (single !== undefined) return { kind: 'quoted', text: single };
  if (operator !== undefined) return { kind: 'operator', text: operator };
  if (parenthesis !== undefined) return { kind: parenthesis as '(' | ')', text: parenthesis };
  return word === undefined ? { kind: 'end', text: '' } : { kind: 'word', text: word };
}

function unclosed(mark: string): string {
  return mark === '"'
    ? `the text that begins here is not closed, or has a \\ that is not \\" or \\\\`
    : 'the text that begins here is not closed';
}

/** The name of a token in messages. */
export function named({ kind, text }: Token): string {
  if (kind === 'end') return 'the end';
  return kind === 'quoted' ? JSON.stringify(text) : `'${text}'`;
}
