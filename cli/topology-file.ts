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
  const text = await readText(file, stdin);
  try {
    return topologyFrom(text);
  } catch (error) {
    if (!(error instanceof RequestError)) throw error;
    throw new RequestError(`${nameOf(file)}:1: ${error.message}`);
  }
}
