/**
 * A command as a child process: signals reach it as they would without this process in between.
 *
 * @module
 */
import { spawn, type ChildProcess } from 'node:child_process';
import type { ImportReport } from '../ledger.ts';
import { textOf, type RunningProcess } from './running-processes.ts';
import { TracerError } from './tracer.ts';

/** How a command ended. */
export interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface RunOptions {
  /** How long processes that the command leaves behind may take to end. */
  readonly patienceMs: number;
  /** Where a copy of the host is read; undefined for this host. */
  readonly root: string | undefined;
  /** Called when the host has been read, before the command is started; if it throws, it never is. */
  readonly beforeCommand: (() => void) | undefined;
}

/** A command that was traced to its end. */
export interface TracedCommand {
  readonly exit: Ending;
  /** The last position before it was started. */
  readonly after: number;
  /** What was read of the trace. */
  readonly report: ImportReport;
  /** Its processes that were still running when it had ended. */
  readonly left: readonly RunningProcess[];
  /** All of its processes; undefined if nothing else was traced. */
  readonly pids: readonly number[] | undefined;
}

const FORWARDED = ['SIGINT', 'SIGQUIT', 'SIGHUP', 'SIGTERM', 'SIGUSR2'] as const;

/** A child process with standard input, output and error of this process. */
export class Command {
  readonly pid: number | null;
  /**
   * Until then the signals that would end this process are passed on; those of a terminal the
   * command has got itself. Rejects with `TracerError` if it cannot be started.
   */
  readonly ended: Promise<Ending>;

  constructor([program = '', ...args]: readonly string[]) {
    const child = spawn(program, args, { stdio: 'inherit' });
    this.pid = child.pid ?? null;
    this.ended = ended(child);
  }
}

async function ended(child: ChildProcess): Promise<Ending> {
  const forward = (signal: NodeJS.Signals) => {
    const isOfTerminal = signal !== 'SIGTERM' && signal !== 'SIGUSR2' && isInForeground();
    if (!isOfTerminal) child.kill(signal);
  };
  for (const signal of FORWARDED) process.on(signal, forward);
  try {
    return await new Promise<Ending>((resolve, reject) => {
      child.on('exit', (code, signal) => resolve({ code, signal }));
      child.on('error', ({ message }) => reject(new TracerError(message)));
    });
  } finally {
    for (const signal of FORWARDED) process.off(signal, forward);
  }
}

/** Whether a terminal sends its signals to this process and its children. */
function isInForeground(): boolean {
  // Fields from the third on: state, parent, group, session, terminal, the group in the foreground.
  const stat = textOf('/proc/self/stat');
  const [, , group, , , foreground] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return group !== undefined && group === foreground;
}
