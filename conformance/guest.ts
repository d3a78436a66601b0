/**
 * A real kernel in QEMU, which performs sequences of the scenario language.
 *
 * No KVM and no network: it is the same everywhere. The guest's only program is the agent in
 * `guest/`; it reads operations from a serial port and writes an answer for each.
 *
 * @module
 */
import { spawn, spawnSync, type ChildProcessByStdio } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import * as v from 'valibot';
import type { Sequence } from '../host/simulation.ts';
import { parseTopology, type Topology } from '../scenario/topology.ts';
import type { EmulatedHost } from './host.ts';
import { initramfs } from './initramfs.ts';
import { consoleIn, provenanceOf } from './provenance.ts';
import { qemuArguments, type Companion } from './qemu.ts';
import { cacheFolder, kernelFolder, missing } from './requirements.ts';

export interface Guest {
  /** The host as the kernel has it. */
  readonly topology: Topology;
  /** The same as the first line of a truth file, with how the answers come about. */
  readonly topologyLine: string;
  /**
   * Performs a sequence; resolves to an answer for each operation, in order. Several may be under
   * way: they are performed one after the other.
   */
  perform(sequence: Sequence): Promise<readonly KernelAnswer[]>;
  /** Ends the guest. */
  close(): Promise<void>;
}

const answerSchema = v.object({
  seq: v.string(),
  n: v.number(),
  p: v.string(),
  op: v.string(),
  /** Null where the process did not answer: then `dead` or `timeout` tells why. */
  rc: v.nullable(v.number()),
  errno: v.exactOptional(v.string()),
  viable: v.exactOptional(v.boolean()),
  container_set: v.exactOptional(v.boolean()),
  driver: v.exactOptional(v.string()),
  pending: v.exactOptional(v.boolean()),
  dead: v.exactOptional(v.boolean()),
  timeout: v.exactOptional(v.boolean()),
  devid: v.exactOptional(v.number()),
  id: v.exactOptional(v.number()),
  pt_id: v.exactOptional(v.number()),
});

export interface KernelAnswer extends Readonly<v.InferOutput<typeof answerSchema>> {
  /** The answer as it came. */
  readonly line: string;
}

/** The guest does not come up, has died or hangs; the message tells the end of its console. */
class GuestError extends Error {
  override readonly name = 'GuestError';
}

/** The kernel has died of what it was asked, at the answer that is missing. */
export class KernelDied extends GuestError {
  readonly sequence: Sequence;
  /** The answers before that, in order. */
  readonly answers: readonly KernelAnswer[];

  constructor({ sequence, answers }: Pick<Task, 'sequence' | 'answers'>) {
    super(`the kernel died in ${sequence.name}`);
    this.sequence = sequence;
    this.answers = answers;
  }
}

/** What the kernel prints where it dies of an error of its own. */
const DEATH = /kernel BUG at|Oops:/;

export interface GuestOptions {
  /** Whether the console shows all that the kernel prints. It boots faster without. */
  readonly isVerbose?: boolean;
  readonly onProgress?: (text: string) => void;
  readonly companion?: Companion;
}

/** How long nothing may come from a guest that boots, and from one that has something to do. */
const BOOT_MS = 180_000;
const SILENCE_MS = 120_000;
/** How long it may take to switch itself off. */
const END_MS = 5000;
/** What the agent takes for a line. */
const LINE_BYTES = 4000;
const CONSOLE_LINES = 15;

/** Boots the kernel of a profile on a host, once. Throws `GuestError`. */
export async function bootOnce(
  profile: string,
  host: EmulatedHost,
  { onProgress = () => {}, companion, isVerbose = false }: GuestOptions = {},
): Promise<Guest> {
  const lacking = missing([profile]).map(({ what, how }) => `${what} is missing: ${how}`);
  if (lacking.length > 0) throw new GuestError(lacking.join('\n'));
  const kernel = kernelFolder(profile);
  const archive = initramfs(compiledAgent(), kernel, host, companion?.entries);
  const folder = mkdtempSync(join(tmpdir(), 'vfio-ledger-guest-'));
  writeFileSync(join(folder, 'initramfs'), archive);
  onProgress(`${profile}: boots as the ${host.name} host`);
  const begun = performance.now();
  const args = qemuArguments(kernel, folder, host, { companion, isVerbose });
  const guest = new QemuGuest(kernel, folder, args, companion?.endMs ?? END_MS);
  await guest.untilUp();
  const seconds = ((performance.now() - begun) / 1000).toFixed(1);
  onProgress(`${profile}: ${guest.topology.kernel} is up after ${seconds} s`);
  return guest;
}

/**
 * The agent's binary. It is named after its sources and how they are compiled: checkouts that share
 * a cache may differ in them.
 */
function compiledAgent(): string {
  const options = ['-std=gnu2x', '-D_GNU_SOURCE', '-static', '-s', '-O2', '-Wall', '-Wextra'];
  const folder = join(import.meta.dirname, 'guest');
  const names = readdirSync(folder).filter((name) => /\.[ch]$/.test(name));
  const digest = createHash('sha256').update(options.join(' '));
  for (const name of names.toSorted()) {
    digest.update(`\0${name}\0`).update(readFileSync(join(folder, name)));
  }
  const binary = join(cacheFolder(), `agent-${digest.digest('hex').slice(0, 12)}`);
  if (existsSync(binary)) return binary;
  mkdirSync(cacheFolder(), { recursive: true });
  const fresh = `${binary}.${process.pid}`;
  const units = names.filter((name) => name.endsWith('.c')).map((name) => join(folder, name));
  const { status, stderr } = spawnSync('gcc', [...options, '-o', fresh, ...units], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new GuestError(`the agent does not compile:\n${stderr}`);
  renameSync(fresh, binary);
  return binary;
}

/** A sequence under way. */
interface Task {
  readonly sequence: Sequence;
  readonly answers: KernelAnswer[];
  resolve(answers: readonly KernelAnswer[]): void;
  reject(error: unknown): void;
}

class QemuGuest implements Guest {
  readonly #kernel: string;
  readonly #folder: string;
  readonly #args: readonly string[];
  readonly #qemu: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly #endMs: number;
  readonly #up = Promise.withResolvers<void>();
  readonly #ended = Promise.withResolvers<void>();
  readonly #tasks: Task[] = [];
  readonly #kill = (): void => void this.#qemu.kill('SIGKILL');
  /** What is left to do when the process ends before the guest. */
  readonly #tidy = (): void => {
    this.#kill();
    rmSync(this.#folder, { recursive: true, force: true });
  };
  #silence: NodeJS.Timeout;
  #complaint = '';
  #host: { readonly line: string; readonly topology: Topology } | null = null;
  /** Why nothing can be performed any more. */
  #failure: GuestError | null = null;

  constructor(kernel: string, folder: string, args: readonly string[], endMs: number) {
    this.#kernel = kernel;
    this.#folder = folder;
    this.#args = args;
    this.#endMs = endMs;
    this.#qemu = spawn('qemu-system-x86_64', args, { stdio: ['pipe', 'pipe', 'pipe'] });
    this.#silence = setTimeout(() => this.#fail('does not come up'), BOOT_MS);
    process.once('exit', this.#tidy);
    this.#qemu.once('error', (error) => this.#end(error.message));
    this.#qemu.once('close', () => this.#end('has ended'));
    // A write to a guest that has ended: its end says more.
    this.#qemu.stdin.on('error', () => {});
    this.#qemu.stderr.setEncoding('utf8').on('data', (text: string) => (this.#complaint += text));
    createInterface({ input: this.#qemu.stdout }).on('line', (line) => this.#take(line));
  }

  get topology(): Topology {
    return this.#known.topology;
  }

  get topologyLine(): string {
    return this.#known.line;
  }

  get #known(): { readonly line: string; readonly topology: Topology } {
    if (this.#host === null) throw new GuestError('the guest is not up yet');
    return this.#host;
  }

  /** Resolves when the kernel is up and the agent has said what the host looks like. */
  untilUp(): Promise<void> {
    return this.#up.promise;
  }

  perform(sequence: Sequence): Promise<readonly KernelAnswer[]> {
    const { promise, resolve, reject } = Promise.withResolvers<readonly KernelAnswer[]>();
    const operations = sequence.operations.map(({ process: by, text }) => `@${by} ${text}`);
    const lines = [`seq ${sequence.name}`, ...operations, 'end'];
    const unfit = lines.find((line) => Buffer.byteLength(line) > LINE_BYTES);
    if (this.#failure !== null) reject(this.#failure);
    else if (operations.length === 0) resolve([]);
    else if (unfit !== undefined) reject(new GuestError(`too long: ${unfit.slice(0, 60)}…`));
    else {
      this.#tasks.push({ sequence, answers: [], resolve, reject });
      if (this.#tasks.length === 1) this.#watch();
      this.#qemu.stdin.write(`${lines.join('\n')}\n`);
    }
    return promise;
  }

  async close(): Promise<void> {
    this.#abandon(new GuestError('the guest was closed'));
    this.#qemu.stdin.end('quit\n');
    const limit = setTimeout(this.#kill, this.#endMs);
    await this.#ended.promise;
    clearTimeout(limit);
  }

  /** While something is to come, something has to come now and then. */
  #watch(): void {
    clearTimeout(this.#silence);
    if (this.#tasks.length === 0) return;
    this.#silence = setTimeout(() => this.#fail('hangs'), SILENCE_MS);
  }

  #take(line: string): void {
    if (this.#failure !== null) return;
    try {
      if (this.#host === null) this.#begin(line);
      else this.#answer(line);
      this.#watch();
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.#fail(`says '${line.slice(0, 200)}': ${reason}`);
    }
  }

  #begin(line: string): void {
    const value = JSON.parse(line) as object;
    const made = provenanceOf(this.#kernel, this.#folder, this.#args);
    this.#host = { line: JSON.stringify({ ...value, made }), topology: parseTopology(value) };
    this.#up.resolve();
  }

  #answer(line: string): void {
    const [task] = this.#tasks;
    const answer = { ...v.parse(answerSchema, JSON.parse(line)), line };
    const isNext = task?.sequence.name === answer.seq && task.answers.length === answer.n;
    if (!isNext) throw new GuestError('nobody asked');
    task.answers.push(answer);
    if (task.answers.length < task.sequence.operations.length) return;
    this.#tasks.shift();
    task.resolve(task.answers);
  }

  #fail(reason: string): void {
    if (this.#failure === null)
      this.#abandon(new GuestError(`the guest ${reason}${this.#traces()}`));
    this.#kill();
  }

  /** Rejects all that is under way, and all that is still to come. */
  #abandon(failure: GuestError): void {
    this.#failure ??= failure;
    clearTimeout(this.#silence);
    this.#up.reject(this.#failure);
    for (const task of this.#tasks.splice(0)) task.reject(this.#failure);
  }

  #end(reason: string): void {
    const [task] = this.#tasks;
    if (task !== undefined && consoleIn(this.#folder).some((line) => DEATH.test(line))) {
      this.#abandon(new KernelDied(task));
    }
    this.#fail(reason);
    process.removeListener('exit', this.#tidy);
    this.#tidy();
    this.#ended.resolve();
  }

  /** What QEMU complained of, and the end of the console. */
  #traces(): string {
    const told = consoleIn(this.#folder).slice(-CONSOLE_LINES);
    return ['', ...this.#complaint.trim().split('\n'), ...told].join('\n  ');
  }
}
