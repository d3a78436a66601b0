/**
 * Decompresses Zstandard files with any number of frames.
 *
 * @module
 */
import { createZstdDecompress } from 'node:zlib';

type Decoder = ReturnType<typeof createZstdDecompress>;

/**
 * Decompresses all frames and passes over skippable ones. Node's decoder ends silently after the
 * first frame that ends inside a chunk; pzstd and concatenation write files of several frames.
 */
export async function* unzstd(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let decoded: Uint8Array[] = [];
  const fresh = () => createZstdDecompress().on('data', (part: Uint8Array) => decoded.push(part));
  let decoder = fresh();
  try {
    for await (const chunk of chunks) {
      let rest = await feed(decoder, chunk);
      while (rest.length > 0) {
        decoder = fresh();
        rest = await feed(decoder, rest);
      }
      yield* decoded;
      decoded = [];
    }
    await end(decoder);
    yield* decoded;
  } finally {
    decoder.destroy();
  }
}

/** Resolves to the bytes that the decoder has not taken, because a frame ended before them. */
function feed(decoder: Decoder, chunk: Uint8Array): Promise<Uint8Array> {
  const before = decoder.bytesWritten;
  return settled(decoder, (done) => {
    decoder.once('end', done);
    decoder.write(chunk, done);
  }).then(() => chunk.subarray(decoder.bytesWritten - before));
}

function end(decoder: Decoder): Promise<void> {
  return settled(decoder, (done) => decoder.once('end', done).end());
}

function settled(decoder: Decoder, act: (done: () => void) => void): Promise<void> {
  return new Promise<void>((resolve, reject) => {
    decoder.once('error', reject);
    act(resolve);
  }).finally(() => decoder.removeAllListeners('error').removeAllListeners('end'));
}
