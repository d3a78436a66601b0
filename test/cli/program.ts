/**
 * The program, as a child process or in the process of the test.
 *
 * @module
 */
import { spawn } from 'node:child_process';
import { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { inject } from 'vitest';
import { dispatch } from '../../cli/dispatch.ts';
import { outputTo, sayTo } from '../../cli/output.ts';

export const root = fileURLToPath(new URL('../..', import.meta.url));
/** The program of the checkout, module by module. */
export const checkout = fileURLToPath(new URL('../../cli/main.ts', import.meta.url));
/** The program in one bundle, which starts in a third of the time, with the packages of the checkout. */
export const main = inject('programWithPackages');
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

/** Verbs that need the streams and the signals of a process. */
const ofProcess: ReadonlySet<string> = new Set(['run', 'record', 'tail']);

/**
 * Runs `vfio-ledger` with these arguments: in this process, which saves most of the time, or as a
 * program if that could make a difference.
 */
export async function run(
  args: readonly string[],
  surroundings: Surroundings = {},
): Promise<Ended> {
  const { input = '', ...others } = surroundings;
  const isApart = Object.keys(others).length > 0 || ofProcess.has(args[0] ?? '');
  return isApart ? runProgram(args, surroundings) : runHere(args, input);
}

/** Runs `vfio-ledger` with these arguments as a program. */
export function runProgram(args: readonly string[], surroundings?: Surroundings): Promise<Ended> {
  return runCommand(process.execPath, [inject('program'), ...args], surroundings);
}

async function runHere(args: readonly string[], input: string | Uint8Array): Promise<Ended> {
  const out = new Taken();
  const err = new Taken();
  const { VFIO_LEDGER_LOG: _, ...env } = process.env;
  try {
    const code = await dispatch(args, {
      stdin: Readable.from(input.length === 0 ? [] : [Buffer.from(input)], { objectMode: false }),
      out: outputTo(
        out,
        (text) => text,
        () => {},
      ),
      say: sayTo(err, () => {}),
      progress: { tell: () => {}, clear: () => {} },
      env,
    });
    return { code, out: out.text, err: err.text };
  } finally {
    // V8's own: what is best for a program that ends soon is not for the tests after it.
    setFlagsFromString('--semi-space-growth-factor=2');
    setFlagsFromString('--heap-growing-percent=0');
  }
}

/** Keeps what is written to it. */
class Taken extends Writable {
  readonly #chunks: Buffer[] = [];

  override _write(chunk: Buffer, _: BufferEncoding, done: () => void): void {
    this.#chunks.push(chunk);
    done();
  }

  get text(): string {
    return Buffer.concat(this.#chunks).toString();
  }
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
