/**
 * A queue of the lines of a stream, between the stream and the reader of the lines.
 *
 * @module
 */
import type { Readable } from 'node:stream';
import { LONGEST_LINE } from '../evidence/source.ts';

/** The stream is paused while more lines than these wait. */
const MOST_WAITING = 1 << 16;

export class LineQueue implements AsyncIterable<string> {
  readonly #stream: Readable;
  readonly #see: (line: string) => boolean;
  #lines: string[] = [];
  /** The index in `#lines` of the next one to be taken. */
  #next = 0;
  #rest = '';
  #isOver = false;
  #wake: () => void = () => {};

  /** `see` is given each line as it arrives; the queue takes those for which it returns true. */
  constructor(stream: Readable, see: (line: string) => boolean = () => true) {
    this.#stream = stream;
    this.#see = see;
    stream.setEncoding('utf8');
    stream.on('data', (chunk: string) => this.#arrive(chunk));
    stream.on('close', () => this.#end());
    // An error while reading ends the lines.
    stream.on('error', () => this.#end());
  }

  /** Drops the lines that wait. */
  clear(): void {
    this.#lines = [];
    this.#next = 0;
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

  #arrive(chunk: string): void {
    const lines = (this.#rest + chunk).split('\n');
    this.#rest = (lines.pop() ?? '').slice(0, LONGEST_LINE);
    for (const line of lines) this.#take(line);
    if (this.#lines.length - this.#next > MOST_WAITING) this.#stream.pause();
    this.#wake();
  }

  #take(line: string): void {
    if (this.#see(line)) this.#lines.push(line);
  }

  #end(): void {
    if (this.#isOver) return;
    if (this.#rest !== '') this.#take(this.#rest);
    this.#isOver = true;
    this.#wake();
  }
}
