/**
 * What a matcher of a test says when it fails: one fact a line, the expected above what there is, the
 * events up to the one that matters, and the command that opens the kept log there.
 *
 * @module
 */
import { textGiven } from '../events/given.ts';
import type { Leak } from '../projections/activity.ts';
import type { Coverage } from '../projections/coverage.ts';
import type { Difference } from '../projections/replay.ts';
import type { Holder, Owner, Position } from '../projections/shapes.ts';
import type { Why } from '../projections/why/why.ts';
import { columns, indented, printableText, titled, type Line } from './columns.ts';
import { coverageWords } from './coverage.ts';
import { sentence, type History } from './events.ts';
import { fileWords } from './leaks.ts';
import { counted, moreWords, placeWords, positionWords } from './moments.ts';
import { holderRows, holdersWords, ownerWords, processWords } from './owners.ts';
import { quoted } from './shell.ts';
import { whyWords } from './why.ts';

/** What a failure tells, in its order; what is empty is left out. */
export interface ToldFailure {
  /** The matcher and what it was asked of: `toBeUnowned: group 26, at position 41`. */
  readonly title: string;
  readonly expected: string;
  /** Why it is not known; null if it is. */
  readonly reason: string | null;
  readonly got: readonly Line[];
  /** Who held it since when, and the cause. */
  readonly facts: readonly Line[];
  /** Positions of events, ascending; the last one is the event that matters. */
  readonly events: readonly number[];
  /** What would have let it through. */
  readonly remedy: readonly Line[];
  /** The command that opens the kept log, or why there is none. */
  readonly open: string;
}

/** The text of a failure, without colour. `history` has its events; null for a copied answer. */
export function failureWords(failure: ToldFailure, history: History | null): string {
  const { title, expected, reason, got, facts, events, remedy, open } = failure;
  const [first = '', ...others] = reason === null ? got : [...notKnown(reason), ...got];
  const blocks: (readonly Line[])[] = [
    [title],
    [`Expected: ${expected}`, cell('Got:      ', first), ...others.map((l) => cell(LABEL, l))],
    [...facts, ...(reason === null ? [] : [ALLOW])],
    history === null ? [] : eventLines(events, history),
    remedy,
    [open],
  ];
  const lines = blocks.filter((block) => block.length > 0).flatMap((block) => ['', ...block]);
  return printableText(lines.slice(1));
}

const LABEL = ' '.repeat('Expected: '.length);

function cell(label: string, line: Line): Line {
  return typeof line === 'string' ? `${label}${line}` : [label, ...line];
}

function eventLines(events: readonly number[], history: History): Line[] {
  const rows = events.map((position, index) => {
    const mark = index === events.length - 1 ? '>' : '';
    const time = history.event(position)?.time ?? '';
    return [mark, String(position), time, sentence(history, position)];
  });
  const isTimed = rows.some(([, , time]) => time !== '');
  return ['Events:', ...columns(rows.map((row) => (isTimed ? row : row.filter(notTime))))];
}

const notTime = (_cell: string, index: number) => index !== 2;

/** What a pattern asks: `{ pid: 4711, comm: Any<String> }`. */
function patternWords(pattern: unknown): string {
  if (typeof pattern !== 'object' || pattern === null) return String(pattern);
  if ('asymmetricMatch' in pattern) return asymmetricWords(pattern);
  const entries = Object.entries(pattern).filter(([, value]) => value !== undefined);
  const pairs = entries.map(([key, value]) => `${key}: ${valueWords(value)}`);
  return pairs.length === 0 ? '{}' : `{ ${pairs.join(', ')} }`;
}

function valueWords(value: unknown): string {
  if (typeof value === 'string') return `'${value}'`;
  return typeof value === 'object' && value !== null ? patternWords(value) : String(value);
}

/** An asymmetric matcher as its runner names it, and what it was made of. */
function asymmetricWords(matcher: object): string {
  const { toAsymmetricMatcher, sample } = matcher as {
    readonly toAsymmetricMatcher?: () => string;
    readonly sample?: unknown;
  };
  if (typeof toAsymmetricMatcher === 'function') return toAsymmetricMatcher.call(matcher);
  const name = textGiven(matcher);
  return typeof sample === 'object' && sample !== null ? `${name} ${patternWords(sample)}` : name;
}

/** `a holder { pid: 4711 } that keeps its owner alive`, or with `isNot` `no holder …`. */
export function expectedHolder(pattern: unknown, of: 'owner' | 'file', isNot: boolean): string {
  const [article, what] = [isNot ? 'no' : 'a', of === 'owner' ? OF_OWNER : OF_FILE];
  return `${article} ${what} ${patternWords(pattern)}`;
}

const OF_OWNER = 'holder of its owner';
const OF_FILE = 'holder of its open files';

/** The holders, a line each. */
export function gotHolders(holders: readonly Holder[]): Line[] {
  return holders.length === 0 ? ['no holder'] : columns(holderRows(holders));
}

/** The owner and its holders, in a line: `iommufd f8, held by P1[101] fd 3`. */
export function gotOwner(owner: Owner): Line[] {
  const { kind, holders } = owner;
  if (kind === 'unknown' && holders.length === 0) return [];
  return [
    `${ownerWords(owner)}${holders.length === 0 ? '' : `, held by ${holdersWords(holders)}`}`,
  ];
}

export const expectedOwner = {
  unowned: (isNot: boolean) => (isNot ? 'an owner' : 'owned by nobody'),
  unknown: (isNot: boolean) => (isNot ? 'an owner that is known' : 'an owner that is unknown'),
};

/** `Owner: iommufd f8 since position 24`; nothing if the answer does not say since when. */
export function sinceLine(
  owner: Owner,
  since: Position | undefined,
  time: string | null,
): string[] {
  if (since === undefined) return [];
  const place = since === null ? 'before the first event' : placeWords(since, time);
  return [`Owner: ${ownerWords(owner)} since ${place}`];
}

/** Says why an answer is not known. */
export function notKnown(reason: string): Line[] {
  return [`not known: ${reason}`];
}

export const unknownReasons = {
  owner: (reason: string | null): string =>
    `its owner is unknown (${reason ?? 'the evidence has a gap'})`,
  copiedOwner: 'its owner is unknown',
  holder: 'of a holder that may be it, the evidence does not show which process it is',
  state: 'the device was open before anybody looked, so it may have other holders',
  refusal: 'a refusal may be it: the evidence does not show all of it',
  coverage: (coverage: Coverage): string => {
    const words = coverageWords(coverage);
    return `${words.charAt(0).toLowerCase()}${words.slice(1)}`;
  },
  attempts: (count: number): string =>
    `${counted(count, 'attempt')} cannot be judged, because the host is unknown there`,
  moment: (end: 'from' | 'to', coverage: Coverage): string =>
    `who holds what ${end === 'from' ? 'at the first moment' : 'at the last moment'}: ` +
    coverageWords(coverage),
  after: 'the last moment is after the end of the log',
};

const ALLOW = "{ unknown: 'allow' } judges by what was seen";

/** When the owner changes after a moment; null: never. */
export function ownerChangeLine(to: Position, history: History): string {
  if (to === null) return 'The owner does not change at any later position of this log';
  return `The owner changes after ${to}: ${sentence(history, to)}`;
}

/** The explanation of the last refusal that concerns what a matcher was asked of. */
export function refusalLines(found: Why, history: History): Line[] {
  return ['The last refusal:', ...indented(whyWords(found, history))];
}

/** A refused call in short: `position 29: P2[102] bind: EINVAL device-open-elsewhere`. */
export function refusedRows(
  calls: readonly {
    readonly position: number;
    readonly pid: number | null;
    readonly comm: string | null;
    readonly operation: string;
    readonly errno: string | null;
    readonly cause: string;
  }[],
  count: number,
): Line[] {
  if (calls.length === 0) return ['no refusal'];
  const rows = calls.map(({ position, pid, comm, operation, errno, cause }) => [
    `position ${position}`,
    processWords(pid, comm),
    operation,
    errno ?? '-',
    cause,
  ]);
  const more = count - calls.length;
  return [...columns(rows), ...(more > 0 ? [`${moreWords(more)} before`] : [])];
}

export function expectedRefusal(pattern: unknown, isNot: boolean): string {
  return `${isNot ? 'no' : 'a'} refusal ${patternWords(pattern)}`;
}

/** How an invariant was first violated, and the fewest events that still show it. */
export function violationLines(found: {
  readonly cause: string | null;
  readonly prefix: readonly number[];
}): Line[] {
  const { cause, prefix } = found;
  return [
    cause === null ? 'The rules allow the event' : `The rules refuse the event: ${cause}`,
    `The fewest events that still show it: ${prefix.join(', ')}`,
  ];
}

/** An attempt that ends differently by other rules. */
export function differenceLines(
  { recorded, other }: Difference,
  profile: string,
  count: number,
): { readonly expected: string; readonly got: Line[] } {
  const words = ({ errno, cause }: Difference['other']) =>
    errno === null ? 'passed' : `${errno}${cause === null ? '' : ` (${cause})`}`;
  const more = count > 1 ? [`${moreWords(count - 1, 'difference')}`] : [];
  return {
    expected: `${words(other)}, by ${profile}`,
    got: [`${words(recorded)}, as recorded`, ...more],
  };
}

export const expectedOf = {
  invariant: (sentenceOf: string, isNot: boolean): string =>
    isNot ? `a violation of: ${sentenceOf}` : sentenceOf,
  conformance: (profile: string): string => `an attempt that would end differently by ${profile}`,
  release: (isNot: boolean): string =>
    isNot ? 'a file that was opened and is still open' : 'every file that was opened is released',
};

export const gotNone = {
  violation: 'it holds at every event',
  difference: 'every attempt ends as recorded',
  leak: 'every file that was opened is released',
};

/** Each file that was not released: who opened it, who holds it, and what it keeps alive. */
export function leakLines(leaks: readonly Leak[]): Line[] {
  const shown = leaks
    .slice(0, MOST_LEAKS)
    .flatMap((leak) => [
      `${fileWords(leak)}, file ${leak.file}`,
      ...indented(
        columns([
          ['opened by', `${openerWords(leak)}`],
          ['held by', holdersWords(leak.holders)],
          ...leak.keepsOwnerOf.map((group) => ['keeps alive', `the owner of group ${group}`]),
        ]),
      ),
    ]);
  const more = leaks.length - MOST_LEAKS;
  return [...shown, ...(more > 0 ? [moreWords(more, 'file')] : [])];
}

const MOST_LEAKS = 10;

function openerWords({ pid, comm, fd, position, time, isSeen }: Leak): string {
  const place = placeWords(position, time);
  const when = isSeen ? `at ${place}` : `at ${place} or before, unseen`;
  return `${processWords(pid, comm)} as fd ${fd ?? '?'} ${when}`;
}

/** What has to be closed so that nothing leaks. */
export function closeLines(leaks: readonly Leak[]): Line[] {
  const holders = leaks.flatMap((leak) => leak.holders.filter(({ via }) => via !== 'kernel'));
  return titled('It is released when these are closed:', holderRows(holders));
}

/** The title of a matcher about a moment or a range. */
export function titleWords(matcher: string, isNot: boolean, subject: string): string {
  return `${isNot ? 'not.' : ''}${matcher}: ${subject}`;
}

/** `group 26, at position 41`; a copied answer has no moment. */
export function subjectAt(name: string, at: Position | undefined, time: string | null): string {
  if (at === undefined) return name;
  return at === null ? `${name}, at the start` : `${name}, at ${placeWords(at, time)}`;
}

/** `the events from position 0 to 31`. */
export function historyRange(first: number, last: number): string {
  return last < first ? 'a history without events' : `the events from position ${first} to ${last}`;
}

/** `from the start to position 31`. */
export function rangeWords(from: Position, to: Position): string {
  return `from ${positionWords(from)} to ${positionWords(to)}`;
}

export const COPIED = 'The answer was copied: the events behind it are not at hand';
export const NOT_KEPT = 'No log holds these events';

/** The command that asks a kept log: `npx vfio-ledger who 0000:3b:00.0 --at 24 --log lab.ledger`. */
export function openWords(
  ask: readonly string[],
  {
    path,
    host,
    isOnly,
  }: { readonly path: string; readonly host: string; readonly isOnly: boolean },
): string {
  return shellCommand([...ask, '--log', path, ...(isOnly ? [] : ['--host', host])]);
}

/** A command of this program as a shell takes it. */
export function shellCommand(words: readonly string[]): string {
  return ['npx vfio-ledger', ...words.map(quoted)].join(' ');
}

/** What a test says that leaks, above the story. */
export const LEAKS =
  "The test did not release everything that it opened; test.override('leaks', 'allow') allows it.";
