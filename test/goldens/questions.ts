/**
 * Everything that is asked of a log whose answers are frozen.
 *
 * @module
 */
import { failureOf } from '../../cli/failure.ts';
import type { Ledger } from '../../ledger.ts';

/** A part of an answer: a whole one, or an element of one that is a list. */
export interface Part {
  /** Where in the log it lies; null where it lies nowhere. */
  readonly at: number | null;
  readonly value: unknown;
}

export interface Question {
  readonly verb: string;
  /** What it was asked with: a position, a subject, a profile. */
  readonly asked: string;
  readonly ask: () => readonly Part[];
}

/** Verbs of which each question has an answer of one part, so that some can be asked alone. */
export const singular: ReadonlySet<string> = new Set(['table', 'who', 'why']);

/** What there was to ask with when answers were frozen; more that comes later has no goldens. */
const PROFILES = ['linux-6.1', 'linux-6.12', 'linux-7.3', 'rfc-2021'];
const INVARIANTS = [
  'one-context-per-group',
  'no-user-owner-beside-kernel-driver',
  'no-group-file-beside-bound-cdev',
  'one-open-file-per-group',
  'one-bound-file-per-device',
  'container-device-keeps-group-open',
  'release-ends-ownership',
  'owner-is-claimed',
];
const MOMENTS = 20;
const EXPRESSIONS = [
  'owner.kind = unknown',
  'owner.kind = iommufd',
  'count(owner.holders) > 1',
  'device state = attached',
];

/** All questions, in an order that is always the same. */
export function questionsOf(ledger: Ledger): Question[] {
  const events = ledger.events;
  const moments = momentsOf(ledger);
  const subjects = subjectsIn(events);
  const places = [...subjects.devices, ...subjects.groups];
  const all = [...places, ...subjects.files.keys(), ...subjects.processes];
  const end = ledger.head.position;
  const questions = [
    list('log', '', () => ledger.log(), 'position'),
    ...moments.map((at) => single('table', at, () => ledger.at(at).table())),
    ...places.flatMap((subject) =>
      [...moments.filter((_, index) => index % 4 === 0), end].map((at) =>
        single('who', at, () => ledger.who(subject, { at }), subject),
      ),
    ),
    ...[...subjects.files].map(([file, at]) =>
      single('who', at, () => ledger.who(file, { at }), file),
    ),
    ...subjects.processes.map((process) =>
      single('who', end, () => ledger.who(process, { at: end }), process),
    ),
    ...all.map((subject) => list('history', subject, () => ledger.history(subject), 'from')),
    ...places.map((subject) =>
      list('history-meanings', subject, () => ledger.incarnations(subject), 'from'),
    ),
    ...places.map((subject) =>
      list('who-claimants', subject, () => ledger.claimants(subject, { at: end }), 'since'),
    ),
    ...events
      .filter(({ type }) => type === 'operation.refused')
      .map(({ position }) => single('why', position, () => ledger.why(position))),
    ...pairsOf([...moments, end]).map(([from, to]) =>
      list('diff', `${from} ${to}`, () => ledger.diff(from, to).changes, 'position'),
    ),
    list('diff', 'start end', () => ledger.diff('start', 'end').changes, 'position'),
    ...PROFILES.flatMap((profile) => {
      const replayed = once(() => ledger.replayed({ profile }));
      return [
        list('replay', profile, () => replayed().differences, 'position'),
        whole('replay', `${profile} counts`, () => ({ ...replayed(), differences: [] })),
      ];
    }),
    ...INVARIANTS.map((invariant) =>
      whole('bisect', invariant, () => ledger.bisect({ invariant })),
    ),
    ...EXPRESSIONS.map((where) => whole('bisect', where, () => ledger.bisect({ where }))),
    ...verification(ledger),
    list('history-waiters', '', () => ledger.waits(), 'from'),
    list('history-overlaps', '', () => ledger.overlaps(), 'from'),
    ...subjects.comms.map((comm) => list('history-by', comm, () => ledger.everOwned(comm), 'from')),
    whole('who-orphans', 'end', () => ledger.at('end').orphans()),
    ...places.map((subject) =>
      whole('who-holdings', subject, () => ledger.at('end').holdings(subject)),
    ),
  ];
  return questions.map((question) => placed(question, end));
}

/** An answer that names no position is one about the log up to its end. */
function placed({ ask, ...question }: Question, end: number): Question {
  return { ...question, ask: () => ask().map((part) => ({ ...part, at: part.at ?? end })) };
}

function verification(ledger: Ledger): Question[] {
  const verified = once(() => ledger.verify());
  return [
    list('verify', 'faults', () => verified().faults, 'position'),
    whole('verify', 'counts', () => {
      // Of a log with one host, they repeat its number of events and its head.
      const { hosts: _, ...counts } = verified();
      return { ...counts, faults: [] };
    }),
  ];
}

/** Positions spread over the log, its first and last among them. */
function momentsOf({ first, head }: Ledger): number[] {
  const steps = Array.from({ length: MOMENTS }, (_, index) =>
    Math.round(first + (index * (head.position - first)) / (MOMENTS - 1)),
  );
  return head.position < first ? [] : [...new Set(steps)];
}

function pairsOf(moments: readonly number[]): [number, number][] {
  return moments.slice(1).map((to, index) => [moments[index] ?? to, to]);
}

interface Subjects {
  readonly devices: readonly string[];
  readonly groups: readonly string[];
  /** Where each was opened. */
  readonly files: ReadonlyMap<string, number>;
  readonly processes: readonly string[];
  readonly comms: readonly string[];
}

const opening = /^(?:group|container|iommufd|device)\.opened$|^device\.obtained$/;

/** All that the events name. */
function subjectsIn(events: Ledger['events']): Subjects {
  const devices = new Set<string>();
  const groups = new Set<string>();
  const files = new Map<string, number>();
  const processes = new Set<string>();
  const comms = new Set<string>();
  for (const { position, type, data } of events) {
    const { device, group, pid, child, comm } = data as object as Readonly<Record<string, unknown>>;
    if (typeof device === 'string') devices.add(device);
    if (typeof group === 'string') groups.add(`g${group}`);
    for (const each of [pid, child]) if (typeof each === 'number') processes.add(`pid:${each}`);
    if (typeof comm === 'string') comms.add(comm);
    if (opening.test(type)) files.set(`file:f${position}`, position);
  }
  return {
    devices: [...devices],
    groups: [...groups],
    files,
    processes: [...processes],
    comms: [...comms].toSorted().slice(0, 8),
  };
}

function single(verb: string, at: number, ask: () => unknown, subject?: string): Question {
  const asked = subject === undefined ? String(at) : `${subject} ${at}`;
  return { verb, asked, ask: () => [{ at, value: answered(ask) }] };
}

function whole(verb: string, asked: string, ask: () => unknown): Question {
  const parts = (value: unknown) => [{ at: positionIn(value), value }];
  return { verb, asked, ask: () => parts(answered(ask)) };
}

/** An answer that is a list; `key` is the one that says where an element lies. */
function list(verb: string, asked: string, ask: () => readonly unknown[], key: string): Question {
  return {
    verb,
    asked,
    ask: () => {
      const value = answered(ask);
      if (!Array.isArray(value)) return [{ at: null, value }];
      return (value as readonly Record<string, unknown>[]).map((element) => {
        const at = element[key];
        return { at: typeof at === 'number' ? at : null, value: element };
      });
    },
  };
}

function positionIn(value: unknown): number | null {
  const at = (value as { readonly position?: unknown } | null)?.position;
  return typeof at === 'number' ? at : null;
}

/** An answer, or the refusal to give one. */
function answered(ask: () => unknown): unknown {
  try {
    return ask();
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return { error: failureOf(error) };
  }
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | null = null;
  return () => (made ??= { value: make() }).value;
}
