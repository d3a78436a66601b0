/**
 * The logs whose answers are frozen: recorded kernels, the logs of every schema, every piece of
 * evidence of the tests, and random hosts whose boot nobody saw.
 *
 * @module
 */
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { failureOf } from '../../cli/failure.ts';
import { openLedger, type HostReading, type ImportSettings, type Ledger } from '../../ledger.ts';
import { recordings, textOf } from '../support/truth.ts';
import type { Question } from './questions.ts';
import { textQuestions } from './text.ts';

export interface FrozenLog {
  readonly name: string;
  /** Calls with the log, and with what is asked of it besides what every log is asked. */
  use<T>(act: (ledger: Ledger, more: readonly Question[]) => Promise<T>): Promise<T>;
}

/** Logs whose goldens lie in one file. */
export interface FrozenSet {
  readonly name: string;
  logs(): readonly FrozenLog[];
}

const root = join(import.meta.dirname, '../..');
const corpus = join(root, 'test/log/corpus');
const inputs = join(import.meta.dirname, 'inputs');

export const sets: readonly FrozenSet[] = [
  { name: 'corpus', logs: corpusLogs },
  { name: 'evidence', logs: evidenceLogs },
  { name: 'unseen-hosts', logs: unseenLogs },
  ...recordings().map(([kernel, suite]): FrozenSet => {
    const name = `${kernel}-${suite}`;
    return { name, logs: () => [truthLog(`${kernel}/${suite}`, textOf(kernel, suite))] };
  }),
];

/** What people read, of logs that are short, and of so many of a set one. */
const SHORT = 3000;
const PRINTED = 8;

/** What is asked besides. */
interface More {
  readonly before?: () => readonly Question[];
  /** Whether the program prints it, too. */
  readonly isPrinted?: boolean;
}

/** A log in a file that is made for it, so that the program can read it as well. */
async function inFile<T>(
  fill: (path: string) => Promise<Ledger>,
  act: (ledger: Ledger, more: readonly Question[]) => Promise<T>,
  { before = () => [], isPrinted = true }: More = {},
): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'vfio-ledger-golden-'));
  try {
    const path = join(folder, 'golden.ledger');
    const ledger = await fill(path);
    try {
      const isShort = isPrinted && ledger.length <= SHORT;
      const text = isShort ? await textQuestions(ledger, path) : [];
      return await act(ledger, [...before(), ...text]);
    } finally {
      await ledger.close();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function truthLog(name: string, text: string): FrozenLog {
  return {
    name,
    use: (act) => {
      const steps: Step[] = [{ import: { settings: {}, sources: [{ name: 'truth', text }] } }];
      return played(steps, act);
    },
  };
}

function corpusLogs(): FrozenLog[] {
  const names = readdirSync(corpus).filter((name) => /^good_schema-\d+\.ledger$/.test(name));
  return names.map((name) => ({
    name: `corpus/${name}`,
    use: (act) =>
      inFile((path) => {
        for (const file of readdirSync(corpus).filter((found) => found.startsWith(name))) {
          copyFileSync(join(corpus, file), path + file.slice(name.length));
        }
        return openLedger(path, { readOnly: true });
      }, act),
  }));
}

/** What is done to a log, one after the other: `inputs/evidence.jsonl.gz` has a recipe a line. */
type Step =
  | {
      readonly import: {
        readonly settings: ImportSettings;
        readonly sources: readonly {
          readonly name: string;
          readonly text?: string;
          /** Of a file of the project, in the place of the text. */
          readonly path?: string;
        }[];
      };
    }
  | { readonly snapshot: { readonly reading: HostReading; readonly options: { time: string } } };

function evidenceLogs(): FrozenLog[] {
  const lines = unpacked(join(inputs, 'evidence.jsonl.gz')).trimEnd().split('\n');
  return lines.map((line, index) => {
    const { name, steps } = JSON.parse(line) as { name: string; steps: Step[] };
    const isPrinted = index % PRINTED === 0;
    return { name: `evidence/${name}`, use: (act) => played(steps, act, isPrinted) };
  });
}

/** The hosts lie there as exports, one after the other. */
function unseenLogs(): FrozenLog[] {
  const exports = unpacked(join(inputs, 'unseen-hosts.jsonl.gz')).split(/(?<=^\{"end".*\n)/m);
  return exports.map((text, index) => ({
    name: `unseen/${String(index).padStart(3, '0')}`,
    use: (act) => {
      const steps: Step[] = [
        { import: { settings: { format: 'events' }, sources: [{ name: 'host', text }] } },
      ];
      return played(steps, act, index % PRINTED === 0);
    },
  }));
}

/** Plays a recipe; what each step said of it is part of the answers. */
async function played<T>(
  steps: readonly Step[],
  act: (ledger: Ledger, more: readonly Question[]) => Promise<T>,
  isPrinted = true,
): Promise<T> {
  const reports: unknown[] = [];
  return inFile(
    async (path) => {
      const ledger = await openLedger(path);
      for (const step of steps) reports.push(await reportOf(ledger, step));
      return ledger;
    },
    act,
    {
      before: () =>
        reports.map((value, index) => ({
          verb: 'import',
          asked: String(index),
          ask: () => [{ at: null, value }],
        })),
      isPrinted,
    },
  );
}

async function reportOf(ledger: Ledger, step: Step): Promise<unknown> {
  try {
    if ('snapshot' in step) {
      const { reading, options } = step.snapshot;
      const { changed, ...report } = await ledger.snapshot(reading, options);
      return { ...report, changed: changed.length };
    }
    const { settings, sources } = step.import;
    const { rejected, ...report } = await ledger.importSources(
      sources.map(({ name, text, path }) => ({
        name,
        chunks: [text ?? unpacked(join(root, path ?? ''))],
      })),
      settings,
    );
    const lines = rejected.map(({ reason, ...place }) => ({ ...place, message: reason }));
    return { ...report, rejected: lines };
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return { error: failureOf(error) };
  }
}

function unpacked(path: string): string {
  const bytes = readFileSync(path);
  return (path.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString();
}
