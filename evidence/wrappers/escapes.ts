/**
 * Escapes in text: colours of a terminal, and quotes of quotes.
 *
 * @module
 */

const ESCAPE = '\u001b';

// oxlint-disable-next-line no-control-regex
const colour = /(?:\u001b|\\{1,16}(?:u001b|x1b|033)|#033)\[[\d;]{0,16}[mK]/gi;

const escapes: readonly (readonly [RegExp, string])[] = [
  [colour, ''],
  [/\\{1,16}n/g, '\n'],
  [/\\{1,16}t/g, ' '],
  [/\\{1,16}(["'/])/g, '$1'],
  [/&quot;|&#34;/g, '"'],
  [/&apos;|&#39;/g, "'"],
];

/** A text without colours. */
export function withoutColours(text: string): string {
  const mayHave = text.includes(ESCAPE) || /(?:033|1b)\[/i.test(text);
  return mayHave ? text.replace(colour, '') : text;
}

/** A text without colours and without the escapes of any number of quotings. */
export function plain(text: string): string {
  return escapes.reduce((rest, [pattern, by]) => rest.replace(pattern, by), text);
}
