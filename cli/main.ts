/**
 * The program: `vfio-ledger VERB …`.
 *
 * @module
 */
import { readFileSync } from 'node:fs';
import { findPackageJSON } from 'node:module';
import { printable } from '../words/printable.ts';
import { exit, failureOf } from './failure.ts';
import { helpOn, overview } from './help.ts';
import { outputTo } from './output.ts';
import { paintFor } from './paint.ts';
import { progressOn } from './progress.ts';
import type { Io } from './verb.ts';
import { verbs } from './verbs.ts';

async function dispatch([name, ...args]: readonly string[], io: Io): Promise<number> {
  if (name === undefined) {
    io.stderr.write(`${(await allHelp()).join('\n')}\n`);
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

async function allHelp(): Promise<string[]> {
  const { summaries } = await import('./summaries.ts');
  return overview(summaries);
}

async function unknownVerb(name: string, io: Io): Promise<number> {
  const { meantClause } = await import('../events/nearest.ts');
  const known = [...verbs.keys()];
  const meant = meantClause(name, known);
  io.stderr.write(
    `vfio-ledger: no verb '${printable(name)}'; there are ${known.join(', ')}${meant}\n`,
  );
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
    const { code, message } = failureOf(error);
    io.progress.clear();
    io.stderr.write(`vfio-ledger: ${message}\n`);
    return code;
  }
}

// Without a reader of standard error the program still ends with its exit code.
process.stderr.on('error', () => {});
const progress = progressOn(process.stderr);
process.exitCode = await run(process.argv.slice(2), {
  get stdin() {
    return process.stdin;
  },
  out: outputTo(process.stdout, progress.clear),
  paint: paintFor(process.stdout, process.env),
  progress,
  stderr: process.stderr,
  env: process.env,
});
