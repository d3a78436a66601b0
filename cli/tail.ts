/**
 * `tail`: prints the events of a log as they are appended.
 *
 * @module
 */
import type { Ledger, RecordedEvent, When } from '../ledger.ts';
import { columns, type Cell } from '../words/columns.ts';
import { behindWords, upToDateWords } from '../words/tailing.ts';
import { eventJson, eventRow } from './event-row.ts';
import { exit } from './failure.ts';
import { logOptions, readLog } from './log-file.ts';
import { millisecondsOf } from './tracer-options.ts';
import { verb, type Io } from './verb.ts';

/** Prints new events until a signal ends it, or a write finds that nobody reads them. */
export const tail = verb({
  name: 'tail',
  usage: 'tail [SUBJECT] [--from WHEN] [--for SECONDS]',
  summary: 'Follows the log: prints events as they are appended, of all or of one subject',
  details: [
    'The log is a file or that of a server, whose events are printed as they come, also after it was away.',
    'SIGINT, SIGTERM or SIGHUP ends it with exit code 0.',
    'With --json each event is one line; its key behind is the number of events of the host that are in',
    'the log after it. Without it, standard error says how far behind the printed lines are if a thousand',
    'or more events wait, and when all are printed.',
  ],
  options: {
    from: {
      type: 'string',
      value: 'WHEN',
      help: 'begin with the events from this moment on; default: with new ones',
    },
    for: { type: 'string', value: 'SECONDS', help: 'stop after this time' },
    ...logOptions,
    json: { type: 'boolean', help: 'print one JSON value for each event' },
  },
  operands: [0, 1],
  examples: ['vfio-ledger tail gpu --from start --for 1 --log demo.ledger 2> status.txt'],
  async answer({ values, operands: [subject] }, io) {
    const { from, json = false } = values;
    const ending = new AbortController();
    const end = () => ending.abort();
    const durationMs = values.for === undefined ? null : millisecondsOf('for', values.for);
    for (const name of ENDING) process.on(name, end);
    const timer = durationMs === null ? undefined : setTimeout(end, durationMs);
    try {
      return await readLog(values, io, async (ledger) => {
        await follow(ledger, io, { from, subject, json, signal: ending.signal });
        return exit.done;
      });
    } finally {
      clearTimeout(timer);
      for (const name of ENDING) process.off(name, end);
    }
  },
});

/** The signals that end it: a terminal that is closed sends SIGHUP. */
const ENDING = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

interface Following {
  readonly from: When | undefined;
  readonly subject: string | undefined;
  readonly json: boolean;
  readonly signal: AbortSignal;
}

async function follow(
  ledger: Ledger,
  io: Io,
  { from, subject, json, signal }: Following,
): Promise<void> {
  // An unknown subject or moment ends it before anything is awaited.
  const begun = ledger.log({ subject, from: from ?? 'end' });
  if (from !== undefined) await print(ledger, io, begun, json);
  sayUpToDate(ledger, io);
  for await (const behind of ledger.tail(signal)) {
    if (behind >= LOTS) io.say(`vfio-ledger: ${behindWords(behind)}`);
    await print(ledger, io, ledger.log({ subject, from: ledger.head.position - behind + 1 }), json);
    if (io.out.isGone) return;
    if (behind >= LOTS) sayUpToDate(ledger, io);
  }
}

/** So many events at once are more than a host makes between two looks. */
const LOTS = 1000;

function sayUpToDate({ head, lastTime }: Ledger, io: Io): void {
  io.say(`vfio-ledger: ${upToDateWords(head.position, lastTime)}`);
}

async function print(
  { head }: Ledger,
  io: Io,
  events: readonly RecordedEvent[],
  json: boolean,
): Promise<void> {
  if (json) {
    return io.out.printJson(
      events.map((event) => eventJson(event, { behind: head.position - event.position })),
    );
  }
  return io.out.print(columns(events.map((event) => padded(eventRow(event)))));
}

/** What most positions, times and types take, so that later lines stand below earlier ones. */
const WIDTHS = [6, 27, 18];

function padded(row: readonly Cell[]): Cell[] {
  return row.map((cell, index) => {
    const width = WIDTHS[index] ?? 0;
    if (typeof cell === 'string') return cell.padEnd(width);
    return { ...cell, text: cell.text.padEnd(width) };
  });
}
