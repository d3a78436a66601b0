/**
 * Who ever had a hand in an ownership: "has or had", for auditors.
 *
 * A context has an owner's place as long as anything keeps it alive: whoever came by a descriptor or
 * mapping later, by a fork, a pass or a mapping, has it as well as who opened it.
 *
 * @module
 */
import { openInterval } from './before.ts';
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
import type { Hand, Holder, Interval, Owner, Tenure } from './shapes.ts';
import type { Subject } from './subjects.ts';
import type { Timeline } from './timeline.ts';
import { byNumber, keepers, nobody, ownerOf } from './views.ts';
import { eventsOf, walk } from './walk.ts';
import { START } from './when.ts';

/** A process as far as it can be asked for. */
type NamedProcess = Pick<Holder, 'pid' | 'comm' | 'cgroup'>;

/** Whom a word means. */
type Whom = (process: NamedProcess) => boolean;

/** An interval, and by process the hands that were in it. */
interface IntervalHands {
  interval: Interval;
  readonly hands: Map<string, readonly Hand[]>;
}

/**
 * The intervals of a subject's ownership, or of every group's, in which somebody was among the
 * holders of the owner at any time. An owner that is unknown may have been anybody: such intervals
 * are among them, with nobody named.
 *
 * `who` is `pid:N`, a process's name as it stands, or any part of a control group's path. Throws
 * `unknown-subject` where the history has no such process.
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
      if (spans.has(owner)) spans.note(owner, keepers(host, [owner]).filter(whom), position);
    }
  }
  return spans.all
    .filter(({ interval, hands }) => interval.owner.kind === 'unknown' || hands.size > 0)
    .map(({ interval, hands }) => ({ ...interval, by: [...hands.values()].flat() }));
}

/** The intervals with which the histories of what is asked about begin. */
function openIntervals(timeline: Timeline, subject: Subject | null): Interval[] {
  if (subject !== null) return [openInterval(timeline, subject)];
  const groups = timeline.groups().toSorted(byNumber);
  return groups.map((id) => openInterval(timeline, { kind: 'group', id }));
}

/** Where a subject, or any group, comes to have another owner; in order of position and group. */
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

/** The intervals of ownership as they come, one after the other for each subject. */
class Spans {
  readonly all: IntervalHands[];
  readonly #last = new Map<string, IntervalHands>();
  /** Those that go on, by the file that owns. */
  readonly #owned = new Map<FileId, Set<IntervalHands>>();

  constructor(intervals: readonly Interval[]) {
    this.all = intervals.map((interval) => ({ interval, hands: new Map() }));
    for (const span of this.all) this.#last.set(span.interval.subject, span);
  }

  /** Ends the interval of a subject with an event, and begins the next. */
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

  /** Whether anything that goes on is owned by a file. */
  has(owner: FileId): boolean {
    return (this.#owned.get(owner)?.size ?? 0) > 0;
  }

  /** Notes who keeps an owner alive at a position, where it is not known that they do. */
  note(owner: FileId, holders: readonly Holder[], position: number): void {
    const found = Map.groupBy(holders, nameOf);
    for (const { hands } of this.#owned.get(owner) ?? []) {
      for (const [name, held] of found) {
        if (hands.has(name)) continue;
        const first = held.map((holder) => ({ ...holder, from: position }));
        hands.set(name, first);
      }
    }
  }
}

/** A number may be given again within an interval, to another process. */
const nameOf = ({ pid, comm, cgroup }: NamedProcess): string => JSON.stringify([pid, comm, cgroup]);

/** The files that a process holds since the event, under that name, or another file in the kernel. */
function gained({ type, data }: Placed, { processTable: processes }: LiveHost): FileId[] {
  const { fills, names } = effectOf(type);
  const filled = fills?.(data) ?? (givesContext(type) ? (data as Slot) : null);
  if (filled !== null) return [processes.file(filled.pid, filled.fd) ?? []].flat();
  // Whoever has another name has what it had before.
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

/** Whom a word means, who has to be there: a slip of the pen would else prove that nobody owned. */
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
      `'${who}' is no process, nor control group, that this log knows`,
    );
  }
  return whom;
}

function isNamed(timeline: Timeline, whom: Whom): boolean {
  for (const { type, data } of eventsOf(timeline)) {
    // A child is in the control group of its parent, who was met before.
    const named = effectOf(type).names?.(data) ?? null;
    if (named !== null && whom(named)) return true;
  }
  return false;
}
