/**
 * Makes text safe for a terminal: names from evidence may hold any character.
 *
 * Text for people passes through `printable` once, where it leaves the program (`cli/output.ts`) or
 * the library (`explain`, `describe`). Everywhere else names are as they were recorded.
 *
 * @module
 */

/**
 * What a terminal obeys or does not show: control and format characters, marks of direction, halves of
 * surrogate pairs, private and unassigned characters, characters without a glyph, blanks other than
 * the space, marks that have no letter before them. Also a backslash that would read as an escape.
 */
const unprintable =
  /[\p{C}\p{Me}\p{Default_Ignorable_Code_Point}\u2800]|(?! )\p{Z}|(?<![\p{L}\p{M}])\p{M}|\\(?=u\{)/gu;

/** Of JSON text: what a terminal obeys or does not show. JSON itself escapes the other controls. */
const unprintableInJson = /[\p{C}\p{Default_Ignorable_Code_Point}\u2800]|(?! )\p{Z}/gu;

/** Characters beyond ASCII, with the character before them, with which the first may combine. */
const beyondAscii = /[^]?\P{ASCII}+/gu;

/**
 * The text in one line, with an escape such as `\u{1b}` for each character that a terminal obeys or
 * does not show. Different texts stay different, also for the eye: of two spellings of one character
 * (Unicode normalization), only the composed one is printed as it is.
 */
export function printable(text: string): string {
  if (/^[ -[\]-~]*$/.test(text)) return text;
  return text
    .replace(unprintable, escaped)
    .replace(beyondAscii, (part) =>
      part === part.normalize() ? part : part.replace(/\P{ASCII}/gu, escaped),
    );
}

/** JSON text of one line, with `\uXXXX` for such characters: it has the same value. */
export function printableJson(json: string): string {
  if (/^[ -~]*$/.test(json)) return json;
  return json.replace(unprintableInJson, (character) =>
    character
      .split('')
      .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
      .join(''),
  );
}

function escaped(character: string): string {
  return `\\u{${character.codePointAt(0)?.toString(16)}}`;
}
