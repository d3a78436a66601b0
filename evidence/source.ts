/**
 * A source of evidence: text in chunks, which become blocks of lines.
 *
 * No source is kept in memory: of a line that is too long, only the beginning is. A block is not kept
 * either, but a part of its text keeps all of it alive in V8: what stays is `copied`.
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

/** The longest line of any format, in characters: 1 MiB. A longer one is rejected. */
export const LONGEST_LINE = 1 << 20;
/** Why a longer line is rejected. */
export const TOO_LONG = 'the line is longer than 1 MiB';

/** The most characters of a chunk that are looked at together. */
const PIECE = 1 << 18;

/** Joins chunks to blocks of whole lines. A chunk may end anywhere. */
export class LineBlocks {
  readonly #longest: number;
  #rest = '';

  /** Of a line with more than `longest` characters, it gives at least that many and one, or all. */
  constructor(longest = LONGEST_LINE) {
    this.#longest = longest;
  }

  /** The whole lines that a chunk completes; '' if it completes none. */
  take(chunk: string): string {
    const end = chunk.lastIndexOf('\n') + 1;
    if (end === 0) {
      if (this.#rest.length <= this.#longest) this.#rest += chunk;
      return '';
    }
    const block = this.#rest + chunk.slice(0, end);
    this.#rest = chunk.slice(end);
    return block;
  }

  /** The last line, if it has no end. */
  end(): string {
    const rest = this.#rest;
    this.#rest = '';
    return rest;
  }
}

/** Joins chunks to blocks of whole lines. The last line may have no end. */
export async function* blocksOf(
  chunks: Source['chunks'],
  blocks = new LineBlocks(),
): AsyncGenerator<string> {
  for await (const chunk of chunks) {
    for (let at = 0; at < chunk.length; at += PIECE) {
      const block = blocks.take(chunk.slice(at, at + PIECE));
      if (block !== '') yield block;
    }
  }
  const rest = blocks.end();
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

/** The shortest text that V8 makes a part of another text, which it then keeps in memory. */
const SHORTEST_PART = 13;

/** The same text, without the text that it was cut out of. */
export function copied(text: string): string {
  // V8 joins the two in memory of their own when a part of both is asked for.
  return text.length < SHORTEST_PART ? text : ` ${text}`.slice(1);
}
