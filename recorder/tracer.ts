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
   * Whether it shows that this process looks up a path below /dev/vfio: then a look-up asks it
   * whether it has attached. Any other tracer has attached once it prints a line.
   */
  readonly showsProbes: boolean;
}

/** How a tracer ended. */
export interface TracerEnd {
  /** Such as `it was killed by SIGKILL`, and the last line of its standard error. */
  readonly reason: string;
}

/** The longest that a tracer may take to compile and to attach. */
const ATTACH_MS = 60_000;
const PROBE_EVERY_MS = 50;
/** The longest that is waited for its lines up to now. */
const BARRIER_MS = 2000;
const STOP_MS = 5000;
/** A child of the tracer may keep its output open after it has ended: for so long at most. */
const OUTLIVED_MS = 1000;
const MOST_SAID = 4096;

/** A tracer of the host as a child process. */
export class RunningTracer {
  readonly lines: LineQueue;
  readonly ended: Promise<TracerEnd>;
  readonly #child: ChildProcess;
  readonly #tracer: HostTracer;
  /** A path below /dev/vfio that does not exist, and that no other process looks for. */
  readonly #probe = `/dev/vfio/.ledger-${randomBytes(6).toString('hex')}`;
  #probesSeen = 0;
  #said = '';
  #isEnded = false;
  #hasSpoken = false;

  /** Starts it. `look` is given each line as it arrives. */
  constructor(tracer: HostTracer, look: (line: string) => void = () => {}) {
    this.#tracer = tracer;
    const [program, ...args] = tracer.command;
    // In a process group of its own: this process stops it, not the terminal.
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

  /**
   * Resolves when all probes are attached, or `signal` is aborted. Rejects with `TracerError` if the
   * tracer ends, or takes more than a minute.
   */
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
   * Drops the lines of all that has happened until now. No line is dropped of a tracer that
   * does not show our look-ups, because it cannot be asked what has arrived.
   */
  async passOver(): Promise<void> {
    if (!this.#tracer.showsProbes) return;
    // Dropped while they come: a full queue would stop the reading, and our look-up would not arrive.
    await this.arrived(() => this.lines.clear());
    this.lines.clear();
  }

  /**
   * Resolves when the lines of all that has happened until now have arrived: when the tracer has
   * shown a look-up made now, or after two seconds. At once if it does not show our look-ups.
   * `meanwhile` is called while it waits.
   */
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

  /** Tells it to end, and resolves when it has, and its last lines have arrived. */
  async stop(): Promise<void> {
    // bpftrace and ftrace.sh end their children. In any other command a child may be the tracer.
    if (!this.#isEnded && this.#tracer.showsProbes) this.#child.kill('SIGTERM');
    else if (!this.#isEnded) this.#killAll('SIGTERM');
    const patience = setTimeout(() => this.#killAll('SIGKILL'), STOP_MS);
    await this.ended;
    clearTimeout(patience);
  }

  #error(reason: string): TracerError {
    return new TracerError(`${this.#tracer.name}: ${reason}`);
  }

  /** No line comes before all probes are attached: one that shows our look-up proves that they are. */
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

  /** Signals the tracer and all processes that it has started. */
  #killAll(signal: NodeJS.Signals): void {
    const { pid } = this.#child;
    try {
      if (pid !== undefined) process.kill(-pid, signal);
    } catch {
      // All of them have ended.
    }
  }
}
