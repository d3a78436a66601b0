/**
 * `Tally`: counts what was read, passed over and rejected in all sources of an import.
 *
 * @module
 */
import { reasonOf, type Reading, type Rejected } from './collected.ts';
import type { SeenCounts, SeenKind } from './messages/seen.ts';
import type { Source } from './source.ts';

/** Rejected lines beyond this number, or with more characters of reasons, are only counted. */
const MOST_SHOWN = 100_000;
const MOST_REASONS = 1 << 23;
const PROGRESS_EVERY = 1 << 14;

/** Is called every few thousand lines. */
type TellReading = (reading: Reading) => void;

/** Counts what was read so far, in all sources. */
export class Tally {
  read = 0;
  unknown = 0;
  passedOver = 0;
  /** Whether a line says anything of VFIO. */
  says = false;
  readonly seen: Partial<Record<SeenKind, number>> = {};
  rejectedCount = 0;
  readonly rejected: Rejected[] = [];
  /** The number of characters of the reasons in `rejected`. */
  #reasons = 0;
  readonly #sources: readonly Source[];
  readonly #progress: TellReading | null;

  constructor(sources: readonly Source[], progress: TellReading | null) {
    this.#sources = sources;
    this.#progress = progress;
  }

  line(): void {
    if (++this.read % PROGRESS_EVERY === 0) this.#tell();
  }

  /** Counts lines that are passed over together. */
  passOver(lines: number): void {
    this.read += lines;
    this.passedOver += lines;
    this.#tell();
  }

  #tell(): void {
    if (this.#progress === null) return;
    const shares = this.#sources.map(({ share }) => share?.() ?? null);
    const isKnown = shares.every((share) => share !== null);
    const sum = shares.reduce<number>((total, share) => total + (share ?? 0), 0);
    this.#progress({ lines: this.read, share: isKnown ? sum / shares.length : null });
  }

  /** Adds the numbers of statements that a reader has read. */
  see(seen: SeenCounts): void {
    for (const [kind, count] of Object.entries(seen) as [SeenKind, number][]) {
      this.seen[kind] = (this.seen[kind] ?? 0) + count;
    }
  }

  /** Counts a line that cannot be read. `isOwn`: a reader has taken it for its own. */
  reject(file: string, line: number, message: string, isOwn: boolean): void {
    this.rejectedCount++;
    if (isOwn) this.unknown++;
    else this.passedOver++;
    if (this.rejected.length === MOST_SHOWN || this.#reasons > MOST_REASONS) return;
    const reason = reasonOf(message);
    this.#reasons += reason.length;
    this.rejected.push({ file, line, reason });
  }

  /** The last line that was rejected is the beginning of a message that was read now. */
  retract(): void {
    // Only readers of messages put lines together.
    this.unknown--;
    const isShown = this.rejectedCount-- === this.rejected.length;
    if (isShown) this.#reasons -= this.rejected.pop()?.reason.length ?? 0;
  }
}
