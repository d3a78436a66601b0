/**
 * What real kernels answered, as kept under `test/truth`.
 *
 * @module
 */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';

export const kernels = ['linux-6.1', 'linux-6.12', 'linux-7.3'] as const;

/** The text of a truth file, or of its first `sequences`. */
export function recording(kernel: string, suite: string, sequences = Infinity): string {
  const file = new URL(`../truth/${kernel}/${suite}.jsonl.gz`, import.meta.url);
  const text = gunzipSync(readFileSync(file)).toString('utf8');
  if (sequences === Infinity) return text;
  const seen = new Set<string>();
  const lines = text.trimEnd().split('\n');
  const end = lines.findIndex((line) => {
    const { seq } = JSON.parse(line) as { seq?: string };
    if (seq !== undefined) seen.add(seq);
    return seen.size > sequences;
  });
  return lines.slice(0, end < 0 ? lines.length : end).join('\n');
}
