/**
 * A text split into lines: the least that any reader of it does.
 *
 * @module
 */

const CHUNK = 1 << 16;

/** The chunks that a file of these lines is read in. */
export function chunksOf(lines: Iterable<string>): readonly string[] {
  const text = [...lines].join('');
  const chunks: string[] = [];
  for (let at = 0; at < text.length; at += CHUNK) chunks.push(text.slice(at, at + CHUNK));
  return chunks;
}

/** How many lines there are, each of them as a string of its own. */
export function splitOf(chunks: readonly string[]): number {
  let count = 0;
  let rest = '';
  for (const chunk of chunks) {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    count += lines.length;
  }
  return count;
}
