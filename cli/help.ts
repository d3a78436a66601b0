/**
 * Help: of one verb, and of the program.
 *
 * @module
 */
import { columns } from '../words/columns.ts';
import type { OptionSpec, Verb } from './verb.ts';

const plain = (text: string) => text;

type Described = Pick<Verb, 'usage' | 'summary' | 'details' | 'options' | 'examples'>;

/** What a verb answers, its options and examples. */
export function helpOn({ usage, summary, details, options, examples }: Described): string[] {
  const listed = Object.entries(options).filter(([, { help }]) => help !== undefined);
  const rows = listed.map(([name, option]) => [`  ${spelled(name, option)}`, option.help ?? '']);
  return [
    `vfio-ledger ${usage}`,
    '',
    `${summary}.`,
    ...details,
    '',
    'Options:',
    ...columns([...rows, ['  -h, --help', 'this text']], plain),
    '',
    examples.length === 1 ? 'Example:' : 'Examples:',
    ...examples.map((example) => `  ${example}`),
    ...(examples.some((example) => example.includes('--log demo.ledger'))
      ? ['', 'The first example of vfio-ledger --help makes demo.ledger.']
      : []),
  ];
}

/** The verbs, the words that they share, and the way in. */
export function overview(verbs: readonly Pick<Verb, 'name' | 'summary'>[]): string[] {
  return [
    'vfio-ledger VERB [OPERAND]... [OPTION]...',
    '',
    'Who owned which VFIO device and IOMMU group, since when, and why others were refused.',
    '',
    'Verbs (vfio-ledger VERB --help says more):',
    ...columns(
      verbs.map(({ name, summary }) => [`  ${name}`, summary]),
      plain,
    ),
    '',
    'Examples, from the folder in which examples/ lies:',
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
  ...columns(
    [
      ['WHEN', 'a position, start, end, or an ISO 8601 instant (UTC where it names no offset):'],
      ['', 'the last event at or before it. At position 7 means after event 7'],
      ['SUBJECT', 'a device (0000:3b:00.0, its name, vfio0), a group (26, g26, /dev/vfio/26),'],
      ['', 'a process (pid:4711) or an open file (file:f41)'],
      ['LOG', 'a file; $VFIO_LEDGER_LOG where --log is left out, else'],
      ['', '$XDG_STATE_HOME/vfio-ledger/log.ledger (by default in ~/.local/state)'],
    ],
    plain,
  ),
  '',
  'Exit codes: 0 done; 1 the log is intact, but the answer is "no"; 2 a request or an input that',
  'cannot be understood, or no log; 3 the log is damaged; 4 the surroundings failed.',
];

function spelled(name: string, { value }: OptionSpec): string {
  return value === undefined ? `--${name}` : `--${name} ${value}`;
}
