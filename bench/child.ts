/**
 * The program of a child: `node bench/child.ts TASK WORD...`; one line of JSON says how it went.
 *
 * @module
 */
import { keepYoungGeneration } from '../cli/young-generation.ts';
import { openLedger } from '../ledger.ts';
import { openSqliteStore } from '../log/sqlite.ts';
import { LiveHost } from '../machines/live-host.ts';
import type { Done } from './children.ts';
import type { HostKind } from './hosts.ts';
import { HOST, Logs } from './logs.ts';
import { type Notes, readNotes } from './notes.ts';
import { openLog, type OpenedLog } from './opened.ts';
import { askOwners } from './owner-questions.ts';
import { writeIntervals } from './peers/owner-intervals.ts';
import { askQuestions, shareOfPlayed } from './questions.ts';
import { askAttestations, writeTwoTenants } from './two-tenants.ts';
import { askEachOperation } from './worst-refusals.ts';

const tasks = {
  async writeLog(folder: string, host: string, events: string) {
    await new Logs(folder).at({ host: host as HostKind, events: Number(events) });
    return [];
  },

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

  async firstWhy(path: string) {
    const ledger = await openLedger(path);
    const { because } = ledger.why(notesOf(path).refusals.at(-1) ?? -1);
    await ledger.close();
    return [because.length];
  },

  /** What it takes without anything kept beside the log: every event read, checked and taken. */
  async fullReplay(path: string) {
    const store = openSqliteStore(path, { readOnly: true });
    const host = new LiveHost();
    for await (const batch of store.read(HOST)) {
      for (const event of batch) host.take(event);
    }
    await store.close();
    return [[...host.groups()].length];
  },

  /** Asks questions at random positions; gives what each of them took, in ms. */
  async ask(path: string, kind: string, count: string, seed: string) {
    return asked(await openLog(path), path, kind, count, seed);
  },

  /** The same with the memory settings of the command line. */
  async askAsCommand(path: string, kind: string, count: string, seed: string) {
    const log = await openLog(path);
    keepYoungGeneration();
    return asked(log, path, kind, count, seed);
  },

  /** Asks why some attempts of each operation were refused; gives the longest times, in ms. */
  async askEachOperation(path: string, count: string) {
    const log = await openLog(path);
    const spent = askEachOperation(log, notesOf(path), Number(count));
    await log.close();
    return spent;
  },

  async writeTwoTenants(path: string, events: string) {
    await writeTwoTenants(path, Number(events));
    return [];
  },

  /** Asks what is proved of tenants, so many times each question; gives the times, in ms. */
  async askAttestations(path: string, count: string) {
    const log = await openLog(path);
    const spent = askAttestations(log, Number(count));
    await log.close();
    return spent;
  },

  async shareOfPlayed(path: string) {
    const log = await openLog(path);
    const share = shareOfPlayed(log, notesOf(path));
    await log.close();
    return [share];
  },

  /** Writes the peer of `askOwners`, a file at `to`; gives the number of its intervals. */
  async writeIntervals(path: string, to: string) {
    const log = await openLog(path);
    const count = writeIntervals(log.past, to);
    await log.close();
    return [count];
  },

  /** Asks for owners here and in a table of intervals by turns; gives our times, then the peer's. */
  async askOwners(path: string, intervals: string, count: string, seed: string) {
    const log = await openLog(path);
    const { ours, peer } = askOwners(
      log.past,
      intervals,
      notesOf(path),
      Number(count),
      Number(seed),
    );
    await log.close();
    return [...ours, ...peer];
  },
};

async function asked(log: OpenedLog, path: string, kind: string, count: string, seed: string) {
  const spent = askQuestions(log, notesOf(path), kind, Number(count), Number(seed));
  await log.close();
  return spent;
}

function notesOf(path: string): Notes {
  const notes = readNotes(path);
  if (notes === null) throw new Error(`nothing is known of ${path}`);
  return notes;
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
