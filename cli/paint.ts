/**
 * Colour, where a person looks on, and only for what should catch the eye.
 *
 * @module
 */
import { styleText } from 'node:util';
import type { Paint } from '../words/tone.ts';

const formats = { heading: 'dim', refusal: 'red', unknown: 'yellow' } as const;

/** Paints for a terminal that shows colours; otherwise, and with NO_COLOR, leaves text as it is. */
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
