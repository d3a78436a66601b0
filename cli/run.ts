/**
 * `run`: what a command does with devices, and what it fails to give back.
 *
 * @module
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { instantOf } from '../evidence/instants.ts';
import { openLedger, RequestError, type ImportReport, type Ledger } from '../ledger.ts';
import { titled } from '../words/columns.ts';
import { moreWords } from '../words/moments.ts';
import { runWords } from '../words/run.ts';
import type { Ending } from './command.ts';
import { exit } from './failure.ts';
import { logOptions, recordIn } from './log-file.ts';
import { programNamed, recorderFile } from './programs.ts';
import { reportOn, type RunReport } from './run-report.ts';
import { readingOf, rootOption } from './snapshot.ts';
import { runTraced, type StraceOptions } from './strace.ts';
import { bpftraceWith, TracerError, type Tracing } from './tracer.ts';
import { verb, type Io } from './verb.ts';
import { runWatched } from './watched.ts';

const PATIENCE_MS = 1000;
const MOST_SHOWN = 50;
/** As shells have it. */
const NO_SUCH_COMMAND = 127;
const KILLED = 128;

export const run = verb({
  name: 'run',
  usage: 'run [--fail-on-leak] [--log LOG] [--json] -- CMD [ARG]...',
  summary: 'Runs a command, and says which devices it opened and failed to release',
  details: [
    'CMD runs under strace with standard input, output and error of its own; signals reach it as',
    'they would without. When it has ended, what it did with VFIO is told on standard error: who',
    'opened and bound what, what was refused and why, and what is held still, by a child that it has',
    'left behind or by the kernel. Such children have a second to end, and are then let go: strace',
    'leaves them alone, and they run on. With --json it is one JSON value on standard output, after',
    'what CMD printed, with --report in a file.',
    '',
    'bpftrace, which needs root, sees what strace does not: the arguments of ioctls, and what others',
    'do meanwhile. What those do is recorded, and not told as that of CMD.',
    '',
    'The exit code is that of CMD, 128 and the number of the signal where one has killed it; with',
    '--fail-on-leak 1 where something is held still, whatever CMD says.',
    '',
    'Nothing is kept of it unless --log names a log; $VFIO_LEDGER_LOG and the default log are left',
    'alone. One into which the same host is being recorded would have it twice.',
  ],
  options: {
    'fail-on-leak': { type: 'boolean', help: 'exit with 1 where something is held still' },
    log: { type: 'string', value: 'LOG', help: 'record it there' },
    host: logOptions.host,
    wait: {
      type: 'string',
      value: 'SECONDS',
      help: 'what its children have to end, 1 when left out',
    },
    report: { type: 'string', value: 'FILE', help: 'write what is told into a file, as JSON' },
    with: { type: 'string', value: 'T', help: 'strace, where it is installed, or bpftrace' },
    tracer: { type: 'string', value: 'CMD', help: 'one of your own, a line for sh' },
    ...rootOption,
    json: { type: 'boolean', help: 'print one JSON value' },
  },
  operands: [1, Infinity],
  examples: ['vfio-ledger run --json -- true', 'vfio-ledger run -- echo done 2> report.txt'],
  async answer({ values, operands: command }, io) {
    const { log, json, report: file, root } = values;
    const patienceMs = values.wait === undefined ? PATIENCE_MS : secondsOf(values.wait) * 1000;
    const tracing = tracingOf(values, io);
    const [program = ''] = command;
    if (programNamed(program, io.env) === null) {
      io.stderr.write(`vfio-ledger: ${program}: there is no such command\n`);
      return NO_SUCH_COMMAND;
    }
    const act = async (ledger: Ledger, path: string | null) => {
      const report = await runOn(ledger, path, tracing, { command, patienceMs, root });
      if (file !== undefined) writeFileSync(file, `${JSON.stringify(report)}\n`);
      if (json === true) await io.out.print([JSON.stringify(report)]);
      if (file === undefined && json !== true) {
        io.stderr.write(
          runWords(report, shortened)
            .map((line) => `${line}\n`)
            .join(''),
        );
      }
      const isLeak = values['fail-on-leak'] === true && report.held.length > 0;
      return isLeak ? exit.no : codeOf(report.exit);
    };
    if (log !== undefined) return recordIn({ ...values, log }, io, act);
    const ledger = await openLedger(':memory:');
    try {
      return await act(ledger, null);
    } finally {
      await ledger.close();
    }
  },
});

interface Run {
  readonly command: readonly string[];
  readonly root: string | undefined;
  readonly patienceMs: number;
}

async function runOn(
  ledger: Ledger,
  log: string | null,
  tracing: Tracing | StraceOptions['strace'],
  { command, root, patienceMs }: Run,
): Promise<RunReport> {
  if ('format' in tracing) {
    const [program = '', ...args] = command;
    const options = { tracing, command: [program, ...args] as const, root, patienceMs };
    const { after, report, kin, left, ...ending } = await runWatched(ledger, options);
    const { read, rejectedCount } = report;
    const seen = { command, exit: ending, log, left, read, rejectedCount };
    return reportOn(ledger, after, seen, [...kin]);
  }
  const last = ledger.event(ledger.head.position)?.time ?? '';
  const now = instantOf(Date.now() * 1000) ?? '';
  await ledger.snapshot(readingOf(root), { time: last > now ? last : now });
  const { position } = ledger.head;
  let report: ImportReport | null = null;
  const follow = async (lines: AsyncIterable<string>) => {
    report = await ledger.follow(lines, { format: 'strace' });
  };
  const options = { strace: tracing, command, patienceMs, follow };
  const { left, ...ending } = await runTraced(options);
  const { read, rejectedCount } = report ?? { read: 0, rejectedCount: 0 };
  if (read === 0)
    throw new TracerError('strace has shown nothing of the command: it may not trace here');
  return reportOn(ledger, position, { command, exit: ending, log, left, read, rejectedCount });
}

/**
 * strace where it is installed, bpftrace where that alone is, and may be. Throws `RequestError`, or
 * `TracerError` where there is none.
 */
function tracingOf(
  { with: named, tracer }: { readonly with?: string; readonly tracer?: string },
  { env }: Io,
): Tracing | StraceOptions['strace'] {
  if (named !== undefined && named !== 'strace' && named !== 'bpftrace') {
    throw new RequestError(`--with takes strace or bpftrace, not '${named}'`);
  }
  if (tracer !== undefined && named === 'bpftrace') {
    return { ...bpftraceWith(['sh', '-c', tracer]), name: 'the tracer', showsProbes: false };
  }
  if (tracer !== undefined) return ['sh', '-c', `exec ${tracer} "$@"`, 'sh'];
  const strace = named === 'bpftrace' ? null : programNamed('strace', env);
  if (strace !== null) return [strace];
  const bpftrace = named === 'strace' ? null : programNamed('bpftrace', env);
  if (bpftrace !== null && process.getuid?.() === 0) {
    return bpftraceWith([bpftrace, '-f', 'json', '-e', programWithForks()]);
  }
  if (bpftrace !== null) throw new TracerError('tracing with bpftrace needs root');
  const missing = named ?? 'strace';
  throw new TracerError(
    `${missing} is not installed: apt-get install ${missing}, or dnf install ${missing}`,
  );
}

/** The recorder's script, and who begins whom also where neither has a file of ours. */
function programWithForks(): string {
  const [, ...lines] = readFileSync(recorderFile('vfio.bt'), 'utf8').split('\n');
  return `${lines.join('\n')}
tracepoint:task:task_newtask
/@ours[pid] == 0/
{
  printf("{\\"t\\":%llu,\\"pid\\":%d,\\"tid\\":%d,\\"comm\\":\\"%s\\",\\"ev\\":\\"fork\\",\\"child\\":%d,\\"flags\\":%llu}\\n",
    nsecs, pid, tid, comm, args->pid, args->clone_flags);
}
`;
}

/** Of very many rows the first. */
function shortened(title: string, rows: readonly (readonly string[])[]): string[] {
  const more = rows.length - MOST_SHOWN;
  const left = more > 0 ? [`  ${moreWords(more)}: --json has them`] : [];
  return [...titled(title, rows.slice(0, MOST_SHOWN)), ...left];
}

function secondsOf(text: string): number {
  if (/^\d+(?:\.\d+)?$/.test(text)) return Number(text);
  throw new RequestError(`--wait takes seconds, not '${text}'`);
}

function codeOf({ code, signal }: Ending): number {
  return code ?? KILLED + (signal === null ? 0 : constants.signals[signal]);
}
