/**
 * Writes lines to standard output in chunks; waits for a slow reader, and stops if there is none.
 *
 * @module
 */
import type { Writable } from 'node:stream';

const CHUNK_LENGTH = 64 * 1024;

export interface Output {
  /**
   * Prints lines. Stops once the reader has closed the pipe (`| head`). With `toTheEnd` all lines are
   * taken from the iterable nevertheless, because taking them has effects.
   */
  print(lines: Lines, options?: PrintOptions): Promise<void>;
}

interface PrintOptions {
  readonly toTheEnd?: boolean;
  /** The end of each line; default: a line feed. */
  readonly ending?: string;
}

export type Lines = Iterable<string> | AsyncIterable<string>;

/**
 * Output to a stream; `before` is called before each chunk. Printing rejects with the system's error
 * if the stream cannot be written to, but not if its reader is gone.
 */
export function outputTo(stream: Writable, before: () => void): Output {
  let gone = false;
  // Errors are handled where a chunk is written. Without a listener they would also be thrown.
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
        // Lines before a failure are printed, too: they may have been recorded.
        if (chunk !== '' && !gone) await write(chunk);
      }
    },
  };
}

function isGone(error: Error): boolean {
  return 'code' in error && (error.code === 'EPIPE' || error.code === 'ERR_STREAM_DESTROYED');
}
