/**
 * Words of a command as a shell takes them.
 *
 * @module
 */
import { printable } from './printable.ts';

/** A word as a shell takes it; as `$'…'`, with its bytes, if it is not printed as it is. */
export function quoted(word: string): string {
  if (/^[\w./:@%+=,-]+$/.test(word)) return word;
  if (printable(word) === word) return `'${word.replaceAll("'", `'\\''`)}'`;
  return `$'${word.replace(/[^ -&(-[\]-~]/gu, bytesOf)}'`;
}

function bytesOf(character: string): string {
  const bytes = [...new TextEncoder().encode(character)];
  return bytes.map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('');
}
