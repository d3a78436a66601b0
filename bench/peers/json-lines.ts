/**
 * Replay of a file of JSON lines.
 *
 * @module
 */
import { createReadStream } from 'node:fs';
import type { LedgerEvent } from '../../events/vocabulary.ts';
import { Ownership } from './ownership.ts';

/** Bytes read at once. */
const CHUNK = 2 ** 20;

export async function foldLines(path: string): Promise<Ownership> {
  const ownership = new Ownership();
  let position = 0;
  let rest = '';
  const file = createReadStream(path, { encoding: 'utf8', highWaterMark: CHUNK });
  for await (const chunk of file as AsyncIterable<string>) {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      ownership.take({ ...(JSON.parse(line) as LedgerEvent), position: position++ });
    }
  }
  return ownership;
}
