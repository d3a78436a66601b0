/**
 * `export`: prints the log in a format that other programs read.
 *
 * @module
 */
import { RequestError, type Ledger } from '../ledger.ts';
import { eventJson } from './event-row.ts';
import { exit } from './failure.ts';
import { readingOptions, readLog } from './log-file.ts';
import { verb, type Io } from './verb.ts';

const tables = ['history', 'log', 'table'] as const;

const options = {
  format: { type: 'string', value: 'F', help: 'events (default), csv, perfetto, html' },
  of: { type: 'string', value: 'WHAT', help: `csv: ${tables.join(', ')}; default: history` },
  at: { type: 'string', value: 'WHEN', help: 'csv of table: the moment; default: end' },
  raw: { type: 'boolean', help: 'csv: no apostrophe before what would read as a formula' },
  ...readingOptions,
  json: { type: 'boolean' },
} as const;

interface ExportValues {
  readonly format?: string;
  readonly of?: string;
  readonly at?: string;
  readonly raw?: boolean;
  readonly host?: string;
}

type Exporter = (ledger: Ledger, values: ExportValues, io: Io) => Promise<void>;

const exporters: Readonly<Record<string, Exporter>> = {
  events: (ledger, _values, io) => io.out.printJson(lines(ledger)),
  csv: exportCsv,
  perfetto: exportPerfetto,
  html: exportHtml,
};

/** Prints all of a log in one of the formats. */
export const exportLog = verb({
  name: 'export',
  usage: 'export [--format events|csv|perfetto|html] [--of WHAT]',
  summary: 'Prints the log for other programs: JSON lines, CSV, a Perfetto trace, a page',
  details: [
    'events: one line for each event, in order, then {"end":{"events":N,"head":"POSITION:HASH"}}.',
    'Importing it into a new log gives the same events and the same head.',
    'csv: RFC 4180 in UTF-8, with a header. --of history has a row for each hand in each interval of',
    'each group; --of log one for each event; --of table one for each hand on each group and device at',
    'a moment. What is not known, and a pid that no line names, is empty. A text that begins with = + -',
    '@, a tab or a carriage return gets an apostrophe, so that no spreadsheet takes it for a formula.',
    'perfetto: a trace with a track for each group and its devices; a slice for each interval, an instant',
    'for each refusal, and an arrow to it from the interval of the owner that blocked it. If the log has',
    'no times, a position is a microsecond. Open the file at https://ui.perfetto.dev.',
    'html: the timeline as one file, to look at in a browser. It holds the log and the code that answers',
    'questions about it, and needs no network.',
  ],
  options,
  operands: [0, 0],
  examples: [
    'vfio-ledger export --format events --log demo.ledger > demo.events.jsonl',
    'vfio-ledger export --format csv --of table --at 16 --log demo.ledger > demo.csv',
    'vfio-ledger export --format perfetto --log demo.ledger > demo.pftrace',
    'vfio-ledger export --format html --log demo.ledger > demo.html',
  ],
  async answer({ values }, io) {
    const { format = 'events' } = values;
    const exporter = Object.hasOwn(exporters, format) ? exporters[format] : undefined;
    if (exporter === undefined) {
      const known = Object.keys(exporters).join(', ');
      throw new RequestError(`no format '${format}' to export; there are ${known}`);
    }
    checkOptions(format, values);
    return readLog(values, io, async (ledger) => {
      await exporter(ledger, values, io);
      return exit.done;
    });
  },
});

/** Throws `RequestError` for an option of another format. */
function checkOptions(format: string, { of, at, raw }: ExportValues): void {
  const given = Object.entries({ of, at, raw }).find(([, value]) => value !== undefined);
  if (format !== 'csv' && given !== undefined) {
    throw new RequestError(`--${given[0]} is an option of --format csv`);
  }
  if (at !== undefined && of !== 'table') throw new RequestError('--at is an option of --of table');
}

async function exportCsv(ledger: Ledger, values: ExportValues, io: Io): Promise<void> {
  const { of = 'history', at, raw = false } = values;
  const table = tables.find((name) => name === of);
  if (table === undefined) {
    throw new RequestError(`--of ${of}: there are ${tables.join(', ')}`);
  }
  const { csvTable } = await import('../exports/csv-tables.ts');
  const { csvRecords, ended } = await import('../exports/csv.ts');
  const records = csvRecords(csvTable(ledger, table, at), { isRaw: raw });
  if (io.out.isTerminal) await io.out.print(records);
  else await io.out.write(ended(records));
}

async function exportPerfetto(ledger: Ledger, { host }: ExportValues, io: Io): Promise<void> {
  const { perfettoTrace } = await import('../exports/perfetto.ts');
  await io.out.write(perfettoTrace(ledger, host ?? 'vfio-ledger'));
}

async function exportHtml(ledger: Ledger, _values: ExportValues, io: Io): Promise<void> {
  const { timelineHtml } = await import('../exports/html.ts');
  const { pageScript } = await import('../exports/page-script.ts');
  await io.out.write(await timelineHtml(ledger, { lines: lines(ledger), script: pageScript }));
}

function* lines(ledger: Ledger): Generator<string> {
  const { length, head } = ledger;
  for (const event of ledger.each()) yield eventJson(event);
  const end = { events: length, head: `${head.position}:${head.hash}` };
  yield JSON.stringify({ end });
}
