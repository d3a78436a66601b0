/**
 * `record`: records this host until it is stopped.
 *
 * @module
 */
import { shipLog, type Ledger, type LedgerError, type ShipOptions } from '../ledger.ts';
import { shownAddress } from '../log/shown-address.ts';
import { chooseHostTracer } from '../recorder/choose-tracer.ts';
import { recordHost } from '../recorder/record-host.ts';
import { recordedWords } from '../words/recording.ts';
import { notShippedWords, notShippingWords } from '../words/shipping.ts';
import { exit, failureOf } from './failure.ts';
import { logOptions, logPath, recordIn } from './log-file.ts';
import { rootOption } from './snapshot.ts';
import { choiceOf, millisecondsOf } from './tracer-options.ts';
import { show, verb, type Io } from './verb.ts';

export const record = verb({
  name: 'record',
  usage: 'record [--with bpftrace|ftrace] [--for SECONDS] [--to ADDRESS]',
  summary: 'Takes a snapshot of this host, then records what happens until it is stopped',
  details: [
    'The tracer is started first, then the snapshot is taken, so that no event is lost in between. Each',
    'event is in the log a quarter of a second later at most. SIGINT, SIGTERM or SIGHUP stops the tracer;',
    'what it has seen is appended. Needs root.',
    '',
    'bpftrace sees only drivers that were loaded before it. ftrace also sees those that are loaded later,',
    'and needs nothing but the kernel. If the tracer dies, the log has a gap, from which on owners are',
    'unknown; a new tracer and a new snapshot follow. If it dies five times in a row, each time within',
    'ten seconds, the recording ends with exit 4.',
    '',
    '--to ships the log meanwhile, to a server or another file, as push does. While that is not there, the',
    'recording goes on, and what was recorded is shipped later. If the last shipment fails, the exit code',
    'is that of push.',
    '',
    'The tracer of --tracer must print what bpftrace -f json recorder/vfio.bt prints, or, with',
    '--with ftrace, what recorder/ftrace.sh prints. The tracer counts as attached once it prints a line.',
  ],
  options: {
    with: { type: 'string', value: 'T', help: 'bpftrace (default, if it is installed) or ftrace' },
    for: { type: 'string', value: 'SECONDS', help: 'stop after this time' },
    to: { type: 'string', value: 'ADDRESS', help: 'ship the log there while it is recorded' },
    tracer: { type: 'string', value: 'CMD', help: 'your own tracer: a command line for sh' },
    ...rootOption,
    ...logOptions,
    json: { type: 'boolean', help: 'print a report as one JSON value at the end' },
  },
  operands: [0, 0],
  examples: [
    "vfio-ledger record --for 1 --log live.ledger --tracer 'echo Attached 9 probes; sleep 9'",
    "vfio-ledger record --for 1 --log kept.ledger --to sent.ledger --tracer 'echo Attached; sleep 9'",
  ],
  async answer({ values }, io) {
    const name = choiceOf('with', values.with, ['bpftrace', 'ftrace']);
    const durationMs = values.for === undefined ? null : millisecondsOf('for', values.for);
    const tracer = chooseHostTracer({ name, line: values.tracer, env: io.env });
    const ending = new AbortController();
    const end = () => ending.abort();
    // A launcher may pass on a second signal: that must not end the process before it has appended.
    for (const name of STOPPING) process.on(name, end);
    const { signal } = ending;
    const from = values.to === undefined ? null : logPath(values, io.env);
    return recordIn(values, io, async (ledger, path) => {
      const status = statusOn(io);
      const timer = durationMs === null ? undefined : setTimeout(end, durationMs);
      const { root } = values;
      const warn = (message: string) => {
        io.say(`vfio-ledger: ${message}`);
      };
      const { to } = values;
      const shipping =
        to === undefined || from === null ? null : shippingOf({ from, to }, ledger, warn);
      try {
        const options = { tracer, root, signal, progress: status.progress, warn };
        const recorded = await recordHost(ledger, options).finally(async () => shipping?.end());
        const { code, hosts } = (await shipping?.end()) ?? { code: exit.done, hosts: null };
        const report = { ...recorded, ...(hosts !== null && { shipped: hosts }) };
        await show(io, values.json, report, (told) => [recordedWords(told, path)]);
        return code;
      } finally {
        status.end();
        clearTimeout(timer);
        for (const name of STOPPING) process.off(name, end);
      }
    });
  },
});

/** Ships a log while it is recorded. `end` ships the rest, and resolves to the exit code. */
function shippingOf(
  { from, to }: Pick<ShipOptions, 'from' | 'to'>,
  { host }: Ledger,
  warn: (message: string) => void,
) {
  const ending = new AbortController();
  const shown = shownAddress(to);
  const failed = ({ message }: LedgerError) => warn(notShippingWords(shown, message));
  const keep = { signal: ending.signal, failed };
  const ended = shipLog({ from, to, host, keep, note: warn }).then(
    ({ hosts }) => ({ code: exit.done as number, hosts }),
    (error: unknown) => {
      const { code, message } = failureOf(error);
      warn(notShippedWords(shown, message));
      return { code, hosts: null };
    },
  );
  return {
    async end() {
      ending.abort();
      return ended;
    },
  };
}

/** The signals that end a recording: a terminal that is closed sends SIGHUP. */
const STOPPING = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

const STATUS_EVERY_MS = 1000;

/** Shows events recorded and events a second on one line of a terminal. */
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
