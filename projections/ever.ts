/**
 * `history --by`: the intervals of ownership in which a given process kept the owner alive.
 *
 * A context owns a group as long as anything keeps the context alive. So a process that got a
 * descriptor or a mapping by fork, SCM_RIGHTS or mmap counts as well as the process that opened it.
 *
 * @module
 */
import { textGiven } from '../events/given.ts';
import { LedgerError } from '../events/ledger-error.ts';
import { nearestClause } from '../events/nearest.ts';
import { eventTypes, type EventType } from '../events/vocabulary.ts';
import { effectOf } from '../processes/effects.ts';
import { KERNEL_PID } from '../processes/process-table.ts';
import { historiesOf, historyOf } from './history.ts';
import { processSpans } from './index/process-spans.ts';
import { resolveSubject } from './resolve.ts';
import type { Hand, Interval, Tenure } from './interval-shapes.ts';
import type { Holder } from './shapes.ts';
import { parseSubject } from './subject-words.ts';
import type { Subject } from './subjects.ts';
import type { Timeline } from './timeline.ts';
import { byNumber } from './views.ts';

type NamedProcess = Pick<Holder, 'pid' | 'comm' | 'cgroup'>;

/** Whether a process is the one asked about. */
type Whom = (process: NamedProcess) => boolean;

/**
 * The intervals of a subject's ownership, or with null of every group's, in which a process `who`
 * was a holder of the owner at any time. Intervals with an unknown owner are included, with an
 * empty `by`: `who` may have owned it.
 *
 * `who` is `pid:N`, a process as answers print it (`qemu[4711]`), the exact name of a process, or a part of the path of a control group. Throws
 * `unknown-subject` if no process of the history fits.
 */
export function everOwned(timeline: Timeline, who: string, subject: Subject | null): Tenure[] {
  const whom = whomOf(timeline, textGiven(who));
  const intervals =
    subject === null ? groupHistories(timeline, whom) : historyOf(timeline, subject);
  return intervals.flatMap((interval): Tenure[] => {
    if (interval.owner.kind === 'unknown') return [{ ...interval, by: [] }];
    const by = firstOfEach(interval.hands.filter(whom));
    return by.length === 0 ? [] : [{ ...interval, by }];
  });
}

/**
 * The intervals of all groups whose owner is unknown, or was kept alive by a process, by their begin, then
 * by group.
 */
function groupHistories(timeline: Timeline, whom: Whom): Interval[] {
  const groups = timeline.groups().toSorted(byNumber);
  return historiesOf(timeline, groups, ({ owner }, hands) => {
    return owner.kind === 'unknown' || hands.some(whom);
  });
}

/** Of each process, by its name at the time, the hands that it had first. */
function firstOfEach(hands: readonly Hand[]): Hand[] {
  const byProcess = Map.groupBy(hands, ({ pid, comm, cgroup }) => `${pid} ${comm} ${cgroup}`);
  return [...byProcess.values()].flatMap((own) => own.filter(({ from }) => from === own[0]?.from));
}

/**
 * Parses `who`. An unknown process is an error: a typo must not prove that it never owned anything.
 */
function whomOf(timeline: Timeline, who: string): Whom {
  const { kind, ids } = parseSubject(who);
  if (kind === 'process') {
    resolveSubject(timeline, who, timeline.head);
    return ({ pid }) => pid === Number(ids[0]);
  }
  const whom: Whom = ({ comm, cgroup }) => comm === who || cgroup?.includes(who) === true;
  if (who === '' || !isNamed(timeline, whom)) {
    const near = nearestClause(who, namesOf(timeline));
    throw new LedgerError(
      'unknown-subject',
      `this log has no process and no control group '${who}'${near}`,
    );
  }
  return whom;
}

function* namesOf(timeline: Timeline): Generator<string> {
  const { first, head } = timeline;
  for (const { pid, comm, cgroup } of processSpans(timeline.hands.from(), first, head)) {
    if (pid >= KERNEL_PID) continue;
    if (comm !== null) yield comm;
    if (cgroup !== null) yield cgroup;
  }
}

/** The types of events that name a process. */
const naming = new Set<EventType>(eventTypes.filter((type) => effectOf(type).names !== null));

function isNamed(timeline: Timeline, whom: Whom): boolean {
  for (const { type, data } of timeline.select(timeline.first, timeline.head, null, naming)) {
    // A child is in the control group of its parent, which was found before.
    const named = effectOf(type).names?.(data) ?? null;
    if (named !== null && whom(named)) return true;
  }
  return false;
}
