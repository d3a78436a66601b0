/**
 * The most memory that an import takes of evidence that is larger than memory: a stream of strace, zeros
 * that were compressed, and a line without an end. None of it is kept on disk.
 *
 * @module
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { zstdCompressSync } from 'node:zlib';
import type { Figure } from './figure.ts';
import { type Measurement, measurement } from './measurement.ts';
import { straceLines } from './strace-lines.ts';

/** Of MB. */
const LIMIT = 300;
const GB = 1e9;
/** Characters that are written together, at least. */
const BLOCK = 1 << 16;
/** Zeros of a frame of zstd: more frames follow each other in a file. */
const FRAME = 64e6;

interface Evidence {
  readonly what: string;
  /** Bytes in a full run. */
  readonly bytes: number;
  readonly chunks: (bytes: number) => Iterable<Uint8Array | string>;
  /** How the import ends. */
  readonly exit: 0 | 2;
}

const all: readonly Evidence[] = [
  { what: 'a stream of strace', bytes: 2 * GB, chunks: strace, exit: 0 },
  { what: 'zeros in zstd', bytes: 4 * GB, chunks: zeros, exit: 2 },
  { what: 'one line', bytes: GB, chunks: oneLine, exit: 2 },
];

export const evidenceMemory: Figure = async ({ effort, folder, progress }) => {
  const taken: Measurement[] = [];
  for (const [index, { what, bytes, chunks, exit }] of all.entries()) {
    const size = Math.ceil(bytes * effort.load);
    progress(`${what} of ${sizeText(size)}`);
    const peak = await peakOf(join(folder, `${index}.ledger`), chunks(size), exit);
    const figure = `memory at most, import of ${what}, ${sizeText(size)}`;
    taken.push(measurement({ figure, unit: 'MB', ours: [peak], beside: LIMIT }));
  }
  return taken;
};

function sizeText(bytes: number): string {
  return bytes < GB ? `${Math.round(bytes / 1e6)} MB` : `${bytes / GB} GB`;
}

/** Calls without VFIO but for a few, in blocks of lines. */
function* strace(bytes: number): Generator<string> {
  let [given, block] = [0, ''];
  for (const line of straceLines(Infinity)) {
    block += line;
    if (block.length < BLOCK) continue;
    yield block;
    given += block.length;
    if (given >= bytes) return;
    block = '';
  }
}

function* zeros(bytes: number): Generator<Uint8Array> {
  const frame = zstdCompressSync(Buffer.alloc(FRAME));
  for (let given = 0; given < bytes; given += FRAME) yield frame;
}

function* oneLine(bytes: number): Generator<Uint8Array> {
  const chunk = Buffer.alloc(BLOCK, 'x');
  for (let given = 0; given < bytes; given += BLOCK) yield chunk;
}

const MAIN = fileURLToPath(new URL('../cli/main.ts', import.meta.url));

/** The peak of a process itself: `getrusage` would count that of its parent before the exec, too. */
const tell = `data:text/javascript,${encodeURIComponent(`
  import { readFileSync } from 'node:fs';
  process.on('exit', () => {
    const status = readFileSync('/proc/self/status', 'latin1');
    process.stderr.write('\\npeak ' + /VmHWM:\\s*(\\d+) kB/.exec(status)[1]);
  });`)}`;

/** In MB, of an import from standard input, which it may leave unread. */
async function peakOf(
  log: string,
  chunks: Iterable<Uint8Array | string>,
  exit: number,
): Promise<number> {
  const child = spawn(process.execPath, ['--import', tell, MAIN, 'import', '--log', log, '-'], {
    stdio: ['pipe', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
  const ended = once(child, 'close');
  await pipeline(Readable.from(chunks, { objectMode: true }), child.stdin).catch(() => {});
  const [code] = (await ended) as [number | null];
  if (code !== exit) throw new Error(`import ended with ${code}: ${said}`);
  const [, kilobytes] = said.split('\npeak ');
  return (Number(kilobytes) * 1024) / 1e6;
}
