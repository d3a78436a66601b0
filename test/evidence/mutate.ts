/**
 * `node test/evidence/mutate.ts [--count N] [--from SEED]`: imports spoiled evidence, and ends with 1
 * where anything comes of it but events and rejected lines.
 *
 * @module
 */
import { parseArgs } from 'node:util';
import { decode } from '../../events/codec.ts';
import { SCHEMA } from '../../events/vocabulary.ts';
import { EvidenceError } from '../../evidence/importer.ts';
import { RequestError } from '../../events/ledger-error.ts';
import { Kernel } from '../../machines/kernel.ts';
import { readEvidence } from '../../ledger/read-evidence.ts';
import { mutated, stories } from './mutations.ts';

const [, truth] = stories.find(([format]) => format === 'truth') ?? [];
const topology = truth?.[0];
const SETTINGS = [
  {},
  { topology },
  { profile: 'linux-6.1' },
  { booted: '2026-01-01', day: '2026-01-01' },
];

/** What came of a piece: lines read, rejected, events; nulls where it was turned down as a whole. */
interface Outcome {
  readonly read: number;
  readonly rejected: number;
  readonly events: number;
  readonly isTurnedDown: boolean;
}

/** Imports a piece as its number says. Throws where that shows a bug. */
export async function importMutated(seed: number): Promise<Outcome> {
  const { format, text } = mutated(seed);
  const isOwn = format === 'events' || format === 'truth';
  const isNamed = seed % 3 > 0;
  const settings = { ...SETTINGS[seed % SETTINGS.length], ...(isNamed && { format }) };
  try {
    const collected = await readEvidence([{ name: 'mutated', chunks: piecesOf(text) }], settings);
    const { read, rejectedCount, rejected } = collected;
    const lines = text.split('\n').length - (text.endsWith('\n') || text === '' ? 1 : 0);
    if (read !== lines) throw new Error(`${read} lines read of ${lines}`);
    if (rejectedCount !== rejected.length || rejectedCount > read) throw new Error('miscounted');
    const kernel = new Kernel();
    const events = await collected.events.all();
    const ids = new Set<string>();
    for (const [position, event] of events.entries()) {
      if (ids.has(event.id) && !isOwn) throw new Error(`two events have the id ${event.id}`);
      ids.add(event.id);
      const decoded = decode(JSON.parse(JSON.stringify({ ...event, schema: SCHEMA })));
      const placed = { ...decoded, position };
      if (placed.type === 'operation.refused') kernel.explain(placed.data);
      kernel.take(placed);
    }
    return { read, rejected: rejectedCount, events: events.length, isTurnedDown: false };
  } catch (error) {
    // Of a boot nobody may know the rules. What finds its format by itself may be of none.
    const mayBeNone = isOwn || !isNamed || text.trim() === '';
    const saysNothing = error instanceof Error && error.message.includes('says anything of VFIO');
    const isRefused = error instanceof EvidenceError && (mayBeNone || saysNothing);
    if (!isRefused && !(error instanceof RequestError)) throw error;
    return { read: 0, rejected: 0, events: 0, isTurnedDown: true };
  }
}

/** Chunks fall anywhere. */
function piecesOf(text: string): readonly string[] {
  const middle = text.length >> 1;
  return [text.slice(0, middle), text.slice(middle)];
}

/** Megabytes. */
function heap(): string {
  globalThis.gc?.();
  return `${(process.memoryUsage().heapUsed / 2 ** 20).toFixed(1)} MB`;
}

async function main(count: number, from: number): Promise<void> {
  const write = (text: string) => process.stdout.write(`${text}\n`);
  const total = { read: 0, rejected: 0, events: 0, turnedDown: 0, crashed: 0 };
  const marks = new Set([Math.ceil(count / 100), count >> 1]);
  const begun = performance.now();
  for (let done = 0; done < count; done++) {
    if (marks.has(done)) write(`${done}: heap ${heap()}`);
    try {
      const { read, rejected, events, isTurnedDown } = await importMutated(from + done);
      total.read += read;
      total.rejected += rejected;
      total.events += events;
      total.turnedDown += Number(isTurnedDown);
    } catch (error) {
      if (total.crashed++ < 20) write(`seed ${from + done}: ${(error as Error).stack}`);
    }
  }
  const rate = Math.round((count * 1000) / (performance.now() - begun));
  write(`${count}: heap ${heap()}`);
  write(`${count} inputs, ${rate}/s: ${JSON.stringify(total)}`);
  if (total.crashed > 0) process.exitCode = 1;
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      count: { type: 'string', default: '10000' },
      from: { type: 'string', default: '1' },
    },
  });
  await main(Number(values.count), Number(values.from));
}
