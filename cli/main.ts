/**
 * The program: `vfio-ledger VERB …`.
 *
 * @module
 */
import { readFileSync } from 'node:fs';
import { findPackageJSON } from 'node:module';
import type { Line } from '../words/columns.ts';
import { exit, failureOf } from './failure.ts';
import { helpOn, overview } from './help.ts';
import { outputTo, sayTo } from './output.ts';
import { paintFor } from './paint.ts';
import { progressOn } from './progress.ts';
import type { Io } from './verb.ts';
import { verbs } from './verbs.ts';

async function dispatch([name, ...args]: readonly string[], io: Io): Promise<number> {
  if (name === undefined) {
    io.say(...(await allHelp()));
    return exit.badRequest;
  }
  if (name === '--version') {
    await io.out.print([version()]);
    return exit.done;
  }
  if (name === '--help' || name === '-h' || name === 'help') return help(args, io);
  const load = verbs.get(name);
  return load === undefined ? unknownVerb(name, io) : (await load()).run(args, io);
}

async function help([name]: readonly string[], io: Io): Promise<number> {
  const load = name === undefined ? undefined : verbs.get(name);
  if (name !== undefined && load === undefined) return unknownVerb(name, io);
  await io.out.print(load === undefined ? await allHelp() : helpOn(await load()));
  return exit.done;
}

async function allHelp(): Promise<Line[]> {
  const { summaries } = await import('./summaries.ts');
  return overview(summaries);
}

async function unknownVerb(name: string, io: Io): Promise<number> {
  const { meantClause } = await import('../events/nearest.ts');
  const known = [...verbs.keys()];
  const meant = meantClause(name, known);
  io.say(`vfio-ledger: no verb '${name}'; there are ${known.join(', ')}${meant}`);
  return exit.badRequest;
}

function version(): string {
  const manifest = readFileSync(findPackageJSON(import.meta.url) ?? '', 'utf8');
  return (JSON.parse(manifest) as { version: string }).version;
}

async function run(args: readonly string[], io: Io): Promise<number> {
  try {
    return await dispatch(args, io);
  } catch (error) {
    return told(error, io);
  }
}

/** Says what failed; returns the exit code. */
function told(error: unknown, io: Pick<Io, 'say'>): number {
  const { code, message, stack = [] } = failureOf(error);
  io.say(`vfio-ledger: ${message}`, ...stack);
  return code;
}

// Without a reader of standard error the program still ends with its exit code.
process.stderr.on('error', () => {});
const progress = progressOn(process.stderr);
const say = sayTo(process.stderr, progress.clear);
// Thrown where no verb catches it. Node would print it as it is, and end with 1, which means "no".
process.on('uncaughtException', (error) => process.exit(told(error, { say })));
process.exitCode = await run(process.argv.slice(2), {
  get stdin() {
    return process.stdin;
  },
  out: outputTo(process.stdout, paintFor(process.stdout, process.env), progress.clear),
  say,
  progress,
  env: process.env,
});
