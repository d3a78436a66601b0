/**
 * `run`: runs a command, and reports which VFIO files it opened and failed to release.
 *
 * @module
 */
import { constants } from 'node:os';
import { openLedger, type Ledger } from '../ledger.ts';
import { writePrivate } from '../log/private-files.ts';
import { chooseCommandTracer } from '../recorder/choose-tracer.ts';
import type { Ending } from '../recorder/command.ts';
import { findProgram } from '../recorder/find-program.ts';
import { runRecorded } from '../recorder/run-recorded.ts';
import {
  actionLines,
  junitText,
  takenWords,
  type HeldBefore,
  type TakenFile,
} from '../words/ci.ts';
import { titled, type Line } from '../words/columns.ts';
import { moreWords } from '../words/moments.ts';
import { unseenWords } from '../words/recording.ts';
import { runWords } from '../words/run.ts';
import { exit } from './failure.ts';
import { logOptions, recordIn } from './log-file.ts';
import { rootOption } from './snapshot.ts';
import { choiceOf, millisecondsOf } from './tracer-options.ts';
import { verb } from './verb.ts';

const PATIENCE_MS = 1000;
const MOST_SHOWN = 50;
/** Exit codes of shells. */
const NO_SUCH_COMMAND = 127;
const KILLED = 128;

export const run = verb({
  name: 'run',
  usage: 'run [--fail-on-leak] [--before-leaks fail|warn] [--log LOG] [--json] -- CMD [ARG]...',
  summary: 'Runs a command and reports which VFIO files it opened and failed to release',
  details: [
    'CMD runs under strace. It has the standard input, output and error of this process, and gets the',
    'signals that it would get without strace. When it has ended, a report on standard error says who',
    'opened and bound what, what was refused and why, and what is still held, by a child of CMD or by',
    'the kernel. Children get one second to end (--wait); after that strace detaches, and they run on.',
    '--json prints the report on standard output, after the output of CMD; --report writes it to a file.',
    '',
    'bpftrace needs root. It also sees the arguments of ioctls, and what other processes do: that is',
    'recorded, but not reported.',
    '',
    'With --before-leaks, what is held already when the host is read is told before CMD is started; with',
    'fail, CMD is then not started, and the exit code is 1. --junit writes a report for a CI. In GitHub',
    'Actions, what was held before and what is still held also stands in ::error lines.',
    '',
    'Exit code: that of CMD, or 128 plus the number of the signal that killed it. With --fail-on-leak, 1',
    'if anything is still held.',
    '',
    'Without --log nothing is kept: $VFIO_LEDGER_LOG and the default log are not used. Do not name a log',
    'that vfio-ledger record is appending to on this host: that log would have every event twice.',
  ],
  options: {
    'fail-on-leak': { type: 'boolean', help: 'exit with 1 if anything is still held' },
    'before-leaks': {
      type: 'string',
      value: 'fail|warn',
      help: 'look before CMD is started whether anything is held',
    },
    junit: { type: 'string', value: 'FILE', help: 'write a JUnit report to this file' },
    log: { type: 'string', value: 'LOG', help: 'record in this log; default: keep nothing' },
    host: logOptions.host,
    'no-index': logOptions['no-index'],
    wait: {
      type: 'string',
      value: 'SECONDS',
      help: 'how long its children may take to end; default: 1',
    },
    report: { type: 'string', value: 'FILE', help: 'write the report to this file, as JSON' },
    with: { type: 'string', value: 'T', help: 'strace (default, if it is installed) or bpftrace' },
    tracer: { type: 'string', value: 'CMD', help: 'your own tracer: a command line for sh' },
    ...rootOption,
    json: { type: 'boolean', help: 'print the report as one JSON value' },
  },
  operands: [1, Infinity],
  examples: ['vfio-ledger run --json -- true', 'vfio-ledger run -- echo done 2> report.txt'],
  async answer({ values, operands: command }, io) {
    const { log, json, report: file, root, wait } = values;
    const patienceMs = wait === undefined ? PATIENCE_MS : millisecondsOf('wait', wait);
    const name = choiceOf('with', values.with, ['strace', 'bpftrace']);
    const tracer = chooseCommandTracer({ name, line: values.tracer, env: io.env });
    const [program = ''] = command;
    if (findProgram(program, io.env) === null) {
      io.say(`vfio-ledger: ${program}: command not found`);
      return NO_SUCH_COMMAND;
    }
    const asked = choiceOf('before-leaks', values['before-leaks'], ['fail', 'warn']);
    const act = async (ledger: Ledger, path: string | null) => {
      let before = null as HeldBefore | null;
      const beforeCommand = () => {
        if (asked === undefined) return;
        const { files, unseen } = (before = heldBefore(ledger));
        const told = [...files.map(takenWords), ...unseen.map(unseenWords)];
        io.say(...told.map((line) => `vfio-ledger: ${line}`));
        if (asked === 'fail' && files.length > 0) throw new NotStarted();
      };
      const tellJob = (job: Omit<Parameters<typeof junitText>[0], 'command' | 'before'>) => {
        const told = { command, before, ...job };
        if (values.junit !== undefined) writePrivate(values.junit, junitText(told));
        if (io.env['GITHUB_ACTIONS'] === 'true') io.say(...actionLines(told));
      };
      const options = { tracer, patienceMs, root, readsAfter: false, beforeCommand };
      const done = await runRecorded(ledger, command, options).catch((error: unknown) => {
        if (error instanceof NotStarted) return null;
        throw error;
      });
      if (done === null) {
        tellJob({ exit: null, held: [], refused: [], rejectedCount: 0 });
        return exit.no;
      }
      const { exit: ending, ...activity } = done;
      const report = {
        command,
        exit: ending,
        log: path,
        ...activity,
        ...(before && { before: before.files }),
      };
      if (file !== undefined) writePrivate(file, `${JSON.stringify(report)}\n`);
      if (json === true) await io.out.printJson([JSON.stringify(report)]);
      else if (file === undefined) io.say(...runWords(report, shortened));
      tellJob(done);
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

/** The first rows of a long list, and how many more there are. */
function shortened(title: string, rows: readonly (readonly string[])[]): Line[] {
  const more = rows.length - MOST_SHOWN;
  const left = more > 0 ? [`  ${moreWords(more)}: --json has them`] : [];
  return [...titled(title, rows.slice(0, MOST_SHOWN)), ...left];
}

/** What processes held when the host was read, which was the last event of the log. */
function heldBefore(ledger: Ledger): HeldBefore {
  const reading = ledger.event(ledger.head.position);
  const isPartial = reading?.type === 'snapshot.taken' && !reading.data.complete;
  return { files: takenFiles(ledger), unseen: isPartial ? reading.data.unseen : [] };
}

/** What processes hold at the end: the files of devices and of groups. */
function takenFiles(ledger: Ledger): TakenFile[] {
  const { groups, devices } = ledger.at('end').table();
  const host = ledger.hostAt(ledger.head.position);
  const ofGroups = groups.map(({ group, opener }) => {
    return { group, device: null, path: `/dev/vfio/${group}`, holders: opener?.holders ?? [] };
  });
  const ofDevices = devices.map(({ device, group, files }) => {
    const cdev = host.device(device)?.cdev ?? null;
    const path = cdev === null ? null : `/dev/vfio/devices/${cdev}`;
    return { group, device, path, holders: files.flatMap(({ holders }) => holders) };
  });
  return [...ofGroups, ...ofDevices].filter(({ holders }) => holders.length > 0);
}

/** The command is not started, because something is held. */
class NotStarted extends Error {}

function codeOf({ code, signal }: Ending): number {
  return code ?? KILLED + (signal === null ? 0 : constants.signals[signal]);
}
