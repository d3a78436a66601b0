/**
 * Sentences about coverage: from when to when every process of the host was seen, and why not
 * elsewhere.
 *
 * @module
 */
import type { Placed } from '../events/vocabulary.ts';
import type {
  Coverage,
  CoverageReason,
  FoundCoverage,
  SourceName,
  Uncovered,
} from '../projections/coverage.ts';
import { moreWords } from './moments.ts';

/** A `FoundCoverage` with its reasons in sentences; `eventAt` gives the event of a gap. */
export function coverageAnswer(
  found: FoundCoverage,
  eventAt: (position: number) => Placed,
): Coverage {
  const unknown = found.unknown.map((each) => {
    return { ...each, reason: reasonWords(each.reason, eventAt) };
  });
  return { ...found, unknown };
}

function reasonWords(reason: CoverageReason, eventAt: (position: number) => Placed): string {
  switch (reason.kind) {
    case 'no-events':
      return 'the log has no event';
    case 'removed':
      return 'these events were removed from the log';
    case 'gap':
      return gapWords(eventAt(reason.position));
    case 'owner-unknown':
      return 'the owner of the group is unknown';
    case 'group-unknown':
      return 'a file of the device is open, and its group is unknown';
    case 'some-processes':
      return `only some processes were seen (${sourcesWords(reason.sources)})`;
    case 'unknown-start':
      return (
        `what was open before is unknown: no boot and no complete snapshot was recorded where the ` +
        `recorder began (${sourcesWords(reason.sources)})`
      );
    case 'not-watched':
      return 'no recorder watched the host';
    case 'before-start':
      return 'the log begins later';
    case 'after-end':
      return 'the log ends there';
    case 'cut':
      return 'the file that continues the log is missing';
  }
}

function gapWords({ type, data }: Placed): string {
  return `the evidence has a gap${type === 'gap.noticed' ? `: ${data.reason}` : ''}`;
}

/** The longest list of sources that is named in full. */
const MOST_NAMED = 3;

/** `strace from a.strace, fdinfo from b.txt and 2 more`. */
function sourcesWords(sources: readonly SourceName[]): string {
  const names = [...new Set(sources.map(sourceWords))];
  const more = names.length - MOST_NAMED;
  const named = names.slice(0, MOST_NAMED).join(', ');
  return more > 0 ? `${named} and ${more} more` : named;
}

function sourceWords({ source, format }: SourceName): string {
  if (source === null || format === null || source === format) return source ?? format ?? '?';
  return `${format} from ${source}`;
}

/** The coverage of a log that cannot be read. */
export const unreadable: Coverage = {
  from: null,
  to: null,
  fromTime: null,
  toTime: null,
  unknown: [
    {
      subject: null,
      from: null,
      to: null,
      fromTime: null,
      toTime: null,
      reason: 'the log cannot be read',
    },
  ],
};

/** Whether anything in the range was not seen. */
function isPartial({ unknown }: Coverage): boolean {
  return unknown.length > 0;
}

/**
 * Says that there is none of something: `none` where everything was seen, else `seen`, which says
 * only that none was seen.
 */
export function noneWords(coverage: Coverage, none: string, seen: string): string {
  return isPartial(coverage) ? `${NONE_SEEN}: ${seen}` : none;
}

/** `none` of what is counted, or `none seen` where not everything was seen. */
export function noWords(coverage: Coverage): string {
  return isPartial(coverage) ? NONE_SEEN : 'none';
}

export const NONE_SEEN = 'none seen';

/** The coverage in one line. */
export function coverageWords(coverage: Coverage): string {
  return `${isPartial(coverage) ? 'Not all was seen' : 'Seen'}: ${seenRangeWords(coverage)}`;
}

/** The coverage as the value of a key: `not all: from position 0 to 9: no recorder …`. */
export function coverageValueWords(coverage: Coverage): string {
  return `${isPartial(coverage) ? 'not all: ' : ''}${seenRangeWords(coverage)}`;
}

function seenRangeWords(coverage: Coverage): string {
  const [first, ...others] = coverage.unknown;
  if (first === undefined) return `all processes of the host, ${rangeWords(coverage)}`;
  const more = others.length === 0 ? '' : `; ${moreWords(others.length, 'interval')}`;
  return `${uncoveredWords(first, coverage)}${more}`;
}

function uncoveredWords({ subject, reason, ...uncovered }: Uncovered, last: CoverageRange): string {
  const { from, to, fromTime, toTime } = uncovered;
  if (from === null) return reason;
  const end = to === null ? last : { to: to - 1, toTime };
  const range = rangeWords({ from, fromTime, to: end.to, toTime: end.toTime });
  return `${subject === null ? '' : `${subjectWords(subject)}, `}${range}: ${reason}`;
}

/** A group by its number, or a device by its address. */
function subjectWords(subject: string): string {
  return /^\d+$/.test(subject) ? `group ${subject}` : subject;
}

type CoverageRange = Omit<Coverage, 'unknown'>;

function rangeWords({ from, to, fromTime, toTime }: CoverageRange): string {
  if (from === to) return `at position ${from}${fromTime === null ? '' : ` (${fromTime})`}`;
  const isTimed = fromTime !== null || toTime !== null;
  const times = isTimed ? ` (${fromTime ?? '?'} to ${toTime ?? '?'})` : '';
  return `from position ${from} to ${to}${times}`;
}
