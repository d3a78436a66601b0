/**
 * Pieces of evidence: text in chunks, read line by line.
 *
 * @module
 */

/** A piece of evidence: its name, for messages, and its text in chunks. */
export interface Source {
  readonly name: string;
  readonly chunks: AsyncIterable<string> | Iterable<string>;
  /** How much of it has been read, from 0 to 1; left out where nobody can say. */
  readonly share?: () => number;
}

/** No line of any format is longer; what is, is cut off there, and cannot be read. */
export const LONGEST_LINE = 1 << 20;

/** The lines of a text, however the chunks fall; line feeds, also with a carriage return before. */
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
