/**
 * `import`: reads evidence into the log.
 *
 * @module
 */
import { formats } from '../evidence/importers.ts';
import { readEvidence, type ImportReport } from '../ledger.ts';
import { exit } from './failure.ts';
import { checkInputs, sourceOf } from './input.ts';
import { logOptions, recordIn } from './log-file.ts';
import { printable } from './printable.ts';
import { profileOption } from './profiles.ts';
import { readTopology } from './topology-file.ts';
import { show, verb } from './verb.ts';

/** The evidence is read to its end before the log is opened: it is taken whole, or not at all. */
export const importEvidence = verb({
  name: 'import',
  usage: 'import [--format F] [--topology FILE] [--profile P] FILE|-...',
  summary: 'Reads evidence into the log, all of it or nothing',
  details: [
    'Several files are merged by time. What is in the log already is passed over: the same import',
    'can be run again. Files may be compressed with gzip or zstd. A line that cannot be read ends',
    'it (exit 2), and the log is as it was.',
  ],
  options: {
    format: {
      type: 'string',
      value: 'F',
      help: `${formats.join(', ')}; found from the content when left out`,
    },
    topology: { type: 'string', value: 'FILE', help: 'devices, where the evidence does not say' },
    profile: profileOption('by the kernel in the evidence when left out'),
    ...logOptions,
    json: { type: 'boolean', help: 'print one JSON value' },
  },
  operands: [1, Infinity],
  examples: [
    'vfio-ledger import --log incident.ledger examples/incident.truth.jsonl',
    'vfio-ledger export --log demo.ledger | vfio-ledger import --log copy.ledger -',
  ],
  async answer({ values, operands }, io) {
    const { format, topology: file, profile } = values;
    checkInputs([...operands, ...(file === undefined ? [] : [file])]);
    const topology = file === undefined ? undefined : await readTopology(file, io.stdin);
    const sources = operands.map((operand) => sourceOf(operand, io.stdin));
    const collected = await readEvidence(sources, {
      format,
      topology,
      profile,
      progress: (read) => io.progress.tell(`${read} lines read`),
    });
    return recordIn(values, io, async (ledger, path) => {
      io.progress.tell(`${collected.events.length} events to append`);
      const report = await ledger.record(collected);
      await show(io, values.json, report, (told) => words(told, path));
      return exit.done;
    });
  },
});

function words({ read, appended, skipped, unknown, rejected }: ImportReport, path: string) {
  const odd = unknown === 0 ? '' : `; ${counted(unknown, 'line')} not understood`;
  const were = skipped === 1 ? 'was' : 'were';
  return [
    `read ${counted(read, 'line')}: ${counted(appended, 'event')} appended to ` +
      `${printable(path)}, ${skipped} ${were} there already${odd}`,
    ...rejected.map(({ file, line, reason }) => printable(`${file}:${line}: ${reason}`)),
  ];
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
