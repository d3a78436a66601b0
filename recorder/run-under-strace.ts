/**
 * Runs a command under strace. It is a child of this process, as it would be without strace, which
 * traces it from a process group of its own.
 *
 * @module
 */
import { spawnSync } from 'node:child_process';
import { closeSync, constants, openSync, readdirSync, readlinkSync, rmSync } from 'node:fs';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { callKinds } from '../evidence/strace/calls.ts';
import { makeTemporaryFolder } from '../evidence/temporary-folder.ts';
import type { Ledger } from '../ledger.ts';
import { Command, type Ending, type RunOptions, type TracedCommand } from './command.ts';
import { LineQueue } from './line-queue.ts';
import { pids, statusOf, type RunningProcess } from './running-processes.ts';
import { snapshotNow } from './snapshot.ts';
import { TracerError } from './tracer.ts';

/** strace, or a program that takes its options. */
export interface Strace {
  readonly format: 'strace';
  readonly command: readonly [program: string, ...args: string[]];
}

/** The calls to trace; with `?` strace passes over one that it or the kernel does not know. */
const CALLS = [...callKinds.keys()].map((name) => `?${name}`).join(',');
/**
 * `-DD`: strace is not the parent of the command, and has a process group of its own, so that signals
 * of a terminal reach the command alone. `-I2`: SIGTERM ends strace, which then detaches.
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

/**
 * Records how the host stands, and then a command to its end. Rejects with `TracerError` if strace
 * cannot be started, or shows nothing of the command.
 */
export async function runUnderStrace(
  ledger: Ledger,
  strace: Strace,
  command: readonly string[],
  { patienceMs, root, beforeCommand }: RunOptions,
): Promise<TracedCommand> {
  await snapshotNow(ledger, root);
  beforeCommand?.();
  const folder = makeTemporaryFolder();
  const pipe = join(folder, 'trace');
  try {
    const { status, error } = spawnSync('mkfifo', ['-m', '600', pipe]);
    if (status !== 0) throw new TracerError(`mkfifo ${pipe}: ${error?.message ?? 'it failed'}`);
    const args = [...OPTIONS, '-o', pipe, '--', ...command];
    return await traceInto(pipe, ledger, [...strace.command, ...args], patienceMs);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function traceInto(
  pipe: string,
  ledger: Ledger,
  strace: readonly string[],
  patienceMs: number,
): Promise<TracedCommand> {
  const after = ledger.head.position;
  const reader = openSync(pipe, constants.O_RDONLY | constants.O_NONBLOCK);
  // Held open until the command has ended: else the pipe would be at its end before strace opens it.
  const writer = openSync(pipe, constants.O_WRONLY | constants.O_NONBLOCK);
  const socket = new Socket({ fd: reader, readable: true, writable: false });
  const followed = ledger.follow(new LineQueue(socket), { format: 'strace', isThisHost: true });
  // If appending fails the command still runs to its end, and does not block on a full pipe.
  followed.catch(() => socket.destroy());
  let exit: Ending;
  try {
    exit = await new Command(strace).ended;
  } finally {
    closeSync(writer);
  }
  const isOver = async (ms: number) =>
    Promise.race([followed.then(() => true), sleep(ms, false, { ref: false })]);
  let left: readonly RunningProcess[] = [];
  if (!(await isOver(patienceMs))) {
    const tracers = writersOf(pipe);
    left = tracedBy(tracers);
    for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
      for (const pid of tracers) kill(pid, signal);
      if (await isOver(DETACH_MS)) break;
    }
    socket.destroy();
  }
  const report = await followed;
  if (report.read === 0) {
    throw new TracerError(
      'strace shows no call of the command: it may lack the permission to trace',
    );
  }
  return { exit, after, report, left, pids: undefined };
}

/** The processes that have the pipe open, this one left out. */
function writersOf(pipe: string): readonly number[] {
  return pids().filter((pid) => {
    if (pid === process.pid) return false;
    const folder = `/proc/${pid}/fd`;
    try {
      return readdirSync(folder).some((fd) => targetOf(`${folder}/${fd}`) === pipe);
    } catch {
      return false;
    }
  });
}

function tracedBy(tracers: readonly number[]): readonly RunningProcess[] {
  return pids().flatMap((pid) => {
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
    // It has ended.
  }
}
