/**
 * The program of a child: `node bench/child.ts TASK WORD...`; one line of JSON says how it went.
 *
 * @module
 */
import { keepYoungGeneration } from '../cli/young-generation.ts';
import { openLedger, type Ledger } from '../ledger.ts';
import { openSqliteStore } from '../log/sqlite.ts';
import { LiveHost } from '../machines/live-host.ts';
import type { Done } from './children.ts';
import { readNotes } from './notes.ts';
import { askQuestions } from './questions.ts';

const tasks = {
  /** Opens a log, which makes whatever it keeps beside it, where that is not there yet. */
  async build(path: string) {
    const ledger = await openLedger(path);
    await ledger.close();
    return [];
  },

  async firstTable(path: string) {
    const ledger = await openLedger(path);
    const { groups } = ledger.at('end').table();
    await ledger.close();
    return [groups.length];
  },

  /** What it takes without anything kept beside the log: every event read, checked and taken. */
  async fullReplay(path: string) {
    const store = openSqliteStore(path, { readOnly: true });
    const host = new LiveHost();
    for await (const batch of store.read('host')) {
      for (const event of batch) host.take(event);
    }
    await store.close();
    return [[...host.groups()].length];
  },

  /** Asks questions at random positions; gives what each of them took, in ms. */
  async ask(path: string, kind: string, count: string, seed: string) {
    return asked(await openLedger(path), path, kind, count, seed);
  },

  /** The same with the memory settings of the command line. */
  async askAsCommand(path: string, kind: string, count: string, seed: string) {
    const ledger = await openLedger(path);
    keepYoungGeneration();
    return asked(ledger, path, kind, count, seed);
  },
};

async function asked(ledger: Ledger, path: string, kind: string, count: string, seed: string) {
  const notes = readNotes(path);
  if (notes === null) throw new Error(`nothing is known of ${path}`);
  const spent = askQuestions(ledger, notes, kind, Number(count), Number(seed));
  await ledger.close();
  return spent;
}

export type Task = keyof typeof tasks;

const [, , task, ...words] = process.argv;
const start = performance.now();
const values = await (tasks[task as Task] as (...given: string[]) => Promise<number[]>)(...words);
const done: Omit<Done, 'seconds'> = {
  inside: (performance.now() - start) / 1000,
  megabytes: process.resourceUsage().maxRSS / 1024,
  values,
};
process.stdout.write(JSON.stringify(done));
