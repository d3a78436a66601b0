/**
 * Finds the verb that the words of a command line name, and runs it.
 *
 * @module
 */
import { readFileSync } from 'node:fs';
import { findPackageJSON } from 'node:module';
import type { Line } from '../words/columns.ts';
import { exit, failureOf } from './failure.ts';
import { helpOn, overview } from './help.ts';
import type { Io } from './verb.ts';
import { verbs } from './verbs.ts';

/** Runs a command line: `VERB …`. Resolves to the exit code; what fails is told. */
export async function dispatch(args: readonly string[], io: Io): Promise<number> {
  try {
    return await answered(args, io);
  } catch (error) {
    return told(error, io);
  }
}

/** Says what failed; returns the exit code. */
export function told(error: unknown, io: Pick<Io, 'say'>): number {
  const { code, message, stack = [] } = failureOf(error);
  io.say(`vfio-ledger: ${message}`, ...stack);
  return code;
}

async function answered([name, ...args]: readonly string[], io: Io): Promise<number> {
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
