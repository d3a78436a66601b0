/**
 * Text of others made fit for a terminal: evidence may hold any character in any name.
 *
 * @module
 */

/** The text with every character that is none to be seen written as an escape: `\u{1b}`. */
export function printable(text: string): string {
  return text.replace(
    /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu,
    (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`,
  );
}

/** A value as one word: quoted where it holds blanks, or would read as something else. */
export function word(value: unknown): string {
  if (typeof value !== 'string') return printable(JSON.stringify(value));
  const plain = /^[^\s"=]+$/u.test(value) && !/^(null|true|false)$/.test(value);
  return printable(plain ? value : JSON.stringify(value));
}
