/**
 * A command under strace: it is a child of ours as it would be without, and strace stands aside.
 *
 * @module
 */
import { spawnSync } from 'node:child_process';
import {
  closeSync,
  constants,
  mkdtempSync,
  openSync,
  readdirSync,
  readlinkSync,
  rmSync,
} from 'node:fs';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { callKinds } from '../evidence/strace/calls.ts';
import { Command, processes, statusOf, type Ending, type LeftBehind } from './command.ts';
import { LineQueue } from './line-queue.ts';
import { TracerError } from './tracer.ts';

export interface StraceOptions {
  /** strace, or what takes its options. */
  readonly strace: readonly [program: string, ...args: string[]];
  readonly command: readonly string[];
  /** What children that the command leaves behind have to end by themselves. */
  readonly patienceMs: number;
  /** Takes the lines of strace. */
  readonly follow: (lines: AsyncIterable<string>) => Promise<void>;
}

/** Not every kernel has each of them, nor every strace. */
const CALLS = [...callKinds.keys()].map((name) => `?${name}`).join(',');
/**
 * `-DD`: strace is no parent of the command, and in a process group of its own, so that what a
 * terminal sends reaches the command alone. `-I2`: it can be ended, and lets go of whom it traces.
 */
const OPTIONS = [
  '-DD',
  '-I2',
  '-q',
  '-f',
  '-y',
  '-ttt',
  '-e',
  'signal=none',
  '-e',
  `trace=${CALLS}`,
];
const DETACH_MS = 2000;

/** Runs a command to its end. Rejects with `TracerError` where strace cannot be had. */
export async function runTraced(
  options: StraceOptions,
): Promise<Ending & { readonly left: readonly LeftBehind[] }> {
  const folder = mkdtempSync(join(tmpdir(), 'vfio-ledger-'));
  const pipe = join(folder, 'trace');
  try {
    const { status, error } = spawnSync('mkfifo', ['-m', '600', pipe]);
    if (status !== 0) throw new TracerError(`mkfifo ${pipe}: ${error?.message ?? 'it failed'}`);
    return await runInto(pipe, options);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function runInto(pipe: string, options: StraceOptions) {
  const { strace, command, patienceMs, follow } = options;
  const reader = openSync(pipe, constants.O_RDONLY | constants.O_NONBLOCK);
  // While somebody could still write there is no end of it: strace takes a while to open it.
  const writer = openSync(pipe, constants.O_WRONLY | constants.O_NONBLOCK);
  const socket = new Socket({ fd: reader, readable: true, writable: false });
  const [program, ...first] = strace;
  const args = [...first, ...OPTIONS, '-o', pipe, '--', ...command];
  const followed = follow(new LineQueue(socket));
  // Without a log the command goes on all the same, and is not held up by a pipe that is full.
  followed.catch(() => socket.destroy());
  let ending: Ending;
  try {
    ending = await new Command(program, args).ended;
  } finally {
    closeSync(writer);
  }
  const isOver = async (ms: number) =>
    Promise.race([followed.then(() => true), sleep(ms, false, { ref: false })]);
  let left: readonly LeftBehind[] = [];
  if (!(await isOver(patienceMs))) {
    const tracers = writersOf(pipe);
    left = tracedBy(tracers);
    for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
      for (const pid of tracers) kill(pid, signal);
      if (await isOver(DETACH_MS)) break;
    }
    socket.destroy();
  }
  await followed;
  return { ...ending, left };
}

/** Who has the pipe open, but for this process. */
function writersOf(pipe: string): readonly number[] {
  return processes().filter((pid) => {
    if (pid === process.pid) return false;
    const folder = `/proc/${pid}/fd`;
    try {
      return readdirSync(folder).some((fd) => targetOf(`${folder}/${fd}`) === pipe);
    } catch {
      return false;
    }
  });
}

function tracedBy(tracers: readonly number[]): readonly LeftBehind[] {
  return processes().flatMap((pid) => {
    const status = statusOf(pid);
    return status !== null && tracers.includes(status.tracer) ? [{ pid, comm: status.comm }] : [];
  });
}

function targetOf(path: string): string | null {
  try {
    return readlinkSync(path);
  } catch {
    return null;
  }
}

function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended by itself.
  }
}
