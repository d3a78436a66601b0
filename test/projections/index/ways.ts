/**
 * Several ways to the same answers: what a timeline says, and what comes of going through a log
 * event by event and looking at the host after each.
 *
 * @module
 */
import type { Placed } from '../../../events/vocabulary.ts';
import type { HostAt } from '../../../machines/host-at.ts';
import { LiveHost } from '../../../machines/live-host.ts';
import { changesBetween, historyOf } from '../../../projections/history.ts';
import { orphansOf } from '../../../projections/holdings.ts';
import { HostAtMoment } from '../../../projections/moment.ts';
import type { BareOwner } from '../../../projections/owner-at.ts';
import type {
  Change,
  DescentStep,
  Diff,
  Holder,
  Moment,
  Orphan,
  Owner,
  Position,
  Table,
  Who,
} from '../../../projections/shapes.ts';
import {
  noteSubjects,
  type Subject,
  type SubjectKey,
  type SubjectKind,
} from '../../../projections/subjects.ts';
import type { Timeline } from '../../../projections/timeline.ts';
import type { Why } from '../../../projections/why/why.ts';
import {
  byNumber,
  byProcess,
  keepers,
  nobody,
  ownerOf,
  tableOf,
  type KernelTable,
} from '../../../projections/views.ts';
import type { Untimed } from '../../../projections/timed.ts';
import { shownAt, stepped, Steps, type SteppedInterval } from '../../support/hands.ts';
import type { Log } from '../../support/random-logs.ts';
import { withTimes } from '../../support/times-beside.ts';
import { Told } from './told.ts';

/** What is to be answered. */
export interface Asked {
  readonly subjects: readonly Subject[];
  /** Those whose history is asked for as well. */
  readonly histories: readonly Subject[];
  /** Moments, of which -1 is that before the first event. */
  readonly positions: readonly number[];
  readonly spans: readonly (readonly [from: number, to: number])[];
}

/** What can be told of a subject from one moment alone. */
type WhoNow = Pick<Who, 'subject' | 'kind' | 'at' | 'owner' | 'holders' | 'waiters' | 'lineage'>;

type Refusal = Pick<Why, 'cause' | 'blocker'>;

interface Answers {
  readonly moments: readonly {
    readonly table: KernelTable;
    readonly who: readonly WhoNow[];
    /** Of each subject that is a group. */
    readonly owners: readonly BareOwner[];
    readonly orphans: readonly Orphan[];
    /** Of the event at that position; null where it is no refusal. */
    readonly refusal: Refusal | null;
  }[];
  readonly histories: readonly (readonly SteppedInterval[])[];
  readonly diffs: readonly Diff[];
}

export function answersOf(timeline: Timeline, asked: Asked): Answers {
  const { subjects, positions, spans } = asked;
  return {
    moments: positions.map((position) => {
      const moment = new HostAtMoment(timeline, position);
      return {
        table: withoutClaims(moment.table()),
        who: subjects.map((subject) => nowOf(moment.who(wordFor(subject)))),
        owners: groupsIn(subjects).map((group) => moment.owner(group)),
        orphans: moment.orphans(),
        refusal: refusalIn(timeline, position),
      };
    }),
    histories: asked.histories.map((subject) => historyOf(timeline, subject).map(stepped)),
    diffs: spans.map(([from, to]) => changesBetween(timeline, from, to)),
  };
}

function withoutClaims({ groups, devices, ...table }: Table): KernelTable {
  return {
    ...table,
    groups: groups.map(({ claimants: _claims, ...group }) => group),
    devices: devices.map(({ claimants: _claims, ...device }) => device),
  };
}

function nowOf({ subject, kind, at, owner, holders, waiters, lineage }: Who): WhoNow {
  return { subject, kind, at, owner, holders, waiters, lineage };
}

function groupsIn(subjects: readonly Subject[]): string[] {
  return subjects.filter(({ kind }) => kind === 'group').map(({ id }) => id);
}

/** As a caller names a subject. */
export function wordFor({ kind, id }: Subject): string {
  return kind === 'file' ? `file:${id}` : kind === 'process' ? `pid:${id}` : id;
}

function refusalIn(timeline: Timeline, position: number): Refusal | null {
  const found = position < 0 ? null : timeline.refusalAt(position);
  if (found === null) return null;
  const { cause, blocker, host } = found;
  return { cause, blocker: blocker && { ...blocker, holders: holdersOf(host, blocker.file) } };
}

/** To the machines a context that is not there is a file of this name; answers have none for it. */
function withoutPlaceholder(answers: object): unknown {
  return JSON.parse(JSON.stringify(answers).replaceAll('"f?"', 'null'));
}

function holdersOf(host: HostAt, file: string | null): Holder[] {
  return file === null ? [] : keepers(host, [file]);
}

/** As `Descent`, without times. */
export interface FoundDescent extends Holder {
  readonly chain: readonly Untimed<DescentStep>[];
}

/** A host after an event, and what it takes more than one moment to know. */
export interface Seen {
  readonly host: HostAt;
  since(group: string): Position;
  /** How each holder of a file came by it, by process and descriptor. */
  lineage(file: string): FoundDescent[];
  /** Why the event was refused; null where it was not. */
  readonly refusal: Refusal | null;
}

/** The same answers, from looking at every moment; the first is that before the first event. */
export function answersFrom(moments: Iterable<Seen>, log: Log, asked: Asked): Answers {
  const found = new Map<number, object>();
  const told = new Told(log);
  const histories = asked.histories.map((subject) => new OwnerTrail(subject, told));
  const trails = new Map<string, OwnerTrail>();
  let position = -1;
  for (const seen of moments) {
    const event = log[position] ?? null;
    told.position = position;
    for (const history of histories) history.look(seen.host, event);
    for (const { group } of seen.host.groups()) {
      const known = trails.get(group) ?? new OwnerTrail({ kind: 'group', id: group }, told);
      trails.set(group, known);
    }
    for (const trail of trails.values()) trail.look(seen.host, event);
    if (asked.positions.includes(position)) {
      found.set(position, momentOf(seen, event, asked, told));
    }
    position++;
  }
  const changes = [...trails.values()]
    .flatMap((trail) => trail.changes)
    .toSorted((a, b) => a.position - b.position || byNumber(a.subject, b.subject));
  const untimed = withoutPlaceholder({
    moments: asked.positions.map((at) => found.get(at)!),
    histories: histories.map(({ intervals }) => intervals),
    diffs: asked.spans.map(([from, to]) => ({
      from: from < 0 ? null : from,
      to: to < 0 ? null : to,
      changes: changes.filter((change) => change.position > from && change.position <= to),
    })),
  });
  return withTimes(untimed, log) as Answers;
}

function momentOf(seen: Seen, event: Log[number] | null, { subjects }: Asked, told: Told) {
  const { host } = seen;
  const at: Moment = { position: event?.position ?? null, time: event?.time ?? null };
  const who = subjects.map((subject) => {
    const parties = told.parties(host, subject);
    const files = new Set(parties.holders.flatMap(({ file }) => file ?? []));
    const held = new Set(parties.holders.map(({ pid, fd, file }) => `${pid} ${fd} ${file}`));
    const lineage = [...files]
      .flatMap((file) => seen.lineage(file))
      .filter(({ pid, fd, file }) => held.has(`${pid} ${fd} ${file}`))
      .toSorted(byProcess);
    return { subject: subject.id, kind: subject.kind, at, ...parties, lineage };
  });
  const since = (group: string) => told.since(host, group, seen.since(group));
  const table = tableOf(host, at, since);
  const owners = groupsIn(subjects).map((id) => {
    const { holders: _, ...owner } = told.parties(host, { kind: 'group', id }).owner;
    return { ...owner, since: since(id) };
  });
  return { table, who, owners, orphans: orphansOf(host), refusal: seen.refusal };
}

/** Follows the owner of a subject from moment to moment. */
class OwnerTrail {
  readonly changes: Untimed<Change>[] = [];
  readonly intervals: SteppedInterval[];
  readonly #subject: Subject;
  readonly #told: Told;
  #owner: Owner;
  #held = new Steps();

  constructor(subject: Subject, told: Told) {
    this.#subject = subject;
    this.#told = told;
    this.#owner = told.atStart(subject).owner;
    const { id } = subject;
    this.intervals = [this.#begun(id, null)];
  }

  look(host: HostAt, event: Log[number] | null): void {
    const { owner } = this.#told.parties(host, this.#subject);
    const before = this.#owner;
    this.#owner = owner;
    if (event === null) return;
    const { position, type } = event;
    const subject = this.#subject.id;
    if (!isSame(owner, before)) {
      this.changes.push({ subject, before, after: owner, position });
      const last = this.intervals.pop();
      if (last !== undefined) this.intervals.push({ ...last, to: position, endedBy: type });
      this.intervals.push(this.#begun(subject, position));
    }
    this.#held.look(position, shownAt(host, this.#subject, owner));
  }

  #begun(subject: string, from: Position): SteppedInterval {
    this.#held = new Steps();
    return { subject, from, to: null, owner: this.#owner, endedBy: null, hands: this.#held.all };
  }
}

function isSame(a: Owner, b: Owner): boolean {
  return a.kind === b.kind && a.file === b.file;
}

/** Every subject that an event of a log concerns, with the positions of these events. */
export function subjectsIn(log: Log): Map<SubjectKey, number[]> {
  const found = new Map<SubjectKey, number[]>();
  const host = new LiveHost();
  for (const event of log) {
    const keys = new Set<SubjectKey>();
    noteSubjects(host, event, (kind, id) => keys.add(`${kind} ${id}`));
    for (const key of keys) {
      const positions = found.get(key) ?? [];
      found.set(key, [...positions, event.position]);
    }
    host.take(event);
  }
  return found;
}

function subjectOf(key: SubjectKey): Subject {
  const space = key.indexOf(' ');
  return { kind: key.slice(0, space) as SubjectKind, id: key.slice(space + 1) };
}

/**
 * A question about everything that a log knows, at shares of its length. Histories are those of
 * groups: where evidence contradicts itself, the owner of a file may change with no event of it.
 */
export function askedOf(log: Log, shares: readonly number[]): Asked {
  const subjects = [...subjectsIn(log).keys()].map(subjectOf);
  const positions = shares.map((share) => Math.round(share * log.length) - 1);
  const ends = positions.toSorted((a, b) => a - b);
  return {
    subjects,
    histories: subjects,
    positions,
    spans: [[-1, log.length - 1], ...ends.slice(1).map((end, at) => [ends[at]!, end] as const)],
  };
}

/** The refusal that a host is about to take, explained by its own rules. */
export function explained(host: LiveHost, event: Placed): Refusal | null {
  if (event.type !== 'operation.refused') return null;
  const { cause, refusal } = host.explain(event.data);
  if (refusal?.blocker == null) return { cause, blocker: null };
  const holders = holdersOf(host, refusal.blocker.file);
  return { cause, blocker: { ...refusal.blocker, holders } };
}

/** Since when each group has the owner that it has, from comparing one moment with the next. */
export class OwnersSince {
  readonly #owners = new Map<string, { readonly owner: Owner; readonly since: Position }>();

  take(host: HostAt, position: number): void {
    const names = new Set([...this.#owners.keys(), ...[...host.groups()].map((of) => of.group)]);
    for (const name of names) {
      const group = host.group(name);
      const owner = group === undefined ? nobody : ownerOf(host, group);
      const before = this.#owners.get(name) ?? { owner: nobody, since: null };
      if (!isSame(before.owner, owner)) this.#owners.set(name, { owner, since: position });
      else if (!this.#owners.has(name)) this.#owners.set(name, before);
    }
  }

  of(group: string): Position {
    return this.#owners.get(group)?.since ?? null;
  }
}
