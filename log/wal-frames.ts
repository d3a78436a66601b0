/**
 * What SQLite passes over in a `-wal`: it takes the first frame whose checksum is wrong for the end, as
 * after a crash, and forgets the transactions behind it. A crash leaves at most one of these half
 * written, because the next one begins only after the last one is on disk.
 *
 * https://sqlite.org/fileformat2.html#the_write_ahead_log
 *
 * @module
 */
import { closeSync, openSync, readSync } from 'node:fs';

const HEADER_SIZE = 32;
const FRAME_HEADER_SIZE = 24;
const READ_SIZE = 1 << 18;

/** Two running sums. Each is a 32-bit number, signed: arithmetic with these is faster. */
type Checksum = readonly [number, number];

interface WalHeader {
  readonly pageSize: number;
  /** Whether checksums read numbers as little-endian. */
  readonly isLittle: boolean;
  /** Two numbers that each frame of this generation has. */
  readonly salts: string;
  readonly sum: Checksum;
}

interface WalFrame {
  readonly isCommit: boolean;
  readonly salts: string;
  /** As it is stored. */
  readonly sum: Checksum;
  /** The sum of this frame after that of another one. */
  readonly sumAfter: (before: Checksum) => Checksum;
}

/** Where the frames end that SQLite reads, and what is behind. */
interface WalEnd {
  /** The number of frames that SQLite reads. */
  readonly frames: number;
  /** Transactions behind these that were committed. */
  readonly commits: number;
}

/**
 * The number of transactions that were committed to a `-wal`, but cannot be read because something before
 * them was changed; 0 if the file is as SQLite leaves it, also after a crash. Infinity: its header was
 * changed, so no frame can be read. Throws the errors of the file system.
 */
export function lostCommits(wal: string): number {
  const seen = endingOf(wal);
  if (seen.commits < 2) return 0;
  // A writer may have been in the middle of a frame.
  const again = endingOf(wal);
  return again.frames === seen.frames && again.commits >= 2 ? again.commits : 0;
}

function endingOf(wal: string): WalEnd {
  const descriptor = openSync(wal, 'r');
  try {
    const start = new DataView(new ArrayBuffer(HEADER_SIZE + FRAME_HEADER_SIZE));
    const length = readSync(descriptor, start, { position: 0 });
    const header = headerOf(start);
    // Where a file was made longer before a crash, zeros are all there is.
    const isBegun = new Uint8Array(start.buffer).some((byte) => byte !== 0);
    if (length < start.byteLength || !isBegun) return { frames: 0, commits: 0 };
    if (header === null) return { frames: 0, commits: Infinity };
    return endingAfter(header, framesIn(descriptor, header));
  } finally {
    closeSync(descriptor);
  }
}

function endingAfter(header: WalHeader, all: Iterable<WalFrame>): WalEnd {
  let frames = 0;
  let commits = 0;
  let before = header.sum;
  let isWhole = true;
  for (const frame of all) {
    const isOurs = frame.salts === header.salts;
    const isNext = isOurs && isSame(frame.sumAfter(before), frame.sum);
    // The frame at which the chain breaks counts as well: what follows it was written after its commit.
    if ((!isWhole && isNext) || (isWhole && !isNext && isOurs)) commits += frame.isCommit ? 1 : 0;
    isWhole &&= isNext;
    if (isWhole) frames++;
    before = frame.sum;
  }
  return { frames, commits };
}

/** Null if it is not the header of a `-wal`, or not as SQLite wrote it. */
function headerOf(view: DataView): WalHeader | null {
  const magic = view.getUint32(0);
  if (magic >>> 1 !== 0x377f0682 >>> 1) return null;
  const isLittle = (magic & 1) === 0;
  const sum = added([0, 0], view, 0, 24, isLittle);
  if (!isSame(sum, [view.getInt32(24), view.getInt32(28)])) return null;
  return { pageSize: view.getUint32(8), isLittle, salts: saltsAt(view, 16), sum };
}

function* framesIn(descriptor: number, { pageSize, isLittle }: WalHeader): Generator<WalFrame> {
  const size = FRAME_HEADER_SIZE + pageSize;
  const perRead = Math.max(1, Math.floor(READ_SIZE / size));
  const bytes = new Uint8Array(perRead * size);
  for (let position = HEADER_SIZE; ; position += bytes.length) {
    const length = readSync(descriptor, bytes, { position });
    for (let start = 0; start + size <= length; start += size) {
      const view = new DataView(bytes.buffer, start, size);
      yield {
        isCommit: view.getUint32(4) !== 0,
        salts: saltsAt(view, 8),
        sum: [view.getInt32(16), view.getInt32(20)],
        sumAfter: (before) =>
          added(added(before, view, 0, 8, isLittle), view, FRAME_HEADER_SIZE, size, isLittle),
      };
    }
    if (length < bytes.length) return;
  }
}

function saltsAt(view: DataView, offset: number): string {
  return `${view.getUint32(offset)} ${view.getUint32(offset + 4)}`;
}

function added(
  [first, second]: Checksum,
  view: DataView,
  from: number,
  to: number,
  isLittle: boolean,
): Checksum {
  let [one, other] = [first, second];
  for (let at = from; at < to; at += 8) {
    one = (one + view.getInt32(at, isLittle) + other) | 0;
    other = (other + view.getInt32(at + 4, isLittle) + one) | 0;
  }
  return [one, other];
}

function isSame([one, other]: Checksum, [third, fourth]: Checksum): boolean {
  return one === third && other === fourth;
}
