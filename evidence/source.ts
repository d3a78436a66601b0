/**
 * A source of evidence: text in chunks, which `linesOf` splits into lines.
 *
 * @module
 */

/** A source of evidence: its name, for messages and events, and its text. */
export interface Source {
  readonly name: string;
  readonly chunks: AsyncIterable<string> | Iterable<string>;
  /** The share that has been read, from 0 to 1; left out if unknown. */
  readonly share?: () => number;
}

/** The longest line of any format, in characters. A longer one is rejected. */
export const LONGEST_LINE = 1 << 20;

/** Splits text into lines at LF or CRLF. A chunk may end anywhere. */
export async function* linesOf(chunks: Source['chunks']): AsyncGenerator<readonly string[]> {
  let rest = '';
  for await (const chunk of chunks) {
    const first = chunk.indexOf('\n');
    if (first < 0) {
      if (rest.length < LONGEST_LINE) rest += chunk;
      continue;
    }
    const lines = chunk.split('\n');
    lines[0] = rest + chunk.slice(0, first);
    rest = lines.pop() ?? '';
    if (chunk.includes('\r')) {
      yield lines.map((line) => (line.endsWith('\r') ? line.slice(0, -1) : line));
    } else yield lines;
  }
  if (rest !== '') yield [rest.endsWith('\r') ? rest.slice(0, -1) : rest];
}
