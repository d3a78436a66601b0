/**
 * What the program writes. Whatever reaches a terminal passes through here, and is made safe for it.
 *
 * Lines go to standard output in chunks; a slow reader is waited for, and if there is none, printing
 * stops.
 *
 * @module
 */
import type { Writable } from 'node:stream';
import { RequestError } from '../events/ledger-error.ts';
import { printableLine, type Line } from '../words/columns.ts';
import { printableJson } from '../words/printable.ts';
import type { Paint } from '../words/tone.ts';

const CHUNK_LENGTH = 64 * 1024;

/** Printing stops once the reader has closed the pipe (`| head`). */
export interface Output {
  /** Whether people read it: verbs that print JSON lines elsewhere print sentences there. */
  readonly isTerminal: boolean;
  /** Whether the reader was seen to have closed the pipe. */
  readonly isGone: boolean;
  /** Prints lines for people. */
  print(
    lines: Iterable<Line> | AsyncIterable<Line>,
    options?: Pick<PrintOptions, 'toTheEnd'>,
  ): Promise<void>;
  /** Prints JSON: texts without line feeds. */
  printJson(texts: Iterable<string> | AsyncIterable<string>, options?: PrintOptions): Promise<void>;
  /**
   * Writes pieces of a file as they are, with the names that others have chosen. Throws `RequestError` on a
   * terminal, which would obey them.
   */
  write(pieces: Iterable<string> | Iterable<Uint8Array>): Promise<void>;
}

interface PrintOptions {
  /** All texts are taken from the iterable even without a reader, because taking them has effects. */
  readonly toTheEnd?: boolean;
  /** The end of each text; default: a line feed. */
  readonly ending?: string;
}

/**
 * Output to a stream; `before` is called before each chunk. Printing rejects with the system's error
 * if the stream cannot be written to, but not if its reader is gone.
 */
export function outputTo(
  stream: Writable & { readonly isTTY?: boolean },
  paint: Paint,
  before: () => void,
): Output {
  let gone = false;
  // Errors are handled where a chunk is written. Without a listener they would also be thrown.
  stream.on('error', () => {});

  function write(chunk: string | Uint8Array): Promise<void> {
    before();
    return new Promise((resolve, reject) => {
      stream.write(chunk, (error) => {
        if (error == null) return resolve();
        gone = isGone(error);
        if (gone) return resolve();
        error.message = `standard output: ${error.message}`;
        return reject(error);
      });
    });
  }

  async function writeAll<T>(
    items: Iterable<T> | AsyncIterable<T>,
    textOf: (item: T) => string,
    { toTheEnd = false, ending = '\n' }: PrintOptions = {},
  ): Promise<void> {
    let chunk = '';
    try {
      for await (const item of items) {
        if (gone && !toTheEnd) return;
        chunk += textOf(item) + ending;
        if (chunk.length < CHUNK_LENGTH) continue;
        const full = chunk;
        chunk = '';
        if (!gone) await write(full);
      }
    } finally {
      // What came before a failure is printed, too: it may have been recorded.
      if (chunk !== '' && !gone) await write(chunk);
    }
  }

  return {
    isTerminal: stream.isTTY === true,
    get isGone() {
      return gone;
    },
    print: (lines, options) => writeAll(lines, (line) => printableLine(line, paint), options),
    printJson: (texts, options) => writeAll(texts, printableJson, options),
    async write(pieces) {
      if (stream.isTTY === true) {
        throw new RequestError(
          'this is a file, and not for a terminal: write it to one with > FILE',
        );
      }
      for (const chunk of chunksOf(pieces)) {
        if (gone) return;
        await write(chunk);
      }
    },
  };
}

/** Pieces joined to chunks: texts as texts, bytes as bytes. */
function* chunksOf(
  pieces: Iterable<string> | Iterable<Uint8Array>,
): Generator<string | Uint8Array> {
  let text = '';
  let bytes: Uint8Array[] = [];
  let length = 0;
  for (const piece of pieces) {
    length += piece.length;
    if (typeof piece === 'string') text += piece;
    else bytes.push(piece);
    if (length < CHUNK_LENGTH) continue;
    yield text === '' ? Buffer.concat(bytes) : text;
    [text, bytes, length] = ['', [], 0];
  }
  if (length > 0) yield text === '' ? Buffer.concat(bytes) : text;
}

/** Prints lines on standard error, without colour; `before` is called before. */
export function sayTo(
  stream: Pick<Writable, 'write'>,
  before: () => void,
): (...lines: readonly Line[]) => void {
  return (...lines) => {
    before();
    stream.write(lines.map((line) => `${printableLine(line)}\n`).join(''));
  };
}

function isGone(error: Error): boolean {
  return 'code' in error && (error.code === 'EPIPE' || error.code === 'ERR_STREAM_DESTROYED');
}
