/**
 * A tracer of the whole host as a child process: its lines, whether it has attached, its end.
 *
 * @module
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { open } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { LedgerError } from '../ledger.ts';
import { LineQueue } from './line-queue.ts';

/** No tracer can be started, or it fails; `unavailable`. */
export class TracerError extends LedgerError {
  override readonly name = 'TracerError';

  constructor(message: string) {
    super('unavailable', message);
  }
}

/** A program that traces the whole host. */
export interface HostTracer {
  /** For messages. */
  readonly name: string;
  /** Of the lines that it prints; bpftrace prints them with `-f json`. */
  readonly format: 'bpftrace' | 'ftrace';
  readonly command: readonly [program: string, ...args: string[]];
  /**
   * Whether it shows that this process looks for a file below /dev/vfio: then that is how it is
   * asked if it has attached. Any other has attached once it prints a line.
   */
  readonly showsProbes: boolean;
}

/** How a tracer came to its end. */
export interface TracerEnd {
  /** `it was killed by SIGKILL`, with the last that it has said. */
  readonly reason: string;
}

/** What a tracer takes to compile and to attach. */
const ATTACH_MS = 60_000;
const PROBE_EVERY_MS = 50;
/** What its last lines take to come. */
const BARRIER_MS = 2000;
const STOP_MS = 5000;
/** Its output outlives a tracer only where a child of it has that. */
const OUTLIVED_MS = 1000;
const MOST_SAID = 4096;

/** A tracer of the host as a child process. */
export class RunningTracer {
  readonly lines: LineQueue;
  readonly ended: Promise<TracerEnd>;
  readonly #child: ChildProcess;
  readonly #tracer: HostTracer;
  /** A path below /dev/vfio that is not there, and nobody else looks for. */
  readonly #probe = `/dev/vfio/.ledger-${randomBytes(6).toString('hex')}`;
  #probesSeen = 0;
  #said = '';
  #isEnded = false;
  #hasSpoken = false;

  /** `look` is shown each line as it arrives. */
  constructor(tracer: HostTracer, look: (line: string) => void = () => {}) {
    this.#tracer = tracer;
    const [program, ...args] = tracer.command;
    // In a group of its own: it is stopped by us, not by the terminal.
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], detached: true });
    this.#child = child;
    this.lines = new LineQueue(child.stdout, (line) => {
      look(line);
      return this.#see(line);
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#said = (this.#said + text).slice(-MOST_SAID);
    });
    this.ended = this.#end(child);
  }

  /** Resolves when everything is traced. Rejects with `TracerError`. */
  async attached(signal: AbortSignal): Promise<void> {
    const late = performance.now() + ATTACH_MS;
    while (!signal.aborted) {
      if (await this.#isAtWork()) return;
      if (this.#isEnded) throw this.#error((await this.ended).reason);
      if (performance.now() > late) throw this.#error('it has not attached within a minute');
      await sleep(PROBE_EVERY_MS);
    }
  }

  /**
   * Resolves when all that has happened until now has arrived, as far as that can be told, and
   * passes over it. One that cannot be asked has all that it says be taken.
   */
  async passOver(): Promise<void> {
    if (!this.#tracer.showsProbes) return;
    // It is not to stop reading on account of what nobody wants.
    await this.arrived(() => this.lines.clear());
    this.lines.clear();
  }

  /** Resolves when all that has happened until now has arrived, as far as that can be told. */
  async arrived(meanwhile: () => void = () => {}): Promise<void> {
    if (!this.#tracer.showsProbes) return;
    const seen = this.#probesSeen;
    const late = performance.now() + BARRIER_MS;
    await this.#lookFor();
    while (this.#probesSeen === seen && !this.#isEnded && performance.now() < late) {
      meanwhile();
      await sleep(5);
    }
  }

  /** Has it tell the rest, and end. */
  async stop(): Promise<void> {
    // Those that are ours see to whom they have started; of others nobody knows who does the work.
    if (!this.#isEnded && this.#tracer.showsProbes) this.#child.kill('SIGTERM');
    else if (!this.#isEnded) this.#killAll('SIGTERM');
    const patience = setTimeout(() => this.#killAll('SIGKILL'), STOP_MS);
    await this.ended;
    clearTimeout(patience);
  }

  #error(reason: string): TracerError {
    return new TracerError(`${this.#tracer.name}: ${reason}`);
  }

  /** Lines come only when all probes are there: one that shows our own look is proof. */
  async #isAtWork(): Promise<boolean> {
    if (!this.#tracer.showsProbes) return this.#hasSpoken;
    this.lines.clear();
    await this.#lookFor();
    return this.#probesSeen > 0;
  }

  async #lookFor(): Promise<void> {
    const file = await open(this.#probe).catch(() => null);
    await file?.close();
  }

  #see(line: string): boolean {
    this.#hasSpoken = true;
    if (!line.includes(this.#probe)) return true;
    this.#probesSeen++;
    return false;
  }

  async #end(child: ChildProcess): Promise<TracerEnd> {
    const how = await new Promise<string>((resolve) => {
      child.on('error', ({ message }) => resolve(message));
      child.on('exit', (code, signal) => {
        resolve(signal === null ? `it ended with exit code ${code}` : `it was killed by ${signal}`);
      });
    });
    this.#isEnded = true;
    if (child.pid !== undefined) await this.#closed(child);
    const last = this.#said.trim().split('\n').at(-1) ?? '';
    return { reason: last === '' ? how : `${how}: ${last}` };
  }

  async #closed({ stdout }: ChildProcess): Promise<void> {
    if (stdout === null || stdout.closed) return;
    const patience = setTimeout(() => this.#killAll('SIGKILL'), OUTLIVED_MS);
    const end = setTimeout(() => stdout.destroy(), OUTLIVED_MS + STOP_MS);
    await new Promise((resolve) => stdout.on('close', resolve));
    clearTimeout(patience);
    clearTimeout(end);
  }

  /** The tracer and whoever it has started. */
  #killAll(signal: NodeJS.Signals): void {
    const { pid } = this.#child;
    try {
      if (pid !== undefined) process.kill(-pid, signal);
    } catch {
      // All of them are gone.
    }
  }
}
