/**
 * An attestation in words, to be filed: question, verdict, what was and was not seen, the sources, and
 * how to check it without us.
 *
 * @module
 */
import type {
  Attestation,
  AttestQuestion,
  HandsInstance,
} from '../projections/attest/attestation.ts';
import { columns, indented, type Cell, type Line } from './columns.ts';
import { coverageWords } from './coverage.ts';
import { durationWords } from './durations.ts';
import { holdersWords } from './owners.ts';
import { quoted } from './shell.ts';
import type { Tone } from './tone.ts';

/** The log that an attestation is about, as a person reaches it. */
export interface AttestedLog {
  /** What `--log` takes. */
  readonly address: string;
  readonly host: string;
  /** Its files, the oldest first. */
  readonly files: readonly string[];
}

/** What a question asks, and what each verdict says. `one` and `other` are its operands. */
interface QuestionWords {
  readonly asked: (one: string, other: string) => string;
  readonly proved: (one: string, other: string) => string;
  readonly refuted: (one: string, other: string) => string;
  readonly seen: (one: string, other: string) => string;
}

const questions: Readonly<Record<AttestQuestion, QuestionWords>> = {
  'never-shared': {
    asked: (a, b) => `Did ${a} and ${b} never have a hand in one group at the same time?`,
    proved: (a, b) => `${a} and ${b} never shared a group.`,
    refuted: (a, b) => `${a} and ${b} shared a group.`,
    seen: (a, b) => `${a} and ${b} were not seen to share a group, but not everything was seen.`,
  },
  'never-owned': {
    asked: (a, b) => `Did no hand of ${b} ever keep the owner of ${a} alive?`,
    proved: (a, b) => `No hand of ${b} ever kept the owner of ${a} alive.`,
    refuted: (a, b) => `A hand of ${b} kept the owner of ${a} alive.`,
    seen: (a, b) => `${b} was not seen to own ${a}, but not everything was seen.`,
  },
  'sole-owner': {
    asked: (a, b) => `Did only hands of ${b} ever keep the owner of ${a} alive?`,
    proved: (a, b) => `Only hands of ${b} ever kept the owner of ${a} alive, and some did.`,
    refuted: (a, b) => `Not only hands of ${b} kept the owner of ${a} alive, or none did.`,
    seen: (a, b) => `Nobody but ${b} was seen to own ${a}, but not everything was seen.`,
  },
};

const owners: Readonly<Record<HandsInstance['owner'], string>> = {
  none: 'nobody',
  kernel: 'kernel drivers',
  container: 'a container',
  iommufd: 'an iommufd',
  unknown: 'unknown',
};

const tones: Readonly<Record<Attestation['verdict'], Tone>> = {
  proved: 'plain',
  refuted: 'refusal',
  'not-known': 'unknown',
};

/** An attestation in lines. */
export function attestationWords(found: Attestation, log: AttestedLog): Line[] {
  const { question, subjects, verdict, instances, unknownHands, coverage, head } = found;
  const [one, other] = subjects;
  const asked = /^(noiommu-)?\d+$/.test(one) ? `group ${one}` : one;
  const words = questions[question];
  const says = words[verdict === 'not-known' ? 'seen' : verdict](asked, other);
  return [
    `Question: ${words.asked(asked, other)} (${question} ${one} ${other})`,
    `Range:    ${rangeWords(found)}`,
    ['Verdict:  ', { text: verdict, tone: tones[verdict] }, `. ${says}`],
    ...section('Instances:', instanceRows(instances)),
    ...section('Hands of which the tenant is not known:', instanceRows(unknownHands)),
    ...section('Coverage:', [coverageWords(coverage), ...unknownRows(found)]),
    ...section('Sources of the evidence:', sourceRows(found)),
    ...section('Answered from:', [basisWords(found)]),
    ...section('The log, and its head when this was answered:', [...log.files, head]),
    ...section('To check it:', checkWords(found, log)),
  ];
}

function section(title: string, lines: readonly Line[]): Line[] {
  return lines.length === 0 ? [] : ['', title, ...indented(lines)];
}

function rangeWords({ from, to, fromTime, toTime }: Attestation): string {
  const [first, last] = [momentWords(from, fromTime), momentWords(to, toTime)];
  return first === last
    ? `the state after event ${first}`
    : `the states after events ${first} to ${last}`;
}

function momentWords(position: Attestation['from'], time: string | null): string {
  return `${position ?? '-'}${time === null ? '' : ` (${time})`}`;
}

function instanceRows(all: readonly HandsInstance[]): Line[] {
  if (all.length === 0) return [];
  const isTimed = all.some(({ fromTime }) => fromTime !== null);
  const rows = all.map(({ subject, from, to, fromTime, toTime, owner, holders }): Cell[] => [
    subject,
    ...spanCells({ from, to, fromTime, toTime }, isTimed),
    ...(isTimed ? [durationWords(fromTime, toTime) ?? '-'] : []),
    owners[owner],
    holdersWords(holders),
  ]);
  const lasted = isTimed ? ['LASTED'] : [];
  return columns(rows, ['SUBJECT', ...spanHeading(isTimed), ...lasted, 'OWNER', 'HANDS']);
}

function unknownRows({ coverage: { unknown } }: Attestation): Line[] {
  // The line above names the only one.
  if (unknown.length < 2) return [];
  const isTimed = unknown.some(({ fromTime }) => fromTime !== null);
  const rows = unknown.map(({ subject, reason, ...span }): Cell[] => [
    subject ?? 'the host',
    ...spanCells(span, isTimed),
    reason,
  ]);
  return columns(rows, ['NOT SEEN', ...spanHeading(isTimed), 'WHY']);
}

function sourceRows({ evidence }: Attestation): Line[] {
  if (evidence.length === 0) return [];
  const isTimed = evidence.some(({ fromTime }) => fromTime !== null);
  const rows = evidence.map(({ source, format, ...span }): Cell[] => [
    source ?? '-',
    format ?? '-',
    ...spanCells(span, isTimed),
  ]);
  return columns(rows, ['SOURCE', 'FORMAT', ...spanHeading(isTimed)]);
}

interface TimedSpan extends Pick<HandsInstance, 'to' | 'fromTime' | 'toTime'> {
  readonly from: Attestation['from'];
}

function spanHeading(isTimed: boolean): string[] {
  return isTimed ? ['FROM', 'TIME', 'TO', 'TIME'] : ['FROM', 'TO'];
}

function spanCells({ from, to, fromTime, toTime }: TimedSpan, isTimed: boolean): string[] {
  const [begin, end] = [from ?? '-', to ?? '-'].map(String);
  return isTimed ? [begin!, fromTime ?? '-', end!, toTime ?? '-'] : [begin!, end!];
}

/** Whether the answer is as good as the cache, or as the events. */
function basisWords({ derived }: Attestation): string {
  return derived === true
    ? 'the cache LOG.index, which the last command below compares with the events'
    : 'the events themselves; the cache LOG.index was neither read nor written';
}

/** The commands by which somebody else checks the log and the answer. */
function checkWords({ head, derived }: Attestation, { address, host, files }: AttestedLog) {
  const script = ['python3', 'check.py', host, ...files];
  const verify = ['vfio-ledger', 'verify', '--log', address, '--host', host, '--head', head];
  const index = derived === true ? ', and that the index which answered follows from it' : '';
  return [
    '# without vfio-ledger: the first script in FORMAT.md ends with this head if no event came later',
    script.map(quoted).join(' '),
    `# that the log is intact and has this head${index}`,
    verify.map(quoted).join(' '),
  ];
}
