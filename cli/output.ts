/**
 * Standard output: lines gathered into chunks, with regard for readers that are slow or gone.
 *
 * @module
 */
import type { Writable } from 'node:stream';

const CHUNK_LENGTH = 64 * 1024;

export interface Output {
  /**
   * Prints lines. Stops when nobody reads any more (`| head`), unless the
   * lines are to be taken to the end because taking them does something.
   */
  print(lines: Lines, options?: PrintOptions): Promise<void>;
}

interface PrintOptions {
  readonly toTheEnd?: boolean;
  /** What ends each line, a line feed when left out. */
  readonly ending?: string;
}

export type Lines = Iterable<string> | AsyncIterable<string>;

/**
 * Output to a stream; `before` is called ahead of each chunk. Printing rejects with the system's
 * error where the stream cannot be written to, but not for want of a reader.
 */
export function outputTo(stream: Writable, before: () => void): Output {
  let gone = false;
  // Failures are handled where the chunk is written; without a listener they would be thrown, too.
  stream.on('error', () => {});

  function write(chunk: string): Promise<void> {
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

  return {
    async print(lines, { toTheEnd = false, ending = '\n' } = {}) {
      let chunk = '';
      try {
        for await (const line of lines) {
          if (gone && !toTheEnd) return;
          chunk += line + ending;
          if (chunk.length < CHUNK_LENGTH) continue;
          const full = chunk;
          chunk = '';
          if (!gone) await write(full);
        }
      } finally {
        // Also what came before a failure: it may have been recorded.
        if (chunk !== '' && !gone) await write(chunk);
      }
    },
  };
}

function isGone(error: Error): boolean {
  return 'code' in error && (error.code === 'EPIPE' || error.code === 'ERR_STREAM_DESTROYED');
}
