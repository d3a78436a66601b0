/**
 * Sequences that are asked instead of generated ones: a scenario, or a recording whose operations
 * are asked anew.
 *
 * @module
 */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { parseScenario, type Sequence } from '../host/simulation.ts';
import { UsageError } from './options.ts';

/** Reads the sequences of a file. Throws `UsageError` or `ScenarioError`. */
export function sequencesIn(path: string): Sequence[] {
  const text = textOf(path);
  return parseScenario(text.startsWith('{') ? scenarioOf(text) : text, path);
}

function textOf(path: string): string {
  try {
    const bytes = readFileSync(path);
    return (path.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString();
  } catch (error) {
    throw new UsageError(`${path}: ${(error as Error).message}`);
  }
}

/** The operations of a recording in the scenario language, a line for a line. */
function scenarioOf(recording: string): string {
  let current: string | null = null;
  const lines = recording.split('\n').flatMap((line) => {
    if (line === '') return [];
    const { seq, p, op } = JSON.parse(line) as { seq?: string; p?: string; op?: string };
    if (seq === undefined || p === undefined || op === undefined) return [];
    const statement = /^P\d$/.test(p) ? `@${p} ${op}` : op;
    if (seq === current) return [statement];
    current = seq;
    return [`seq ${seq}`, statement];
  });
  return lines.join('\n');
}
