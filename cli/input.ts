/**
 * Reads files and standard input as text, and decompresses gzip and zstd.
 *
 * @module
 */
import { createReadStream, statSync } from 'node:fs';
import { pipeline, Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import type { Source } from '../evidence/source.ts';
import { EvidenceError } from '../evidence/importer.ts';
import { RequestError } from '../ledger.ts';
import { unzstd } from './zstd.ts';

/**
 * The input that an operand names; `-` is standard input. A file is opened when it is read. `together`:
 * how many of them are read at the same time.
 */
export function sourceOf(operand: string, stdin: Readable, together = 1): Source {
  const size = sizeOf(operand);
  let taken = 0;
  const counted = (bytes: number) => void (taken += bytes);
  return {
    name: nameOf(operand),
    chunks: textOf(operand, stdin, { counted, together }),
    ...(size > 0 && { share: () => Math.min(taken / size, 1) }),
  };
}

/** The size of a file in bytes; 0 if it does not exist or is not a regular file. */
function sizeOf(operand: string): number {
  if (operand === '-') return 0;
  const found = statSync(operand, { throwIfNoEntry: false });
  return found?.isFile() === true ? found.size : 0;
}

/** Throws `RequestError` if standard input is named twice: it can be read only once. */
export function checkInputs(operands: readonly string[]): void {
  if (operands.filter((operand) => operand === '-').length < 2) return;
  throw new RequestError("'-' is standard input and can be given only once");
}

/** The most characters of a text that is read as a whole. */
const LONGEST_TEXT = 1 << 24;

/**
 * The whole text, or the text up to a chunk after which `isEnough`. Rejects with `RequestError` if the
 * file is missing, its compression is broken, or the text is longer than 16 MiB.
 */
export async function readText(
  operand: string,
  stdin: Readable,
  isEnough: (text: string) => boolean = () => false,
): Promise<string> {
  let text = '';
  try {
    for await (const chunk of textOf(operand, stdin)) {
      text += chunk;
      if (text.length > LONGEST_TEXT) throw new EvidenceError('it is longer than 16 MiB');
      if (isEnough(text)) break;
    }
  } catch (error) {
    if (!(error instanceof EvidenceError)) throw error;
    throw new RequestError(`${nameOf(operand)}: ${error.message}`);
  }
  return text;
}

/** The name of an operand in messages. */
export function nameOf(operand: string): string {
  return operand === '-' ? 'stdin' : operand;
}

async function* textOf(
  operand: string,
  stdin: Readable,
  {
    counted = () => {},
    together = 1,
  }: { readonly counted?: (bytes: number) => void; readonly together?: number } = {},
): AsyncGenerator<string> {
  const bytes: AsyncIterable<Uint8Array> =
    operand === '-' ? stdin : createReadStream(operand, { highWaterMark: 1 << 18 });
  const decoder = new TextDecoder();
  try {
    for await (const chunk of decompressed(countedOf(bytes, counted), together)) {
      const text = decoder.decode(chunk, { stream: true });
      if (text.startsWith('SQLite format 3\0')) {
        throw new EvidenceError('it is an SQLite file; of a log, import what export prints');
      }
      yield text;
    }
  } catch (error) {
    throw inputError(error, operand);
  }
  yield decoder.decode();
}

async function* countedOf(
  chunks: AsyncIterable<Uint8Array>,
  counted: (bytes: number) => void,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    counted(chunk.length);
    yield chunk;
  }
}

function inputError(error: unknown, operand: string): unknown {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (code === 'ENOENT' || code === 'ENOTDIR') return new RequestError(`${operand}: no such file`);
  if (code === 'EISDIR') return new RequestError(`${nameOf(operand)}: is a directory`);
  if (!/^(Z_|ZSTD_)/.test(code)) return error;
  if (code.endsWith('windowTooLarge')) {
    return new EvidenceError(
      'it takes too much memory to decompress: import what zstd -dc --long=31 prints of it',
    );
  }
  return new EvidenceError(`the compressed data is broken: ${(error as Error).message}`);
}

async function* decompressed(
  stream: AsyncIterable<Uint8Array>,
  together: number,
): AsyncGenerator<Uint8Array> {
  const chunks = stream[Symbol.asyncIterator]();
  let head: Uint8Array = new Uint8Array();
  while (head.length < 4) {
    const { done, value } = await chunks.next();
    if (done === true) break;
    head = Buffer.concat([head, value]);
  }
  const whole = { [Symbol.asyncIterator]: () => withHead(head, chunks) };
  if (head[0] === 0x1f && head[1] === 0x8b) yield* gunzipped(whole);
  else if (isZstd(head)) yield* unzstd(whole, together);
  else yield* whole;
}

/** Whether it begins with the magic number of a zstd frame, which may be a skippable one. */
function isZstd(head: Uint8Array): boolean {
  if (head.length < 4) return false;
  const magic = new DataView(head.buffer, head.byteOffset).getUint32(0, true);
  return magic === 0xfd2fb528 || magic >>> 4 === 0x184d2a5;
}

async function* withHead(
  head: Uint8Array,
  rest: AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  try {
    if (head.length > 0) yield head;
    yield* { [Symbol.asyncIterator]: () => rest };
  } finally {
    await rest.return?.();
  }
}

function gunzipped(chunks: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  const decoder = createGunzip({ chunkSize: 1 << 16 });
  // An error of either stream is thrown to the reader of the decoder.
  pipeline(Readable.from(chunks), decoder, () => {});
  return decoder;
}
