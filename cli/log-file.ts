/**
 * Finds the log that a verb works on, and opens it for reading or for recording.
 *
 * @module
 */
import { homedir } from 'node:os';
import { dirname, isAbsolute, join } from 'node:path';
import {
  LedgerError,
  NotALogError,
  openLedger,
  RequestError,
  type Ledger,
  type OpenOptions,
  type When,
} from '../ledger.ts';
import { makePrivateFolder } from '../log/private-files.ts';
import { schemeOf, shownAddress } from '../log/shown-address.ts';
import { volumeFiles } from '../log/volume-files.ts';
import { cutWords, logEndsWords } from '../words/moments.ts';
import { isBug } from './failure.ts';
import type { Io } from './verb.ts';
import { keepYoungGeneration } from './young-generation.ts';

/**
 * Says on standard error where the log ends, if one of the moments asked about is an instant after
 * that. Of a log that is cut off, `readLog` has said it.
 */
export function sayLogEnds(io: Io, ledger: Ledger, ...moments: readonly When[]): void {
  const ends = ledger.logEnds(...moments);
  if (ends !== null && ledger.cutEnd === null) io.say(`vfio-ledger: ${logEndsWords(ends)}`);
}

/** Options of every verb that works on a log. */
export const logOptions = {
  log: { type: 'string', value: 'LOG', help: 'the log; default: see vfio-ledger --help' },
  host: {
    type: 'string',
    value: 'NAME',
    help: 'the host whose stream to use, if the log has several',
  },
  'no-index': {
    type: 'boolean',
    help: 'judge the events themselves: neither read nor write the cache LOG.index',
  },
} as const;

/** Options of every verb that reads a log. */
export const readingOptions = {
  ...logOptions,
  until: { type: 'string', value: 'POSITION', help: 'ignore all events after this position' },
  json: { type: 'boolean', help: 'print one JSON value' },
} as const;

/** The option of verbs that answer for one moment. */
export const atOption = {
  at: { type: 'string', value: 'WHEN', help: 'answer for this moment; default: end' },
} as const;

export interface LogValues {
  readonly log?: string;
  readonly host?: string;
  readonly until?: string;
  readonly 'no-index'?: boolean;
}

interface Address {
  readonly path: string;
  /** Whether it is the default log of this user, which no option or variable names. */
  readonly byDefault: boolean;
}

/**
 * Opens the log for reading, calls `answer` and closes it. The log is neither created nor changed;
 * `LOG.index` may be written. A smaller `until` than that of the option ends the reading earlier.
 * Throws `RequestError` if the log, the host or the position does not exist.
 */
export async function readLog<T>(
  values: LogValues,
  io: Io,
  answer: (ledger: Ledger) => Promise<T>,
  { until = Infinity }: { readonly until?: number } = {},
): Promise<T> {
  const { path, byDefault } = addressOf(values, io.env);
  if (byDefault && volumeFiles(path).length === 0) {
    throw new RequestError(`no log at ${path}; name one with --log`);
  }
  const asked = values.until === undefined ? Infinity : positionOf(values.until);
  const ledger = await open(path, values, io, {
    readOnly: true,
    ...untilOf(Math.min(asked, until)),
  });
  return closing(ledger, async () => {
    const { host } = values;
    if (host !== undefined && ledger.length === 0 && until === Infinity) {
      throw new RequestError(`the log at ${shownAddress(path)} holds no host '${host}'`);
    }
    if (asked !== Infinity && asked > ledger.head.position && until === Infinity) {
      throw new RequestError(
        `--until ${asked} is past the end, which is position ${ledger.head.position}`,
      );
    }
    keepYoungGeneration();
    if (ledger.cutEnd !== null) io.say(`vfio-ledger: ${cutWords(ledger.cutEnd)}`);
    io.opened?.(ledger);
    return answer(ledger);
  });
}

/**
 * Opens the log for recording, calls `act` with it and its address as it may be shown, and closes it. A log
 * that is created here is kept even if nothing is recorded: another process may have it open, and would
 * append to a deleted file.
 */
export async function recordIn<T>(
  values: LogValues,
  io: Io,
  act: (ledger: Ledger, shown: string) => Promise<T>,
): Promise<T> {
  const { path, byDefault } = addressOf(values, io.env);
  if (byDefault) makePrivateFolder(dirname(path));
  const ledger = await open(path, values, io, {});
  return closing(ledger, () => {
    checkGoesOn(ledger);
    return act(ledger, shownAddress(path));
  });
}

/** Calls `read` before anything is recorded, with the log as it is; with null if there is none yet. */
export async function beforeRecording<T>(
  values: LogValues,
  io: Io,
  read: (ledger: Ledger | null) => Promise<T>,
): Promise<T> {
  const { path } = addressOf(values, io.env);
  const ledger = await openBegun(path, values, io);
  if (ledger === null) return read(null);
  return closing(ledger, () => {
    checkGoesOn(ledger);
    return read(ledger.length === 0 ? null : ledger);
  });
}

/**
 * Closes a ledger after `act`. A live host from an index that makes no sense can fail at any time:
 * then the index is built again, and the error says to repeat the command.
 */
async function closing<T>(ledger: Ledger, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    if (!isBug(error) || !ledger.mendIndex()) throw error;
    const message = 'the cache LOG.index made no sense and was built again: repeat the command';
    throw new LedgerError('unavailable', message, { cause: error });
  } finally {
    await ledger.close();
  }
}

/** Null if there is no log, or only what a writer has left that was killed as it created one. */
async function openBegun(path: string, values: LogValues, io: Io): Promise<Ledger | null> {
  try {
    // The host may be a new one.
    return await open(path, values, io, { readOnly: true, create: true });
  } catch (error) {
    if (error instanceof NotALogError && error.isUnbegun) return null;
    throw error;
  }
}

/** Throws `unavailable` if the file that continues the log is missing: nothing can be appended. */
function checkGoesOn({ cutEnd }: Ledger): void {
  if (cutEnd !== null) throw new LedgerError('unavailable', cutWords(cutEnd));
}

/** The path of a log in files. Throws `RequestError` for a log in memory or on a server. */
export function logPath(values: LogValues, env: Io['env']): string {
  const { path } = addressOf(values, env);
  if (isPath(path)) return path;
  throw new RequestError(`${shownAddress(path)} is not the path of a log file`);
}

/** How messages name the log, and the files that it has: none if it is in memory or on a server. */
export function placeOf(
  values: LogValues,
  env: Io['env'],
): { readonly address: string; readonly files: readonly string[] } {
  const { path } = addressOf(values, env);
  const files = isPath(path) ? volumeFiles(path).map((file) => file.path) : [];
  return { address: shownAddress(path), files };
}

function isPath(address: string): boolean {
  return address !== ':memory:' && schemeOf(address) === null;
}

/** The log that the options or the environment name, else the default log. */
export function addressOf({ log }: LogValues, env: Io['env']): Address {
  const named = log ?? env['VFIO_LEDGER_LOG'];
  if (log === '') throw new RequestError('--log needs the path of a log');
  if (named !== undefined && named !== '') return { path: named, byDefault: false };
  const state = env['XDG_STATE_HOME'] ?? '';
  const folder = isAbsolute(state) ? state : join(homedir(), '.local', 'state');
  return { path: join(folder, 'vfio-ledger', 'log.ledger'), byDefault: true };
}

async function open(
  path: string,
  { host, 'no-index': noIndex = false }: LogValues,
  io: Io,
  options: OpenOptions,
): Promise<Ledger> {
  // The present stands still while an answer is made.
  const now = new Date();
  return openLedger(path, {
    ...options,
    derived: !noIndex,
    clock: () => now,
    ...(host !== undefined && { host }),
    progress: (read) => io.progress.tell(`${read} events read`),
    note: (words) => sayOnce(io, words),
  });
}

/** What was said of logs that a verb has opened: it may open the same one twice. */
const said = new WeakMap<Io, Set<string>>();

function sayOnce(io: Io, words: string): void {
  const before = said.get(io) ?? new Set();
  said.set(io, before);
  if (!before.has(words)) io.say(`vfio-ledger: ${words}`);
  before.add(words);
}

function untilOf(until: number): Pick<OpenOptions, 'until'> {
  return until === Infinity ? {} : { until };
}

function positionOf(text: string): number {
  if (/^\d+$/.test(text)) return Number(text);
  throw new RequestError(`--until takes a position, not '${text}'`);
}
