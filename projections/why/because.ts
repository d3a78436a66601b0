/**
 * `because`: the events without which a refused call would have passed.
 *
 * Each candidate is left out, the latest first, and the call is judged on what then is the host. A
 * slice that does not refuse the call for its cause, or does not agree with the index, is not used:
 * the whole boot is played.
 *
 * @module
 */
import type { Fact, Placed } from '../../events/vocabulary.ts';
import type { LiveHost } from '../../machines/live-host.ts';
import { kindOfDriver } from '../../operations/driver.ts';
import { rowOf } from '../../operations/table.ts';
import type { FileId } from '../../processes/process-table.ts';
import { keyOf, type SubjectKey } from '../subjects.ts';
import type { Timeline } from '../timeline.ts';
import { isCauseIn, type JudgedRefusal } from './counterfactual.ts';
import { Concern, isDriverChange } from './relevant-events.ts';
import { agrees } from './slice-agreement.ts';
import { eventsOfBoot, HeldEvents } from './played-events.ts';
import { isShort, Slice } from './slice.ts';
import { Trials } from './trials.ts';

/** At most this many events are left out together. */
const EVENTS_MAX = 8;
/** Pairs are tried only among the latest 32 candidates, in a boot of at most 512 events. */
const PAIRS_AMONG_MAX = 32;
const PAIRS_WITHIN_MAX = 512;

/**
 * The fewest positions, ascending, without which the attempt at `position` would have passed: the
 * latest single event that decides, else the fewest events that decide together. Empty if no such
 * events are found: then something is missing that the call needs.
 */
export function becauseOf(timeline: Timeline, refused: JudgedRefusal): number[] {
  // A process with that name exists, and no event of a group or file has started it.
  if (rowOf(refused.call.operation).makes === 'process') return [];
  const last = refused.position - 1;
  const sliced = isShort(timeline, last) ? null : slicedTrials(timeline, refused);
  const trials = sliced ?? new Trials(eventsOfBoot(timeline, last), judgeOf(refused), refused.call);
  return becauseAmong(timeline, refused, trials);
}

/**
 * Trials of the events that concern a refused call. Null if these alone do not refuse it for its
 * cause, or do not agree with the index.
 */
export function slicedTrials(
  timeline: Timeline,
  refused: JudgedRefusal,
): HistoryTrials<Obstacle> | null {
  const { position, call, blocker } = refused;
  const last = position - 1;
  for (const scope of ['groups', 'waits'] as const) {
    const concern = new Concern(timeline, call, { at: last, last, blocker, scope });
    const { events } = Slice.concerned(timeline, concern, last);
    const trials = new Trials(new HeldEvents(events), judgeOf(refused), call);
    const isRight = isCauseIn(trials.end, refused);
    if (isRight && agrees(trials.end, timeline.viewAt(last), concern)) return trials;
  }
  return null;
}

/** As `becauseOf`, with trials of the events that may decide. */
export function becauseAmong(
  timeline: Timeline,
  refused: JudgedRefusal,
  trials: HistoryTrials<Obstacle>,
): number[] {
  return searched({ timeline, ...refused, trials }) ?? [];
}

/** A history that can be played again without one event, or without some; see `Trials`. */
export type HistoryTrials<V> = Pick<Trials<V>, 'events' | 'end' | 'verdict' | 'without'> & {
  withoutAll(positions: ReadonlySet<number>): HistoryTrials<V>;
};

/** A refused call, and trials of the events that may decide it. */
interface Search extends JudgedRefusal {
  readonly timeline: Timeline;
  readonly trials: HistoryTrials<Obstacle>;
}

function searched(search: Search): number[] | null {
  const { trials } = search;
  // The rules do not refuse the call, so no event is the reason.
  if (passes(trials.verdict)) return null;
  const candidates = suspectsOf(search);
  const single = candidates.find((candidate) => passes(trials.without(candidate)));
  if (single !== undefined) return [single];
  return sideBySide(search, candidates) ?? pairOf(search, candidates);
}

/** Searches events that block one after the other, such as two kernel drivers of a group. */
function sideBySide(search: Search, candidates: readonly number[]): number[] | null {
  const out = new Set<number>();
  let { trials } = search;
  while (out.size < EVENTS_MAX) {
    const tried = trials;
    const next = candidates.find(
      (candidate) => !out.has(candidate) && isFurther(tried.without(candidate), tried.verdict),
    );
    if (next === undefined) return null;
    out.add(next);
    trials = trials.withoutAll(new Set([next]));
    if (passes(trials.verdict)) return fewest(search, out);
  }
  return null;
}

function pairOf(search: Search, candidates: readonly number[]): number[] | null {
  const { timeline, position, trials } = search;
  if (position - timeline.bootBefore(position) > PAIRS_WITHIN_MAX) return null;
  const latest = candidates.slice(0, PAIRS_AMONG_MAX);
  for (const [index, first] of latest.entries()) {
    const others = trials.withoutAll(new Set([first]));
    for (const second of latest.slice(index + 1)) {
      if (passes(others.without(second))) return [second, first];
    }
  }
  return null;
}

function fewest(search: Search, out: Set<number>): number[] {
  for (const spare of out) {
    const fewer = new Set([...out].filter((other) => other !== spare));
    if (passes(search.trials.withoutAll(fewer).verdict)) out.delete(spare);
  }
  return [...out].toSorted((a, b) => a - b);
}

/** What blocks a call; nothing if it passes all checks. */
interface Obstacle {
  /** Number of checks that it passes before one fails. */
  readonly checks: number;
  /** The blocker at that check, as text to compare; null if it passes all. */
  readonly who: string | null;
}

/** Judges a refused call on the host that a trial ends in. */
export function judgeOf({ call, cause }: JudgedRefusal): (host: LiveHost) => Obstacle {
  return (host) => {
    const refusal = host.judgeAs(call, cause);
    const { checks } = host.rules.operations[call.operation];
    if (refusal === null) return { checks: checks.length, who: null };
    const { group } = host.concerned(call);
    const claims = group === null ? 0 : (host.group(group)?.claims ?? 0);
    return {
      checks: checks.findIndex(({ name }) => name === refusal.check),
      who: `${JSON.stringify(refusal.blocker)} ${claims}`,
    };
  };
}

/** Whether the attempt passes more checks than before, or has another blocker. */
function isFurther(now: Obstacle, before: Obstacle): boolean {
  return now.checks > before.checks || (now.checks === before.checks && now.who !== before.who);
}

function passes({ who }: Obstacle): boolean {
  return who === null;
}

/** Positions of events that may have caused a refusal, the latest first. */
function suspectsOf({ timeline, position, call, cause, trials }: Search): number[] {
  const { events, end: host } = trials;
  const asked = host.concerned(call);
  const { file, argument } = asked;
  const subjects = new Set<SubjectKey>();
  // A call on a dead group file concerns the group that the file was opened for.
  const opened = file === null ? undefined : host.file(file);
  const own = opened?.kind === 'group' ? opened.group : null;
  const group = asked.group ?? host.device(asked.device ?? '')?.group ?? own;
  if (group !== null) subjects.add(keyOf({ kind: 'group', id: group }));
  // Other events of the process matter only if a descriptor of the call is closed.
  const isMissing = ('iommufd' in call || 'container' in call) && argument === null;
  const closed = 'fd' in call && (file === null || isMissing);
  if (closed) subjects.add(keyOf({ kind: 'process', id: String(call.pid) }));
  for (const member of host.devices()) {
    if (group !== null && member.group === group) subjects.add(`device ${member.device}`);
  }
  const changing = host.driverChange?.device;
  if (changing !== undefined && isDriverChange(call)) subjects.add(`device ${changing}`);
  const blocker = host.judgeAs(call, cause)?.blocker?.file ?? null;
  for (const id of [file, argument, blocker]) if (id !== null) addKeepers(subjects, host, id);
  const [first] = events.range(0, 1);
  const since = first?.position ?? position;
  const concerned = new Set<number>();
  for (const key of subjects) {
    for (const at of timeline.positionsOf(key, since, position - 1)) concerned.add(at);
  }
  const deeds: number[] = [];
  for (const event of events.among(concerned)) if (isDeed(event)) deeds.push(event.position);
  return deeds.toReversed();
}

/**
 * Whether an event may be a cause: not a boot or a refusal, nor a new device without a kernel
 * driver.
 */
function isDeed(event: Placed<Fact>): boolean {
  if (event.type === 'operation.refused' || event.type === 'host.booted') return false;
  if (event.type !== 'device.added') return true;
  return event.data.driver !== null && kindOfDriver(event.data.driver) === 'kernel';
}

/** Adds an open file, with the files that it keeps alive and those that keep it alive. */
function addKeepers(subjects: Set<SubjectKey>, host: LiveHost, id: FileId): void {
  const file = host.file(id);
  const key = keyOf({ kind: 'file', id });
  if (file === undefined || subjects.has(key)) return;
  subjects.add(key);
  for (const other of [...file.pinnedBy, ...file.pins]) addKeepers(subjects, host, other);
}
