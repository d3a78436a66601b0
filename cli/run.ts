/**
 * `run`: what a command does with devices, and what it fails to give back.
 *
 * @module
 */
import { writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { openLedger, type Ledger } from '../ledger.ts';
import { chooseCommandTracer } from '../recorder/choose-tracer.ts';
import type { Ending } from '../recorder/command.ts';
import { findProgram } from '../recorder/find-program.ts';
import { runRecorded } from '../recorder/run-recorded.ts';
import { titled } from '../words/columns.ts';
import { moreWords } from '../words/moments.ts';
import { runWords } from '../words/run.ts';
import { exit } from './failure.ts';
import { logOptions, recordIn } from './log-file.ts';
import { rootOption } from './snapshot.ts';
import { millisecondsOf, tracerNamed } from './tracer-options.ts';
import { verb } from './verb.ts';

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
    const { log, json, report: file, root, wait } = values;
    const patienceMs = wait === undefined ? PATIENCE_MS : millisecondsOf('wait', wait);
    const name = tracerNamed(values.with, ['strace', 'bpftrace']);
    const tracer = chooseCommandTracer({ name, line: values.tracer, env: io.env });
    const [program = ''] = command;
    if (findProgram(program, io.env) === null) {
      io.stderr.write(`vfio-ledger: ${program}: there is no such command\n`);
      return NO_SUCH_COMMAND;
    }
    const act = async (ledger: Ledger, path: string | null) => {
      const options = { tracer, patienceMs, root };
      const { exit: ending, ...activity } = await runRecorded(ledger, command, options);
      const report = { command, exit: ending, log: path, ...activity };
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
      return isLeak ? exit.no : codeOf(ending);
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

/** Of very many rows the first. */
function shortened(title: string, rows: readonly (readonly string[])[]): string[] {
  const more = rows.length - MOST_SHOWN;
  const left = more > 0 ? [`  ${moreWords(more)}: --json has them`] : [];
  return [...titled(title, rows.slice(0, MOST_SHOWN)), ...left];
}

function codeOf({ code, signal }: Ending): number {
  return code ?? KILLED + (signal === null ? 0 : constants.signals[signal]);
}
