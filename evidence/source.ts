/**
 * A source of evidence: text in chunks, which become blocks of lines.
 *
 * @module
 */

/** A source of evidence: its name, for messages and events, and its text. */
export interface Source {
  readonly name: string;
  readonly chunks: AsyncIterable<string> | Iterable<string>;
  /** The share that has been read, from 0 to 1; left out if unknown. */
  readonly share?: () => number;
  /** When its listings without a time were made; left out: as the options of the import say. */
  readonly taken?: string;
}

/** The longest line of any format, in characters. A longer one is rejected. */
export const LONGEST_LINE = 1 << 20;

/** Joins chunks to blocks of whole lines. A chunk may end anywhere; the last line may have no end. */
export async function* blocksOf(chunks: Source['chunks']): AsyncGenerator<string> {
  let rest = '';
  for await (const chunk of chunks) {
    const end = chunk.lastIndexOf('\n') + 1;
    if (end === 0) {
      if (rest.length < LONGEST_LINE) rest += chunk;
      continue;
    }
    yield rest + chunk.slice(0, end);
    rest = chunk.slice(end);
  }
  if (rest !== '') yield rest;
}

/** Splits a block into lines at LF or CRLF. */
export function linesOf(block: string): readonly string[] {
  const lines = block.split('\n');
  if (lines.at(-1) === '') lines.pop();
  if (!block.includes('\r')) return lines;
  return lines.map((line) => (line.endsWith('\r') ? line.slice(0, -1) : line));
}

/** The number of lines of a block. */
export function countLines(block: string): number {
  let count = 0;
  for (let at = block.indexOf('\n'); at >= 0; at = block.indexOf('\n', at + 1)) count++;
  return block.endsWith('\n') ? count : count + 1;
}
