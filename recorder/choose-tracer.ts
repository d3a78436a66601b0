/**
 * Chooses a tracer: the one that is asked for, or the first that is installed and permitted.
 *
 * @module
 */
import { readFileSync } from 'node:fs';
import { findPackageJSON } from 'node:module';
import { dirname, join } from 'node:path';
import { findProgram, type Environment } from './find-program.ts';
import type { Strace } from './run-under-strace.ts';
import { TracerError, type HostTracer } from './tracer.ts';

export interface TracerChoice<Name extends string> {
  /** Undefined chooses the first that is installed. */
  readonly name: Name | undefined;
  /** A command line for `sh`, which is run instead of the program of that name. */
  readonly line: string | undefined;
  /** Programs are searched in its `PATH`. */
  readonly env: Environment;
}

/**
 * A tracer of the whole host: bpftrace if it is installed, else ftrace. Throws `unavailable` if this
 * process is not root, or if bpftrace is asked for and not installed.
 */
export function chooseHostTracer(choice: TracerChoice<HostTracer['format']>): HostTracer {
  const { name, line, env } = choice;
  if (line !== undefined) return ownTracer(name ?? 'bpftrace', line);
  if (!isRoot()) throw new TracerError('tracing a host needs root');
  const bpftrace = findProgram('bpftrace', env);
  if (bpftrace === null && name === 'bpftrace') {
    throw new TracerError('bpftrace is not installed; ftrace needs only the kernel');
  }
  if (bpftrace !== null && name !== 'ftrace') {
    return bpftraceWith([bpftrace, '-f', 'json', script('vfio.bt')]);
  }
  const command = ['sh', script('ftrace.sh')] as const;
  return { name: 'ftrace', format: 'ftrace', command, showsProbes: true };
}

/**
 * A tracer for one command: strace if it is installed, else bpftrace. Throws `unavailable` if
 * neither is installed, or if only bpftrace is and this process is not root.
 */
export function chooseCommandTracer({
  name,
  line,
  env,
}: TracerChoice<'strace' | 'bpftrace'>): Strace | HostTracer {
  if (line !== undefined && name === 'bpftrace') return ownTracer(name, line);
  if (line !== undefined) {
    return { format: 'strace', command: ['sh', '-c', `exec ${line} "$@"`, 'sh'] };
  }
  const strace = name === 'bpftrace' ? null : findProgram('strace', env);
  if (strace !== null) return { format: 'strace', command: [strace] };
  const bpftrace = name === 'strace' ? null : findProgram('bpftrace', env);
  if (bpftrace !== null && isRoot()) {
    return bpftraceWith([bpftrace, '-f', 'json', '-e', programWithForks()]);
  }
  if (bpftrace !== null) throw new TracerError('tracing with bpftrace needs root');
  const missing = name ?? 'strace';
  throw new TracerError(
    `${missing} is not installed: apt-get install ${missing}, or dnf install ${missing}`,
  );
}

/** The user's own tracer, with the output of bpftrace or ftrace. It may not trace this process. */
function ownTracer(format: HostTracer['format'], line: string): HostTracer {
  return { name: 'the tracer', format, command: ['sh', '-c', line], showsProbes: false };
}

/** bpftrace with `recorder/vfio.bt`, or a program that prints the same lines. */
function bpftraceWith(command: HostTracer['command']): HostTracer {
  return { name: 'bpftrace', format: 'bpftrace', command, showsProbes: true };
}

/** `recorder/vfio.bt` that also prints the forks of processes without a VFIO file. */
function programWithForks(): string {
  const [, ...lines] = readFileSync(script('vfio.bt'), 'utf8').split('\n');
  return `${lines.join('\n')}
tracepoint:task:task_newtask
/@ours[pid] == 0/
{
  printf("{\\"t\\":%llu,\\"pid\\":%d,\\"tid\\":%d,\\"comm\\":\\"%s\\",\\"ev\\":\\"fork\\",\\"child\\":%d,\\"flags\\":%llu}\\n",
    nsecs, pid, tid, comm, args->pid, args->clone_flags);
}
`;
}

/** The path of a script in `recorder/`, in a checkout and in a package: scripts are not compiled. */
function script(name: string): string {
  return join(dirname(findPackageJSON(import.meta.url) ?? ''), 'recorder', name);
}

function isRoot(): boolean {
  return process.getuid?.() === 0;
}
