/**
 * `import`: appends evidence to the log.
 *
 * @module
 */
import { existsSync } from 'node:fs';
import { formats } from '../evidence/importers.ts';
import type { Source } from '../evidence/source.ts';
import {
  readEvidence,
  takenAt,
  type ImportReport,
  type ImportSettings,
  type Reading,
} from '../ledger.ts';
import { moreWords } from '../words/moments.ts';
import { importedWords, judgedAsWords, rejectedWords, seenWords } from '../words/recording.ts';
import { exit } from './failure.ts';
import { checkInputs, sourceOf } from './input.ts';
import { beforeRecording, logOptions, recordIn } from './log-file.ts';
import { profileOption } from './profiles.ts';
import type { Progress } from './progress.ts';
import { readTopology } from './topology-file.ts';
import { show, verb } from './verb.ts';
import { keepHeapSmall } from './young-generation.ts';

export const importEvidence = verb({
  name: 'import',
  usage: 'import [--format F] [--topology FILE] [--profile P] FILE[@WHEN]|-...',
  summary: 'Appends evidence to the log: traces, kernel messages, recorded answers, an export',
  details: [
    'Several files are merged by time. An event without a time stays after the one before it in its',
    'file; of equal times, the earlier file comes first. Events that are already in the log are skipped,',
    'so the same import can be repeated. Files may be compressed with gzip or zstd; - is standard input.',
    '',
    'Messages, listings (lsof, fuser, ls, lspci -nnk) and traces may stand in one file: each line is read',
    'by what understands it, and other lines are passed over. Where no line says anything of VFIO, the',
    'exit code is 2, and the log does not change.',
    '',
    'A listing without a time of its own stands after everything that is imported with it, and its events',
    'have no time. --taken WHEN says when listings were made, FILE@WHEN when those of FILE were: an ISO',
    '8601 instant, now, a time before now (-10m), or with --day a time of day (HH:MM, UTC). So is --booted.',
    '',
    'A log has evidence or simulations, never both. The rules of the release nearest to the kernel judge',
    'it; if that is another one, standard error says so, and --json as judgedAs.',
    '',
    'A line of a trace that cannot be read is counted, shown and skipped; so is a line of more than 1 MiB',
    'and one with a date that does not exist. With --strict, and always in the formats events and truth,',
    'such a line ends the import with exit code 2, and the log does not change. What a trace does not',
    'show stays unknown. Each event says where it was seen, and whether it was observed, inferred by a',
    'rule, or assumed.',
  ],
  options: {
    format: {
      type: 'string',
      value: 'F',
      help: `${formats.join(', ')}; default: detected from the content`,
    },
    topology: {
      type: 'string',
      value: 'FILE',
      help: 'the devices of the host (JSON), if the imported files do not name them',
    },
    profile: profileOption('default: that of the kernel in the imported files'),
    strict: { type: 'boolean', help: 'fail at the first line that cannot be read' },
    booted: {
      type: 'string',
      value: 'WHEN',
      help: 'the instant when the host booted, to convert uptimes',
    },
    day: { type: 'string', value: 'DATE', help: 'YYYY-MM-DD, to convert times of day' },
    taken: {
      type: 'string',
      value: 'WHEN',
      help: 'when listings without a time were made',
    },
    zone: {
      type: 'string',
      value: 'ZONE',
      help: 'such as +01:00, to convert local times; default: UTC',
    },
    ...logOptions,
    json: { type: 'boolean', help: 'print one JSON value' },
  },
  operands: [1, Infinity],
  examples: [
    'vfio-ledger import --log incident.ledger examples/incident.truth.jsonl',
    'vfio-ledger export --log demo.ledger | vfio-ledger import --log copy.ledger -',
  ],
  async answer({ values, operands }, io) {
    const { topology: file } = values;
    const { format, profile, strict, booted, day, zone, taken } = values;
    const inputs = operands.map((operand) => inputNamed(operand, { day }));
    checkInputs([...inputs.map(({ name }) => name), ...(file === undefined ? [] : [file])]);
    const topology = file === undefined ? undefined : await readTopology(file, io.stdin);
    const sources = inputs.map(({ name, taken: at }): Source => ({
      ...sourceOf(name, io.stdin, inputs.length),
      ...(at !== null && { taken: at }),
    }));
    keepHeapSmall();
    const progress = progressOf(io.progress);
    const settings = { format, topology, profile, strict, booted, day, zone, taken, progress };
    const collected = await beforeRecording(values, io, (log) =>
      readEvidence(sources, settings, log),
    );
    return recordIn(values, io, async (ledger, path) => {
      io.progress.tell(`appending ${collected.events.length} events`);
      const report = await ledger.record(collected);
      io.say(...report.judgedAs.map(judgedAsWords));
      await show(io, values.json, report, (told) => reportText(told, path));
      return exit.done;
    });
  },
});

/** An operand: a file, or FILE@WHEN, where WHEN is when its listings were made. */
function inputNamed(
  operand: string,
  settings: Pick<ImportSettings, 'day'>,
): { readonly name: string; readonly taken: string | null } {
  const [, name, when] = /^(.+)@([^@]+)$/.exec(operand) ?? [];
  const isTimed = name !== undefined && when !== undefined && !existsSync(operand);
  if (!isTimed || (name !== '-' && !existsSync(name))) return { name: operand, taken: null };
  return { name, taken: takenAt(when, settings, operand) };
}

/** Reports lines read, lines a second, and the part of the input that has been read. */
function progressOf({ tell }: Progress): (reading: Reading) => void {
  const start = performance.now();
  return ({ lines, share }) => {
    const rate = Math.round((lines * 1000) / (performance.now() - start));
    const part = share === null ? '' : `, ${Math.floor(share * 100)} %`;
    tell(`${lines} lines read, ${rate} a second${part}`);
  };
}

const MOST_REJECTED = 20;

function reportText(report: ImportReport, path: string): string[] {
  const rest = report.rejectedCount - MOST_REJECTED;
  return [
    importedWords(report, path),
    ...[seenWords(report)].filter((words) => words !== null),
    ...report.rejected.slice(0, MOST_REJECTED).map(rejectedWords),
    ...(rest > 0 ? [`${moreWords(rest, 'line')}: --json lists them`] : []),
  ];
}
