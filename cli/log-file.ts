/**
 * The log that a verb works on: where it lies, and opening it to read or to record.
 *
 * @module
 */
import { existsSync, mkdirSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, isAbsolute, join } from 'node:path';
import { openLedger, RequestError, type Ledger, type OpenOptions } from '../ledger.ts';
import { volumeFiles } from '../log/volume-files.ts';
import type { Io } from './verb.ts';
import { keepYoungGeneration } from './young-generation.ts';

/** Options of every verb that works on a log. */
export const logOptions = {
  log: { type: 'string', value: 'LOG', help: 'the log (see vfio-ledger --help)' },
  host: { type: 'string', value: 'NAME', help: 'whose stream, where the log holds several' },
} as const;

/** Options of every verb that reads a log. */
export const readingOptions = {
  ...logOptions,
  until: { type: 'string', value: 'POSITION', help: 'read the log up to there and no further' },
  'no-index': { type: 'boolean', help: 'leave LOG.index alone: it is neither read nor written' },
  json: { type: 'boolean', help: 'print one JSON value' },
} as const;

/** The option of verbs that answer for a moment. */
export const atOption = {
  at: { type: 'string', value: 'WHEN', help: 'as it was at that moment; end when left out' },
} as const;

export interface LogValues {
  readonly log?: string;
  readonly host?: string;
  readonly until?: string;
  readonly 'no-index'?: boolean;
}

interface Address {
  readonly path: string;
  /** Nobody has named it: it is the place for logs of this user. */
  readonly byDefault: boolean;
}

/**
 * Opens the log for reading and answers from it. The log is neither created nor changed; what is
 * derived of it may be put beside it. `until` ends the reading earlier than the option of that name.
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
    derived: values['no-index'] !== true,
    ...untilOf(Math.min(asked, until)),
  });
  try {
    const { host } = values;
    if (host !== undefined && ledger.length === 0 && until === Infinity) {
      throw new RequestError(`the log at ${path} holds no host '${host}'`);
    }
    if (asked !== Infinity && asked > ledger.head.position && until === Infinity) {
      throw new RequestError(`--until ${asked} is past the end, position ${ledger.head.position}`);
    }
    keepYoungGeneration();
    return await answer(ledger);
  } finally {
    await ledger.close();
  }
}

/**
 * Opens the log for recording. One that comes to be here stays, though nothing may be recorded:
 * another process may have it open by then, and would append to a file without a name.
 */
export async function recordIn<T>(
  values: LogValues,
  io: Io,
  act: (ledger: Ledger, path: string) => Promise<T>,
): Promise<T> {
  const { path, byDefault } = addressOf(values, io.env);
  if (byDefault) mkdirSync(dirname(path), { recursive: true });
  const ledger = await open(path, values, io, {});
  try {
    return await act(ledger, path);
  } finally {
    await ledger.close();
  }
}

/** What is read before anything is recorded, with the log as it is; null where there is none yet. */
export async function beforeRecording<T>(
  values: LogValues,
  io: Io,
  read: (ledger: Ledger | null) => Promise<T>,
): Promise<T> {
  const { path } = addressOf(values, io.env);
  // A writer that was killed may have left a file with nothing in it.
  const isEmpty = statSync(path, { throwIfNoEntry: false })?.size === 0;
  const isThere = existsSync(dirname(path)) && volumeFiles(path).length > 0;
  if (!isThere || isEmpty) return read(null);
  const ledger = await open(path, values, io, { readOnly: true });
  try {
    return await read(ledger.length === 0 ? null : ledger);
  } finally {
    await ledger.close();
  }
}

/** The path of a log that lies in files. Throws `RequestError` for any other. */
export function logPath(values: LogValues, env: Io['env']): string {
  const { path } = addressOf(values, env);
  if (path !== ':memory:' && !/^[a-z][a-z\d+]*:\/\//.test(path)) return path;
  throw new RequestError(`${path} is no log in files`);
}

/** Where the log lies that the options or the environment name. */
function addressOf({ log }: LogValues, env: Io['env']): Address {
  const named = log ?? env['VFIO_LEDGER_LOG'];
  if (log === '') throw new RequestError('--log names no log');
  if (named !== undefined && named !== '') return { path: named, byDefault: false };
  const state = env['XDG_STATE_HOME'] ?? '';
  const folder = isAbsolute(state) ? state : join(homedir(), '.local', 'state');
  return { path: join(folder, 'vfio-ledger', 'log.ledger'), byDefault: true };
}

async function open(
  path: string,
  { host }: LogValues,
  io: Io,
  options: OpenOptions,
): Promise<Ledger> {
  return openLedger(path, {
    ...options,
    ...(host !== undefined && { host }),
    progress: (read) => io.progress.tell(`${read} events read`),
  });
}

function untilOf(until: number): Pick<OpenOptions, 'until'> {
  return until === Infinity ? {} : { until };
}

function positionOf(text: string): number {
  if (/^\d+$/.test(text)) return Number(text);
  throw new RequestError(`--until takes a position, not '${text}'`);
}
