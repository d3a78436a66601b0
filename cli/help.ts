/**
 * The help texts: of one verb, and of the program.
 *
 * @module
 */
import { columns, type Line } from '../words/columns.ts';
import type { OptionSpec, Verb } from './verb.ts';

type Described = Pick<Verb, 'usage' | 'summary' | 'details' | 'options' | 'examples'>;

/** The help of a verb, in lines: usage, summary, details, options and examples. */
export function helpOn({ usage, summary, details, options, examples }: Described): Line[] {
  const listed = Object.entries(options).filter(([, { help }]) => help !== undefined);
  const rows = listed.map(([name, option]) => [`  ${spelled(name, option)}`, option.help ?? '']);
  return [
    `vfio-ledger ${usage}`,
    '',
    `${summary}.`,
    ...details,
    '',
    'Options:',
    ...columns([...rows, ['  -h, --help', 'print this help']]),
    '',
    examples.length === 1 ? 'Example:' : 'Examples:',
    ...examples.map((example) => `  ${example}`),
    ...(examples.some((example) => example.includes('--log demo.ledger'))
      ? ['', 'The first example of vfio-ledger --help creates demo.ledger.']
      : []),
  ];
}

/** The help of the program, in lines: its verbs, examples, common operands and exit codes. */
export function overview(verbs: readonly Pick<Verb, 'name' | 'summary'>[]): Line[] {
  return [
    'vfio-ledger VERB [OPERAND]... [OPTION]...',
    '',
    'Records who owns VFIO devices and IOMMU groups, and answers questions about any past moment.',
    '',
    'Verbs (vfio-ledger VERB --help has options and examples):',
    ...columns(verbs.map(({ name, summary }) => [`  ${name}`, summary])),
    '',
    'Examples, to be run in the folder that contains examples/:',
    '  vfio-ledger simulate --topology examples/host.topology.json --log demo.ledger ' +
      'examples/two-contexts.scenario',
    '  vfio-ledger table --log demo.ledger',
    '  vfio-ledger why gpu --log demo.ledger',
    '  vfio-ledger history gpu --log demo.ledger',
    '',
    ...words,
  ];
}

const words = [
  ...columns([
    ['WHEN', 'a position, start, end, an ISO 8601 instant (UTC if it has no offset), now, -90s,'],
    ['', '-10m, -2h, -3d (before now), or HH:MM[:SS] (UTC, on the day of the last event).'],
    ['', 'Position 7 means after event 7; an instant, after the last event at or before it'],
    ['SUBJECT', "a device (0000:3b:00.0, 3b:00.0, its name, vfio0, an mdev's UUID), a group (26,"],
    ['', 'g26, /dev/vfio/26, noiommu-0), a process (pid:4711, qemu[4711]) or an open file (f41)'],
    ['LOG', 'a file. Default: $VFIO_LEDGER_LOG; if that is not set, vfio-ledger/log.ledger'],
    ['', 'in $XDG_STATE_HOME, or in ~/.local/state. Or a log on servers, nats://HOST/NAME,'],
    ['', 'esdb://HOST or kurrentdb://HOST, of which a replica is read: in the cache folder,'],
    ['', 'or ?replica=PATH or :memory:'],
  ]),
  '',
  'Exit codes: 0 done; 1 the log is intact, but the answer is "no"; 2 bad request or input, or no',
  'such log; 3 the log is damaged; 4 the environment failed (disk, permissions, missing programs).',
];

function spelled(name: string, { value }: OptionSpec): string {
  return value === undefined ? `--${name}` : `--${name} ${value}`;
}
