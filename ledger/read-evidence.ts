/**
 * Reads evidence without writing it. The readers are loaded when it is first called.
 *
 * @module
 */
import type { Collected } from '../evidence/collected.ts';
import type { Source } from '../evidence/source.ts';
import type { Appendable } from './appendable.ts';
import type { ImportSettings } from './settings.ts';

/**
 * Reads evidence completely, and writes nothing. `log` is the log that it will be appended to: it
 * gives the host before the evidence.
 *
 * Rejects with `bad-evidence`, whose message names source and line, or `bad-request`.
 */
export async function readEvidence(
  sources: readonly Source[],
  settings: ImportSettings = {},
  log: Appendable | null = null,
): Promise<Collected> {
  const { readSources } = await import('./import.ts');
  return readSources(sources, settings, log);
}
