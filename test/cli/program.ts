/**
 * The program as a child process.
 *
 * @module
 */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { inject } from 'vitest';

export const root = fileURLToPath(new URL('../..', import.meta.url));
export const main = fileURLToPath(new URL('../../cli/main.ts', import.meta.url));
export const hostTopology = `${root}examples/host.topology.json`;
export const twoContexts = `${root}examples/two-contexts.scenario`;

/** The program starts in a third of the time when its modules have been compiled before. */
const NODE_COMPILE_CACHE = `${root}node_modules/.cache/vfio-ledger`;

export interface Surroundings {
  readonly cwd?: string;
  /** Standard input; none when left out. */
  readonly input?: string | Uint8Array;
  readonly env?: Readonly<Record<string, string>>;
  /** Stops reading standard output after the first piece of it, as `head` does. */
  readonly readsOnce?: boolean;
}

export interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** Runs a command to its end. */
export function runCommand(
  command: string,
  args: readonly string[],
  { cwd = root, input = '', env = {}, readsOnce = false }: Surroundings = {},
): Promise<Ended> {
  const { VFIO_LEDGER_LOG: _, ...inherited } = process.env;
  const child = spawn(command, args, { cwd, env: { ...inherited, NODE_COMPILE_CACHE, ...env } });
  let out = '';
  let err = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text;
    if (readsOnce) child.stdout.destroy();
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text));
  // The program may end before it has read all of its input.
  child.stdin.on('error', () => {}).end(input);
  return new Promise((resolve, reject) => {
    child.on('error', reject).on('close', (code) => resolve({ code, out, err }));
  });
}

/** Runs `vfio-ledger` with these arguments. */
export function run(args: readonly string[], surroundings?: Surroundings): Promise<Ended> {
  return runCommand(process.execPath, [inject('program'), ...args], surroundings);
}

const tell = `
import { registerHooks } from 'node:module';
registerHooks({
  load(url, context, next) {
    if (url.startsWith('file:')) process.stderr.write(url + '\\n');
    return next(url, context);
  },
});`;

/** The paths of the files that a program loads on its way; it must succeed without a message. */
export async function loadedBy(program: string, ...words: string[]): Promise<string[]> {
  const args = ['--import', `data:text/javascript,${encodeURIComponent(tell)}`, program, ...words];
  const { code, err } = await runCommand(process.execPath, args);
  if (code !== 0) throw new Error(`${words.join(' ')} ended with ${code}: ${err}`);
  return err
    .trimEnd()
    .split('\n')
    .map((url) => fileURLToPath(url));
}

/** The lines of a text, each as JSON. */
export function jsonLines(text: string): Record<string, unknown>[] {
  const lines = text.trimEnd().split('\n');
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}
