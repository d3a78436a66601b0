/**
 * Names that people give to a domain, a VM or an instance, as messages print them. They may have blanks.
 *
 * @module
 */

/** Longer names are none. */
const LONGEST_NAME = 256;

const quoted = /^(?:'(.+?)'|"(.+?)"|`(.+?)`|[‘‚](.+?)[’‘]|[“„«](.+?)[”“»])(?=$|[\s:;,.)\]}'"])/;
/** What ends a name without quotes. */
const end = /["`\n]|'(?=$|[)\]},;:"'])|[;,:]\s|\.\s+[A-Z]|\s+at \/|\s->/;

/**
 * The name that begins at an index of a text: in quotes, or up to the end of the line, of the statement
 * or of the parenthesis around it. Null: there is none.
 */
export function nameAt(text: string, at: number): string | null {
  const rest = text.slice(at, at + LONGEST_NAME + 64);
  const inQuotes = quoted
    .exec(rest)
    ?.slice(1)
    .find((name) => name !== undefined);
  const name = inQuotes ?? withinParenthesis(rest.split(end, 1)[0] ?? '');
  const trimmed = name.trim().replace(/\.$/, '');
  return trimmed === '' || trimmed.length > LONGEST_NAME ? null : trimmed;
}

/** A text up to the end of the parenthesis around it, or of the one that it begins with. */
function withinParenthesis(text: string): string {
  const begin = text.startsWith('(') ? 1 : 0;
  let depth = 0;
  for (let index = begin; index < text.length; index++) {
    if (text[index] === '(') depth++;
    else if (text[index] === ')' && depth-- === 0) return text.slice(begin, index);
  }
  return text.slice(begin);
}
