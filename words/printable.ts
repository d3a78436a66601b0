/**
 * Makes text from evidence safe for a terminal: names may contain any character.
 *
 * @module
 */

/** The text with every control and format character as an escape: `\u{1b}`. */
export function printable(text: string): string {
  return text.replace(
    /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu,
    (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`,
  );
}

/** A value as one word; quoted if it has blanks or would read as null, a boolean or `key=value`. */
export function word(value: unknown): string {
  if (typeof value !== 'string') return printable(JSON.stringify(value));
  const plain = /^[^\s"=]+$/u.test(value) && !/^(null|true|false)$/.test(value);
  return printable(plain ? value : JSON.stringify(value));
}
