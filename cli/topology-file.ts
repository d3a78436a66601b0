/**
 * Reads topology files.
 *
 * @module
 */
import type { Readable } from 'node:stream';
import { RequestError, topologyFrom } from '../ledger.ts';
import { nameOf, readText } from './input.ts';

/**
 * The topology in a file: a JSON value, or the first line of a truth file.
 *
 * Rejects with `RequestError`, which names the file, if that has no topology.
 */
export async function readTopology(
  file: string | undefined,
  stdin: Readable,
): Promise<ReturnType<typeof topologyFrom>> {
  if (file === undefined) throw new RequestError('--topology FILE is missing');
  const text = await readText(file, stdin, hasFirstLine);
  try {
    return topologyFrom(text);
  } catch (error) {
    if (!(error instanceof RequestError)) throw error;
    throw new RequestError(`${nameOf(file)}:1: ${error.message}`);
  }
}

/** Whether the first line is a JSON value, as in a truth file, of which nothing else is needed. */
function hasFirstLine(text: string): boolean {
  const begun = text.trimStart();
  const end = begun.indexOf('\n');
  if (end < 0) return false;
  try {
    JSON.parse(begun.slice(0, end));
    return true;
  } catch {
    return false;
  }
}
