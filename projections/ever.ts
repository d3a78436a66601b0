/**
 * `history --by`: the intervals of ownership in which a given process kept the owner alive.
 *
 * A context owns a group as long as anything keeps the context alive. So a process that got a
 * descriptor or a mapping by fork, SCM_RIGHTS or mmap counts as well as the process that opened it.
 *
 * @module
 */
import { openInterval } from './owner-at.ts';
import { LedgerError } from '../events/ledger-error.ts';
import type { Placed } from '../events/vocabulary.ts';
import type { HostAt } from '../machines/host-at.ts';
import type { LiveHost } from '../machines/live-host.ts';
import { givesContext } from '../operations/table.ts';
import { effectOf } from '../processes/effects.ts';
import type { FileId } from '../processes/process-table.ts';
import type { Process } from '../processes/process.ts';
import { historyOf } from './history.ts';
import { keptBy } from './holdings.ts';
import { partiesOf } from './parties.ts';
import { resolveSubject } from './resolve.ts';
import type { Hand, Holder, Owner, OwnerInterval, Tenure } from './shapes.ts';
import type { Subject } from './subjects.ts';
import { timed } from './timed.ts';
import type { Timeline } from './timeline.ts';
import { byNumber, keepers, nobody, ownerOf } from './views.ts';
import { eventsOf, walk } from './walk.ts';
import { START } from './when.ts';

type NamedProcess = Pick<Holder, 'pid' | 'comm' | 'cgroup'>;

/** Whether a process is the one asked about. */
type Whom = (process: NamedProcess) => boolean;

/** An interval, and the hands in it by the key of their process. */
interface IntervalHands {
  interval: OwnerInterval;
  readonly hands: Map<string, readonly Hand[]>;
}

/**
 * The intervals of a subject's ownership, or with null of every group's, in which a process `who`
 * was a holder of the owner at any time. Intervals with an unknown owner are included, with an
 * empty `by`: `who` may have owned it.
 *
 * `who` is `pid:N`, the exact name of a process, or a part of the path of a control group. Throws
 * `unknown-subject` if no process of the history fits.
 */
export function everOwned(timeline: Timeline, who: string, subject: Subject | null): Tenure[] {
  const whom = whomOf(timeline, who);
  const spans = new Spans(openIntervals(timeline, subject));
  const handovers = Map.groupBy(handoversOf(timeline, subject), ({ position }) => position);
  for (const { event, host } of walk(timeline)) {
    const { position } = event;
    const owners = gained(event, host).flatMap((file) => [...keptBy(host, file)]);
    for (const handover of handovers.get(position) ?? []) {
      const owner = ownerAt(host, handover.subject);
      if (owner.file !== null) owners.push(owner.file);
      spans.begin(handover.subject.id, owner, event);
    }
    for (const owner of new Set(owners)) {
      if (spans.has(owner)) spans.note(owner, keepers(host, [owner]).filter(whom), event);
    }
  }
  return spans.all
    .filter(({ interval, hands }) => interval.owner.kind === 'unknown' || hands.size > 0)
    .map(({ interval, hands }) => {
      return timed(timeline, { ...interval, by: [...hands.values()].flat() });
    });
}

/** The first interval of each subject that is asked about. */
function openIntervals(timeline: Timeline, subject: Subject | null): OwnerInterval[] {
  if (subject !== null) return [openInterval(timeline, subject)];
  const groups = timeline.groups().toSorted(byNumber);
  return groups.map((id) => openInterval(timeline, { kind: 'group', id }));
}

/**
 * Every change of the owner of a subject, or with null of any group; by position, then by group.
 */
function handoversOf(timeline: Timeline, subject: Subject | null): Handover[] {
  if (subject !== null && subject.kind !== 'group') {
    return historyOf(timeline, subject).flatMap(({ from }) => {
      return from === null ? [] : { position: from, subject };
    });
  }
  return [...timeline.handedOver(START, timeline.head, subject?.id ?? null)]
    .toSorted((a, b) => a.position - b.position || byNumber(a.group, b.group))
    .map(({ position, group }) => ({ position, subject: { kind: 'group', id: group } }));
}

interface Handover {
  readonly position: number;
  readonly subject: Subject;
}

function ownerAt(host: HostAt, subject: Subject): Owner {
  if (subject.kind !== 'group') return partiesOf(host, subject).owner;
  const group = host.group(subject.id);
  return group === undefined ? nobody : ownerOf(host, group);
}

/** Collects the intervals of ownership, one after the other for each subject. */
class Spans {
  readonly all: IntervalHands[];
  readonly #last = new Map<string, IntervalHands>();
  /** The current intervals, by the file that owns. */
  readonly #owned = new Map<FileId, Set<IntervalHands>>();

  constructor(intervals: readonly OwnerInterval[]) {
    this.all = intervals.map((interval) => ({ interval, hands: new Map() }));
    for (const span of this.all) this.#last.set(span.interval.subject, span);
  }

  /** Ends the interval of a subject at an event, and begins the next one. */
  begin(subject: string, owner: Owner, { position, type }: Placed): void {
    const last = this.#last.get(subject);
    if (last !== undefined) {
      last.interval = { ...last.interval, to: position, endedBy: type };
      this.#owned.get(last.interval.owner.file ?? '')?.delete(last);
    }
    const interval = { subject, from: position, to: null, owner, endedBy: null };
    const span: IntervalHands = { interval, hands: new Map() };
    this.all.push(span);
    this.#last.set(subject, span);
    if (owner.file === null) return;
    const others = this.#owned.get(owner.file);
    if (others === undefined) this.#owned.set(owner.file, new Set([span]));
    else others.add(span);
  }

  /** Whether a file owns a current interval. */
  has(owner: FileId): boolean {
    return (this.#owned.get(owner)?.size ?? 0) > 0;
  }

  /** Notes the processes that keep an owner alive after an event, each once an interval. */
  note(owner: FileId, holders: readonly Holder[], { position, time }: Placed): void {
    const found = Map.groupBy(holders, nameOf);
    for (const { hands } of this.#owned.get(owner) ?? []) {
      for (const [name, held] of found) {
        if (hands.has(name)) continue;
        const first = held.map((holder) => ({ ...holder, from: position, fromTime: time }));
        hands.set(name, first);
      }
    }
  }
}

/** The key of a process. It has the name, because a pid may be reused within an interval. */
const nameOf = ({ pid, comm, cgroup }: NamedProcess): string => JSON.stringify([pid, comm, cgroup]);

/** The files that an event gives to a process, or to a process under its new name. */
function gained({ type, data }: Placed, { processTable: processes }: LiveHost): FileId[] {
  const { fills, names } = effectOf(type);
  const filled = fills?.(data) ?? (givesContext(type) ? (data as Slot) : null);
  if (filled !== null) return [processes.file(filled.pid, filled.fd) ?? []].flat();
  // A process with a new name still has all its files.
  const named = names?.(data) ?? null;
  return named === null ? [] : filesOf(processes.process(named.pid));
}

interface Slot {
  readonly pid: number;
  readonly fd: number;
}

function filesOf(process: Process | undefined): FileId[] {
  if (process === undefined) return [];
  const files = [...process.descriptors.values()].map(({ file }) => file);
  return [...new Set([...files, ...process.mappings.values()])];
}

/**
 * Parses `who`. An unknown process is an error: a typo must not prove that it never owned anything.
 */
function whomOf(timeline: Timeline, who: string): Whom {
  const [, pid] = /^pid:(\d+)$/.exec(who) ?? [];
  const whom: Whom =
    pid === undefined
      ? ({ comm, cgroup }) => comm === who || cgroup?.includes(who) === true
      : (process) => process.pid === Number(pid);
  if (pid !== undefined) resolveSubject(timeline, who, timeline.head);
  else if (who === '' || !isNamed(timeline, whom)) {
    throw new LedgerError(
      'unknown-subject',
      `this log has no process and no control group '${who}'`,
    );
  }
  return whom;
}

function isNamed(timeline: Timeline, whom: Whom): boolean {
  for (const { type, data } of eventsOf(timeline)) {
    // A child is in the control group of its parent, which was found before.
    const named = effectOf(type).names?.(data) ?? null;
    if (named !== null && whom(named)) return true;
  }
  return false;
}
