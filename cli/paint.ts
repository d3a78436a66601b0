/**
 * Colours headings, refusals and unknowns on a terminal.
 *
 * @module
 */
import { styleText } from 'node:util';
import type { Paint } from '../words/tone.ts';

const formats = { heading: 'dim', refusal: 'red', unknown: 'yellow' } as const;

/** A `Paint` for a terminal. Without one, with NO_COLOR or with TERM=dumb it leaves text as it is. */
export function paintFor(
  stream: { readonly isTTY?: boolean },
  env: Readonly<Record<string, string | undefined>>,
): Paint {
  const isPlain = stream.isTTY !== true || Boolean(env['NO_COLOR']) || env['TERM'] === 'dumb';
  return (text, tone) => {
    if (isPlain || tone === 'plain' || text === '') return text;
    return styleText(formats[tone], text, { validateStream: false });
  };
}
