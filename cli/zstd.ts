/**
 * Decompresses Zstandard files with any number of frames, no faster than the result is read.
 *
 * @module
 */
import { constants, createZstdDecompress } from 'node:zlib';

/**
 * What decoders keep to repeat it, in bytes, as powers of two: all of them together at most, and each
 * at least, as RFC 8878 recommends.
 */
const MOST_KEPT = 27;
const LEAST_KEPT = 23;

/** The size in bytes of the pieces in which decompressed data comes. */
const PIECE = 1 << 16;

/**
 * Decompresses all frames and passes over skippable ones. Node's decoder ends silently after the
 * first frame that ends inside a chunk; pzstd and concatenation write files of several frames.
 *
 * `together`: how many files are decompressed at the same time.
 */
export async function* unzstd(
  chunks: AsyncIterable<Uint8Array>,
  together = 1,
): AsyncGenerator<Uint8Array> {
  const windowLog = Math.max(LEAST_KEPT, MOST_KEPT - Math.ceil(Math.log2(together)));
  let decoder = new Decoder(windowLog);
  try {
    for await (const chunk of chunks) {
      let rest = yield* decoder.take(chunk);
      while (rest.length > 0) {
        decoder = new Decoder(windowLog);
        rest = yield* decoder.take(rest);
      }
    }
    yield* decoder.end();
  } finally {
    decoder.close();
  }
}

/** Decompresses chunk by chunk: it waits while what it has decompressed is not taken. */
class Decoder {
  readonly #stream: ReturnType<typeof createZstdDecompress>;
  /** Whether a frame has ended inside a chunk, or the input is over. */
  #isOver = false;
  #error: Error | null = null;
  #wake: () => void = () => {};

  constructor(windowLog: number) {
    const params = { [constants.ZSTD_d_windowLogMax]: windowLog };
    this.#stream = createZstdDecompress({ chunkSize: PIECE, params });
    this.#stream.on('readable', () => this.#wake());
    this.#stream.on('end', () => {
      this.#isOver = true;
      this.#wake();
    });
    this.#stream.on('error', (error) => this.#fail(error));
  }

  /** Gives what a chunk decompresses to, and returns the bytes behind the frame that has ended in it. */
  async *take(chunk: Uint8Array): AsyncGenerator<Uint8Array, Uint8Array> {
    const before = this.#stream.bytesWritten;
    let isTaken = false;
    this.#stream.write(chunk, (error) => {
      isTaken = true;
      if (error == null) this.#wake();
      else this.#fail(error);
    });
    yield* this.#decompressed(() => isTaken);
    return chunk.subarray(this.#stream.bytesWritten - before);
  }

  /** Ends the input, and gives what is left. Throws if a frame has not ended. */
  async *end(): AsyncGenerator<Uint8Array> {
    this.#stream.end();
    yield* this.#decompressed(() => false);
  }

  close(): void {
    this.#stream.destroy();
  }

  async *#decompressed(isDone: () => boolean): AsyncGenerator<Uint8Array> {
    for (;;) {
      for (let part = this.#read(); part !== null; part = this.#read()) yield part;
      if (this.#error !== null) throw this.#error;
      if (this.#isOver || isDone()) return;
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  #read(): Uint8Array | null {
    return this.#stream.read() as Uint8Array | null;
  }

  #fail(error: Error): void {
    this.#error ??= error;
    this.#wake();
  }
}
