/**
 * Sequences that are asked instead of generated ones: a scenario, or a recording whose operations
 * are asked anew.
 *
 * @module
 */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import * as v from 'valibot';
import { parseObject } from '../evidence/importer.ts';
import { parseScenario, type Sequence } from '../host/simulation.ts';
import { parseLine, type OperationStatement } from '../scenario/language.ts';
import { UsageError } from './options.ts';

/** Reads the sequences of a file that asks something. Throws `UsageError` or `RequestError`. */
export function sequencesIn(path: string): Sequence[] {
  const text = textOf(path);
  const sequences = text.startsWith('{')
    ? recorded(text, path)
    : parseScenario(text, { source: path });
  if (sequences.every(({ operations }) => operations.length === 0)) {
    throw new UsageError(`${path}: no operation in it: nothing to ask`);
  }
  return sequences;
}

function textOf(path: string): string {
  try {
    const bytes = readFileSync(path);
    return (path.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString();
  } catch (error) {
    throw new UsageError(`${path}: ${(error as Error).message}`);
  }
}

/** What is asked anew of a recorded answer. */
const askedSchema = v.object({
  seq: v.pipe(v.string(), v.regex(/^[^\s#]+$/)),
  p: v.pipe(v.string(), v.regex(/^(P[1-8]|-|bg)$/)),
  op: v.string(),
});

/** The sequences of a recording; the lines of one follow each other. */
function recorded(recording: string, path: string): Sequence[] {
  const sequences: { name: string; operations: OperationStatement[] }[] = [];
  for (const [index, line] of recording.split('\n').entries()) {
    try {
      const asked = askedIn(line);
      if (asked === null) continue;
      const { name, statement } = asked;
      if (sequences.at(-1)?.name !== name) sequences.push({ name, operations: [] });
      sequences.at(-1)?.operations.push(statement);
    } catch (error) {
      throw new UsageError(`${path}:${index + 1}: ${reasonOf(error)}`);
    }
  }
  return sequences;
}

/** The operation of a line; null where it has none: the topology's, or one of another kind. */
function askedIn(line: string): { name: string; statement: OperationStatement } | null {
  if (line.trim() === '') return null;
  const value = parseObject(line);
  if (!('op' in value)) return null;
  const { seq, p, op } = v.parse(askedSchema, value);
  const statement = parseLine(p.startsWith('P') ? `@${p} ${op}` : op);
  if (statement?.kind !== 'operation') throw new UsageError(`'${op}' is no operation`);
  return { name: seq, statement };
}

function reasonOf(error: unknown): string {
  const { message } = error as Error;
  if (!v.isValiError(error)) return message;
  return `${v.getDotPath(error.issues[0]) ?? ''}: ${message}`;
}
