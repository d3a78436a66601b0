/**
 * `record`: what happens on this host goes into the log as it happens.
 *
 * @module
 */
import { chooseHostTracer } from '../recorder/choose-tracer.ts';
import { recordHost } from '../recorder/record-host.ts';
import { printable } from '../words/printable.ts';
import { recordedWords } from '../words/recording.ts';
import { exit } from './failure.ts';
import { logOptions, recordIn } from './log-file.ts';
import { rootOption } from './snapshot.ts';
import { millisecondsOf, tracerNamed } from './tracer-options.ts';
import { show, verb, type Io } from './verb.ts';

export const record = verb({
  name: 'record',
  usage: 'record [--with bpftrace|ftrace] [--for SECONDS]',
  summary: 'Records this host as it goes, until it is told to end',
  details: [
    'Reads the host once a tracer is at work, so that nothing falls between the two, and appends',
    'what happens from then on, a quarter of a second later at most. SIGINT and SIGTERM end it: the',
    'tracer is taken down, and what it has seen is appended. Needs root.',
    '',
    'bpftrace sees the drivers that are loaded before it; ftrace, which needs the kernel alone, also',
    'those that are loaded later. A tracer that dies leaves a gap, from which on owners are unknown,',
    'and is started anew with a fresh reading; when it has died five times in a row, each within',
    'ten seconds, that ends it (exit 4).',
    '',
    'A tracer of your own prints what recorder/vfio.bt prints with -f json or, --with ftrace, what',
    'recorder/ftrace.sh does. It is taken to be at work from its first line on.',
  ],
  options: {
    with: { type: 'string', value: 'T', help: 'bpftrace, where it is installed, or ftrace' },
    for: { type: 'string', value: 'SECONDS', help: 'end by itself after so long' },
    tracer: { type: 'string', value: 'CMD', help: 'a tracer of your own, a line for sh' },
    ...rootOption,
    ...logOptions,
    json: { type: 'boolean', help: 'print one JSON value at the end' },
  },
  operands: [0, 0],
  examples: [
    "vfio-ledger record --for 1 --log live.ledger --tracer 'echo Attached 9 probes; sleep 9'",
  ],
  async answer({ values }, io) {
    const name = tracerNamed(values.with, ['bpftrace', 'ftrace']);
    const durationMs = values.for === undefined ? null : millisecondsOf('for', values.for);
    const tracer = chooseHostTracer({ name, line: values.tracer, env: io.env });
    const ending = new AbortController();
    const end = () => ending.abort();
    // A second one, as a launcher passes it on, is not to end it in the middle of that.
    process.on('SIGINT', end).on('SIGTERM', end);
    const { signal } = ending;
    return recordIn(values, io, async (ledger, path) => {
      const status = statusOn(io);
      const timer = durationMs === null ? undefined : setTimeout(end, durationMs);
      const { root } = values;
      const warn = (message: string) => {
        io.progress.clear();
        io.stderr.write(`vfio-ledger: ${printable(message)}\n`);
      };
      try {
        const options = { tracer, root, signal, progress: status.progress, warn };
        const recorded = await recordHost(ledger, options);
        await show(io, values.json, recorded, (told) => [recordedWords(told, path)]);
        return exit.done;
      } finally {
        status.end();
        clearTimeout(timer);
        process.off('SIGINT', end).off('SIGTERM', end);
      }
    });
  },
});

const STATUS_EVERY_MS = 1000;

/** How much has been recorded and how fast, on one line of a terminal. */
function statusOn({ progress }: Io) {
  let [events, before] = [0, 0];
  const timer = setInterval(() => {
    const rate = ((events - before) * 1000) / STATUS_EVERY_MS;
    before = events;
    progress.tell(`${events} events recorded, ${rate} a second`);
  }, STATUS_EVERY_MS);
  return {
    progress: (so: number) => void (events = so),
    end() {
      clearInterval(timer);
      progress.clear();
    },
  };
}
