/**
 * A queue of the lines of a stream, between the stream and the reader of the lines.
 *
 * @module
 */
import type { Readable } from 'node:stream';
import { LineBlocks, linesOf } from '../evidence/source.ts';

/** The stream is paused while more lines, or characters, than these wait. */
const MOST_WAITING = 1 << 16;
const MOST_TEXT = 1 << 24;

export class LineQueue implements AsyncIterable<string> {
  readonly #stream: Readable;
  readonly #see: (line: string) => boolean;
  readonly #blocks = new LineBlocks();
  #lines: string[] = [];
  /** The index in `#lines` of the next one to be taken. */
  #next = 0;
  /** The number of characters in `#lines`. */
  #text = 0;
  #isOver = false;
  #wake: () => void = () => {};

  /** `see` is given each line as it arrives; the queue takes those for which it returns true. */
  constructor(stream: Readable, see: (line: string) => boolean = () => true) {
    this.#stream = stream;
    this.#see = see;
    stream.setEncoding('utf8');
    stream.on('data', (chunk: string) => this.#arrive(this.#blocks.take(chunk)));
    stream.on('close', () => this.#end());
    // An error while reading ends the lines.
    stream.on('error', () => this.#end());
  }

  /** Drops the lines that wait. */
  clear(): void {
    this.#lines = [];
    this.#next = 0;
    this.#text = 0;
    if (!this.#isOver) this.#stream.resume();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<string> {
    for (;;) {
      while (this.#next < this.#lines.length) yield this.#lines[this.#next++] ?? '';
      this.clear();
      if (this.#isOver) return;
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  #arrive(block: string): void {
    if (block === '') return;
    for (const line of linesOf(block)) this.#take(line);
    const isFull = this.#lines.length - this.#next > MOST_WAITING || this.#text > MOST_TEXT;
    if (isFull) this.#stream.pause();
    this.#wake();
  }

  #take(line: string): void {
    if (!this.#see(line)) return;
    this.#lines.push(line);
    this.#text += line.length;
  }

  #end(): void {
    if (this.#isOver) return;
    this.#arrive(this.#blocks.end());
    this.#isOver = true;
    this.#wake();
  }
}
