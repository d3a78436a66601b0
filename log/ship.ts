/**
 * Ships a stream from one log to another: its rows arrive as they are, in order, each once.
 *
 * The target alone says how much it has, so an interrupted shipment is continued by the next one.
 *
 * @module
 */
import { setTimeout } from 'node:timers/promises';
import { LedgerError, RequestError } from '../events/ledger-error.ts';
import { AppendTooLargeError, DivergedError, type Engine, LostAnswerError } from './engine.ts';
import { readAhead } from './read-ahead.ts';
import { headOfRow, isSameHead, type Row, type Verified, verified } from './row.ts';
import { type AppendResult, CorruptLogError, type Head, RevisionConflictError } from './store.ts';

export interface Shipment extends AppendResult {
  /** Whether the source ends before the target, which has the same events up to there. */
  readonly isSourceBehind: boolean;
}

/** A stream, and the two logs that have it. */
export interface Route {
  readonly stream: string;
  readonly source: Engine;
  readonly target: Engine;
  /** Called after each append with the position of the target's head. */
  readonly arrived?: (position: number) => void;
}

/**
 * Appends to a stream of the target what the source has after the target's head. `appended` counts the
 * events that this call has appended.
 *
 * Each row is verified when it arrives from the source. Rejects with `CorruptLogError` if the source is
 * damaged, after all events before the damage have been appended; with `DivergedError`, whose position
 * is the first at which the two differ; with `bad-request` if the source begins after the target's end;
 * and as `Engine.append` does.
 */
export async function ship(route: Route): Promise<Shipment> {
  const { stream, target, arrived } = route;
  let appended = 0;
  let head = await target.head(stream);
  for (;;) {
    try {
      if (await endsAt(route, head)) return { head, appended, isSourceBehind: false };
      for await (const rows of readAhead(following(route, head))) {
        for (const part of parts(rows)) {
          appended += await appendSplit(target, stream, head, part);
          head = headOfRow(part.at(-1)!);
          arrived?.(head.position);
        }
      }
      const { position } = await route.source.head(stream);
      return { head, appended, isSourceBehind: position < head.position };
    } catch (error) {
      if (!(error instanceof RevisionConflictError)) throw error;
      // Another process ships the same stream, or writes to the target.
      const now = await target.head(stream);
      if (isSameHead(now, head)) throw error;
      head = now;
    }
  }
}

/** Whether the source has nothing after a head of the target, which is asked without reading rows. */
async function endsAt({ stream, source }: Route, head: Head): Promise<boolean> {
  try {
    return head.position >= 0 && isSameHead(await source.head(stream), head);
  } catch (error) {
    // The rows before the damage are read.
    if (error instanceof CorruptLogError) return false;
    throw error;
  }
}

/** The verified rows of the source after a head of the target. */
async function* following(route: Route, begin: Head): AsyncGenerator<readonly Row[]> {
  const { stream, source } = route;
  let head = begin;
  let isFirst = true;
  try {
    for await (const batch of source.read(stream, Math.max(begin.position, 0))) {
      let rows = batch;
      if (isFirst) rows = await checkContinues(route, head, batch);
      isFirst = false;
      const { rows: intact, head: after, damage } = arrivedRows(source, head, rows);
      if (intact.length > 0) yield intact;
      if (damage !== null) throw damage;
      head = after;
    }
  } catch (error) {
    throw error instanceof CorruptLogError ? placed(error, head.position + 1) : error;
  }
  if (isFirst && begin.position >= 0) await checkIsPrefix(route);
}

/** Verifies rows after a head. Of rows that the source has verified, the first one is enough: it links them. */
function arrivedRows({ name, isVerified }: Engine, head: Head, rows: readonly Row[]): Verified {
  const last = rows.at(-1);
  if (!isVerified || last === undefined) return verified(name, head, rows);
  const first = verified(name, head, rows.slice(0, 1));
  return first.damage === null ? { rows, head: headOfRow(last), damage: null } : first;
}

/** Damage that is met in reading a stream, at a position unless it has one of its own. */
export function placed(damage: CorruptLogError, position: number): CorruptLogError {
  if (damage.position !== null) return damage;
  return new CorruptLogError(position, damage.message, damage.foreign);
}

/**
 * The rows that the target lacks, from the first batch at its head. Throws unless the source has the head
 * of the target, or begins after it.
 */
async function checkContinues(
  route: Route,
  { position, hash }: Head,
  batch: readonly Row[],
): Promise<readonly Row[]> {
  const { source, target } = route;
  const [first, second] = batch;
  if (first === undefined) return batch;
  if (first[0] === position) {
    if (first[6] !== hash) throw await divergence(route, position);
    return second === undefined ? [] : batch.slice(1);
  }
  if (first[0] > position + 1) {
    throw new RequestError(
      `${source.name} begins at position ${first[0]} of stream '${route.stream}', and ` +
        `${target.name} ends at ${position}: ship the events between them first`,
    );
  }
  const { damage } = verified(source.name, { position, hash }, [first]);
  if (damage === null || position < 0) return batch;
  // The source does not have the event before: whichever of the two was changed, it is not known.
  throw new LedgerError(
    'conflict',
    `stream '${route.stream}' of ${source.name}, from position ${first[0]} on, does not continue ${target.name}`,
  );
}

/** Throws unless a source that ends before the target has the same events up to there. */
async function checkIsPrefix(route: Route): Promise<void> {
  const { stream, source, target } = route;
  const { position, hash } = await source.head(stream);
  if (position < 0) return;
  const there = await hashAt(target, stream, position);
  if (there !== null && there !== hash) throw await divergence(route, position);
}

/**
 * How a stream of the target differs from that of the source, which may have more events; null if it does
 * not. `behind`: no event differs, and the source does not have, or did not have yet, the last ones.
 */
export async function differenceOf(route: Route): Promise<DivergedError | 'behind' | null> {
  const { stream, source, target } = route;
  const head = await target.head(stream);
  if (head.position < 0) return null;
  const there = await hashAt(source, stream, head.position);
  if (there === head.hash) return null;
  if (there !== null) return divergence(route, head.position);
  const { position, hash } = await source.head(stream);
  if (position < 0 || position >= head.position) return 'behind';
  return (await hashAt(target, stream, position)) === hash ? 'behind' : divergence(route, position);
}

/** The error about two logs that differ at a position, with the first position at which they do. */
async function divergence(
  { stream, source, target }: Route,
  differ: number,
): Promise<DivergedError> {
  let [low, high] = [0, differ];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const [one, other] = [
      await hashAt(source, stream, middle),
      await hashAt(target, stream, middle),
    ];
    // The chain makes all events before it the same, or all after it different.
    if (one === null || other === null || one === other) low = middle + 1;
    else high = middle;
  }
  return new DivergedError(stream, high, source.name, target.name);
}

/** The hash that a stream has at a position; null if it has no event there. */
async function hashAt(engine: Engine, stream: string, position: number): Promise<string | null> {
  for await (const [row] of engine.read(stream, position)) {
    return row !== undefined && row[0] === position ? row[6] : null;
  }
  return null;
}

/** Rows of about this many characters are appended at once: most servers take a mebibyte. */
const PART_LENGTH = 2 ** 19;
/** What a row takes beside its data. */
const ROW_LENGTH = 200;

function* parts(rows: readonly Row[]): Generator<readonly Row[]> {
  let begin = 0;
  let length = 0;
  for (const [index, [, , , , , data]] of rows.entries()) {
    const more = data.length + ROW_LENGTH;
    if (index > begin && length + more > PART_LENGTH) {
      yield rows.slice(begin, index);
      [begin, length] = [index, 0];
    }
    length += more;
  }
  yield rows.slice(begin);
}

/** Appends rows, in halves if they are too large. Resolves to the number of new events. */
async function appendSplit(
  target: Engine,
  stream: string,
  expected: Head,
  rows: readonly Row[],
): Promise<number> {
  try {
    return (await appendSurely(target, stream, expected, rows)).appended;
  } catch (error) {
    if (!(error instanceof AppendTooLargeError) || rows.length === 1) throw error;
    const middle = rows.length >> 1;
    const [first, second] = [rows.slice(0, middle), rows.slice(middle)];
    const appended = await appendSplit(target, stream, expected, first);
    return appended + (await appendSplit(target, stream, headOfRow(first.at(-1)!), second));
  }
}

/** How often an append without an answer is repeated, and the pause before the first repetition. */
const REPETITIONS = 6;
const PAUSE_MS = 20;

/**
 * Appends rows to an engine, and repeats the same append if its answer was lost: the engine makes it
 * once. `appended` is then the number of rows, as it is not known which of the appends was made. Rejects
 * as `Engine.append` does, with `LostAnswerError` if no repetition is answered either.
 */
export async function appendSurely(
  engine: Engine,
  stream: string,
  expected: Head,
  rows: readonly Row[],
): Promise<AppendResult> {
  for (let lost = 0; ; lost++) {
    try {
      const result = await engine.append(stream, expected, rows);
      return lost === 0 ? result : { ...result, appended: rows.length };
    } catch (error) {
      if (!(error instanceof LostAnswerError) || lost === REPETITIONS) throw error;
      await setTimeout(PAUSE_MS * 2 ** lost);
    }
  }
}
