/**
 * Resolves the word for a subject in a question to a subject of the log.
 *
 * @module
 */
import { textGiven } from '../events/given.ts';
import { LedgerError, RequestError } from '../events/ledger-error.ts';
import { nearestClause } from '../events/nearest.ts';
import { UNNAMED } from '../machines/unshown.ts';
import { eventTypes } from '../events/vocabulary.ts';
import { effectOf } from '../processes/effects.ts';
import { KERNEL_PID } from '../processes/process-table.ts';
import { processSpans } from './index/process-spans.ts';
import { wasCalled } from './process-name.ts';
import { isSameAddress, parseSubject, type NamedSubject } from './subject-words.ts';
import { keyOf, subjectKinds, type Subject, type SubjectKind } from './subjects.ts';
import type { Timeline } from './timeline.ts';

/**
 * The subject that a word means (`subject-words.ts`). The name that a device has in its topology comes
 * first: a device called `g26` is not a group. A name or node means the device that had it at
 * `position`, else the last one that had it.
 *
 * Throws `unknown-subject`, with the nearest names of its kind, or of any if the log has none of it, if
 * no event concerns the subject; `bad-request` if
 * an address without a domain is that of several devices.
 */
export function resolveSubject(timeline: Timeline, word: string, position: number): Subject {
  // A caller in JavaScript may pass a number.
  const text = textGiven(word);
  const device = deviceCalled(timeline, text, position);
  if (device !== null) return { kind: 'device', id: device };
  const named = parseSubject(text);
  for (const id of named.ids) {
    const subject = resolveId(timeline, named.kind, id, position);
    if (subject !== null && isCalled(timeline, subject, named)) return subject;
  }
  throw unknown(timeline, text, named);
}

/** As `resolveSubject`, for the id of a group or file, or any word for a device. */
export function resolveOfKind(
  timeline: Timeline,
  kind: SubjectKind,
  id: string,
  position: number,
): Subject {
  const subject = resolveId(timeline, kind, id, position);
  if (subject !== null) return subject;
  throw unknown(timeline, id, { kind, ids: [id] });
}

function resolveId(
  timeline: Timeline,
  kind: SubjectKind,
  word: string,
  position: number,
): Subject | null {
  const id = kind === 'device' ? deviceNamed(timeline, word, position) : word;
  const subject = { kind, id };
  return timeline.knows(keyOf(subject), position) ? subject : null;
}

function deviceNamed(timeline: Timeline, word: string, position: number): string {
  const called = deviceCalled(timeline, word, position);
  if (called !== null || timeline.knows(`device ${word}`, position)) return called ?? word;
  const devices = timeline.devices().filter((device) => isSameAddress(word, device));
  if (devices.length > 1) {
    throw new RequestError(`'${word}' may be ${devices.toSorted().join(' or ')}: name one of them`);
  }
  return devices[0] ?? word;
}

/**
 * The device that has a name or node; null if none ever had it. A device that no evidence names but
 * by its node has the node as its id.
 */
function deviceCalled(timeline: Timeline, word: string, position: number): string | null {
  const { names, nodes } = timeline.known;
  const last = names.get(word) ?? nodes.get(word);
  if (last === undefined) return null;
  const host = timeline.hostAt(position);
  if (host.device(word) !== undefined) return word;
  // Names may move between devices from boot to boot: the device that has it now comes first.
  for (const { device, name, cdev } of host.devices()) {
    if (name === word || cdev === word) return device;
  }
  return timeline.knows(`device ${word}`, position) ? word : last;
}

/** Whether a process has ever had the name that the word gives it. */
function isCalled(timeline: Timeline, { id }: Subject, { comm }: NamedSubject): boolean {
  return comm === undefined || wasCalled(timeline, Number(id), comm);
}

function unknown(timeline: Timeline, word: string, { kind, ids: [id] }: NamedSubject): LedgerError {
  const asked = wordFor(kind, id);
  const near =
    nearestClause(asked, namesOf(timeline, kind)) ||
    nearestClause(
      asked,
      subjectKinds.flatMap((other) => [...namesOf(timeline, other)]),
    );
  return new LedgerError('unknown-subject', `this log has no ${kind} '${word}'${near}`);
}

/** How a group with a number is named where digits mean something else; null if there is none. */
export function groupWords(timeline: Timeline, number: number): string | null {
  const [own, unprotected] = [`${number}`, `noiommu-${number}`];
  if (timeline.knows(`group ${own}`)) return `group ${own} is ${wordFor('group', own)}`;
  return timeline.knows(`group ${unprotected}`) ? `group ${own} is ${unprotected}` : null;
}

/** The word for a subject, which means nothing else anywhere. */
function wordFor(kind: SubjectKind, id: string): string {
  if (kind === 'process') return `pid:${id}`;
  return kind === 'group' && /^\d+$/.test(id) ? `g${id}` : id;
}

/** What subjects of a kind are called, of the whole log. */
function namesOf(timeline: Timeline, kind: SubjectKind): Iterable<string> {
  switch (kind) {
    case 'device': {
      const { names, nodes } = timeline.known;
      const ids = timeline.devices().filter((id) => id !== UNNAMED);
      return [...names.keys(), ...nodes.keys(), ...ids];
    }
    case 'group':
      return timeline.groups().map((id) => wordFor(kind, id));
    case 'file':
      return filesOf(timeline);
    case 'process':
      return processesOf(timeline);
  }
}

const opening = new Set(eventTypes.filter((type) => effectOf(type).opens !== null));

function* filesOf(timeline: Timeline): Generator<string> {
  for (const segment of timeline.segments()) {
    for (const position of segment.positionsOfTypes(opening, timeline.first, timeline.head)) {
      yield `f${position}`;
    }
  }
}

function* processesOf(timeline: Timeline): Generator<string> {
  const { first, head } = timeline;
  for (const { pid } of processSpans(timeline.hands.from(), first, head)) {
    if (pid < KERNEL_PID) yield wordFor('process', String(pid));
  }
}
