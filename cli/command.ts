/**
 * A command that is a child of ours: signals reach it as they would without us. And processes, as
 * `/proc` has them.
 *
 * @module
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { TracerError } from './tracer.ts';

/** How a command ended. */
export interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A process that was there when the command that it comes from had ended. */
export interface LeftBehind {
  readonly pid: number;
  readonly comm: string;
}

const FORWARDED = ['SIGINT', 'SIGQUIT', 'SIGHUP', 'SIGTERM', 'SIGUSR2'] as const;

/** With standard input, output and error of our own. */
export class Command {
  readonly pid: number | null;
  /** What ends us ends the command; what a terminal sends it has got already. */
  readonly ended: Promise<Ending>;

  constructor(program: string, args: readonly string[]) {
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

export function processes(): readonly number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

/** A process that runs; null where it has ended, is a thread of another, or never was. */
export function statusOf(pid: number): { readonly comm: string; readonly tracer: number } | null {
  const status = textOf(`/proc/${pid}/status`);
  const field = (name: string) => new RegExp(`^${name}:\\t(.*)$`, 'm').exec(status)?.[1] ?? '';
  if (Number(field('Tgid')) !== pid || /^[ZX]/.test(field('State'))) return null;
  return { comm: field('Name'), tracer: Number(field('TracerPid')) };
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
