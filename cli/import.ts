/**
 * `import`: reads evidence into the log.
 *
 * @module
 */
import { formats } from '../evidence/importers.ts';
import { readEvidence, type ImportReport, type Reading } from '../ledger.ts';
import { moreWords } from '../words/moments.ts';
import { importedWords, rejectedWords } from '../words/recording.ts';
import { exit } from './failure.ts';
import { checkInputs, sourceOf } from './input.ts';
import { beforeRecording, logOptions, recordIn } from './log-file.ts';
import { profileOption } from './profiles.ts';
import type { Progress } from './progress.ts';
import { readTopology } from './topology-file.ts';
import { show, verb } from './verb.ts';

export const importEvidence = verb({
  name: 'import',
  usage: 'import [--format F] [--topology FILE] [--profile P] FILE|-...',
  summary: 'Reads evidence into the log',
  details: [
    'Several files are merged by time; those without one stay with the event before them, and of',
    'equal times the earlier file comes first. What is in the log already is passed over: the same',
    'import can be run again. Files may be compressed with gzip or zstd.',
    '',
    'A line of a trace that cannot be read is counted and shown, and the rest is taken; with --strict,',
    'and always in formats of our own (events, truth), it ends the import (exit 2), and the log is as',
    'it was. What a trace cannot say stays unknown; each event says where it was seen, and whether',
    'it was observed, inferred by a rule, or assumed.',
  ],
  options: {
    format: {
      type: 'string',
      value: 'F',
      help: `${formats.join(', ')}; found from the content when left out`,
    },
    topology: { type: 'string', value: 'FILE', help: 'devices, where the evidence does not say' },
    profile: profileOption('by the kernel in the evidence when left out'),
    strict: { type: 'boolean', help: 'a line that cannot be read is an error' },
    booted: { type: 'string', value: 'WHEN', help: 'when the host booted, for times of uptime' },
    day: { type: 'string', value: 'DATE', help: 'which day it was, for times of day' },
    zone: { type: 'string', value: 'ZONE', help: 'such as +01:00, for local times; else UTC' },
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
    checkInputs([...operands, ...(file === undefined ? [] : [file])]);
    const topology = file === undefined ? undefined : await readTopology(file, io.stdin);
    const sources = operands.map((operand) => sourceOf(operand, io.stdin));
    const { format, profile, strict, booted, day, zone } = values;
    const progress = progressOf(io.progress);
    const settings = { format, topology, profile, strict, booted, day, zone, progress };
    const collected = await beforeRecording(values, io, (log) =>
      readEvidence(sources, settings, log),
    );
    return recordIn(values, io, async (ledger, path) => {
      io.progress.tell(`${collected.events.length} events to append`);
      const report = await ledger.record(collected);
      await show(io, values.json, report, (told) => reportText(told, path));
      return exit.done;
    });
  },
});

/** How far the reading is, and how fast it goes. */
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
    ...report.rejected.slice(0, MOST_REJECTED).map(rejectedWords),
    ...(rest > 0 ? [`${moreWords(rest, 'line')}: --json lists them`] : []),
  ];
}
