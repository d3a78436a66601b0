/**
 * Processes that append to a log and read it while the tests look on.
 *
 * @module
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { openSqliteStore } from '../../log/sqlite.ts';
import { run } from '../cli/program.ts';
import { operationsIn, type Place } from './operations.ts';

const NODE_COMPILE_CACHE = fileURLToPath(
  new URL('../../node_modules/.cache/vfio-ledger', import.meta.url),
);

export interface Child {
  readonly process: ChildProcess;
  /** Whole lines of its standard output until now. */
  readonly lines: () => readonly string[];
  /** Resolves with the text of its standard error and how it ended: `''` and 0 if all is well. */
  readonly ended: Promise<{ readonly err: string; readonly end: number | NodeJS.Signals | null }>;
  /** Resolves when it has said the line; rejects when it ends and has not. */
  readonly said: (line: RegExp) => Promise<void>;
}

/** Starts `node PROGRAM ARGUMENT...`, with `input` as its standard input or one that stays open. */
export function start(program: string, args: readonly unknown[], input?: string): Child {
  return startCommand(process.execPath, [program, ...args.map(String)], input);
}

/** Starts any command, as `start`. */
export function startCommand(command: string, args: readonly string[], input?: string): Child {
  const child = spawn(command, args, {
    env: { ...process.env, NODE_COMPILE_CACHE },
  });
  let out = '';
  let err = '';
  let looks: (() => void)[] = [];
  const look = () => looks.forEach((act) => act());
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text;
    look();
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text));
  child.stdin.on('error', () => {});
  if (input !== undefined) child.stdin.end(input);
  let over = false;
  const ended = new Promise<Awaited<Child['ended']>>((resolve, reject) => {
    child.on('error', reject).on('close', (code, signal) => {
      over = true;
      look();
      resolve({ err, end: code ?? signal });
    });
  });
  const lines = () => out.split('\n').slice(0, -1);
  const said = (line: RegExp) =>
    new Promise<void>((resolve, reject) => {
      const act = () => {
        const found = lines().some((said) => line.test(said));
        if (!found && !over) return;
        looks = looks.filter((other) => other !== act);
        if (found) resolve();
        else reject(new Error(`it has ended and not said ${line}: ${err}`));
      };
      looks.push(act);
      act();
    });
  return { process: child, lines, ended, said };
}

const appender = fileURLToPath(new URL('./appender.ts', import.meta.url));
const reader = fileURLToPath(new URL('./reader.ts', import.meta.url));

export interface Appending {
  readonly by: number;
  readonly rounds: number;
  readonly operations: number;
  readonly stays?: boolean;
}

export function startAppender(log: string, what: Appending): Child {
  const { by, rounds, operations, stays = false } = what;
  return start(appender, [log, by, rounds, operations, ...(stays ? ['stay'] : [])]);
}

export function startReader(log: string, busyTimeoutMs: number): Child {
  return start(reader, [log, busyTimeoutMs]);
}

/** The operations that an appender has said to be durable. */
export function acknowledged(child: Child): Place[] {
  const places: Place[] = [];
  for (const line of child.lines()) {
    const [name = '', position, hash] = line.split(' ');
    if (hash !== undefined) places.push({ name, position: Number(position), hash });
  }
  return places;
}

/**
 * Reads the log and compares: all that was acknowledged is there, where it was said to be; of each
 * appender there is no more than the one operation that it was about; each one's order is kept.
 */
export async function expectAllOf(log: string, appended: ReadonlyMap<number, Place[]>) {
  const store = openSqliteStore(log, { readOnly: true });
  const found = await operationsIn(store);
  await store.close();
  const by = Map.groupBy(found, ({ name }) => Number(name.split('.')[0]));
  for (const [appender, places] of appended) {
    const there = by.get(appender) ?? [];
    expect(there.slice(0, places.length)).toEqual(places);
    expect(there.length).toBeLessThanOrEqual(places.length + 1);
    expect(there.map(({ name }) => name)).toEqual(there.map((_, n) => `${appender}.${n}`));
  }
  expect([...by.keys()].filter((appender) => !appended.has(appender))).toEqual([]);
  return found;
}

/** Asks the program whether the log is intact; how many events there are. */
export async function verified(log: string): Promise<number> {
  const { code, out, err } = await run(['verify', '--json', '--log', log]);
  expect({ code, err }).toEqual({ code: 0, err: '' });
  const { events, faults } = JSON.parse(out) as { events: number; faults: unknown[] };
  expect(faults).toEqual([]);
  return events;
}

/** Numbers in [0, 1) that are the same in every run. */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
