/**
 * What matchers are asked of: answers with an owner or with holders, histories, and activities. An answer
 * that was copied, or came from JSON, is one as well.
 *
 * @module
 */
import type { Placed } from '../events/vocabulary.ts';
import { originOf, type AnswerOrigin } from '../ledger/origins.ts';
import type { Past } from '../ledger/questions.ts';
import type { Activity } from '../projections/activity.ts';
import type { DeviceView, FileView, Holder, Owner, Position } from '../projections/shapes.ts';
import type { Subject } from '../projections/subjects.ts';

/** A device, a group, an interval of a history or an answer of `who`. */
export interface OwnedAnswer {
  readonly owner: Owner;
}

/** A device, which has open files, or a group, which may be open. */
export type HeldAnswer = OwnedAnswer &
  ({ readonly files: readonly FileView[] } | { readonly opener: FileView | null });

/** A ledger, which stands for its whole history, or a what-if. */
export type AskedPast = Past<Placed>;

/** What an answer is about. */
export interface About {
  /** As the title of a failure names it: `group 26`. */
  readonly name: string;
  /** Its group, or what else its events are listed under; null if it cannot be told. */
  readonly subject: Subject | null;
  /** As a verb takes it. */
  readonly word: string;
  /** Since when it has its owner; undefined if the answer does not say. */
  readonly since: Position | undefined;
  readonly sinceTime: string | null;
  readonly origin: AnswerOrigin | undefined;
}

export function isOwned(given: unknown): given is OwnedAnswer {
  if (!isObject(given) || !isObject(given['owner'])) return false;
  const { kind, holders } = given['owner'];
  return typeof kind === 'string' && Array.isArray(holders);
}

export function isHeld(given: unknown): given is HeldAnswer {
  return isOwned(given) && ('opener' in given || ('files' in given && Array.isArray(given.files)));
}

export function isHistory(given: unknown): given is AskedPast {
  return (
    isObject(given) && ['bisect', 'replayed', 'between'].every((name) => isMethod(given, name))
  );
}

export function isActivity(given: unknown): given is Activity {
  return isObject(given) && ['leaks', 'opened', 'owned'].every((key) => Array.isArray(given[key]));
}

/** Holders of the open files of a device, or of the file that has a group open. */
export function holdersOf(held: HeldAnswer): readonly Holder[] {
  if ('files' in held) return held.files.flatMap(({ holders }) => holders);
  return held.opener?.holders ?? [];
}

/** Whether a device may have files that nobody has seen. */
export function isStateUnknown(held: HeldAnswer): boolean {
  return (held as Partial<DeviceView>).state === 'unknown';
}

/** What an answer is about, and where it comes from. */
export function aboutOf(answer: object): About {
  const { device, group, subject, kind, since, sinceTime, from, fromTime } = answer as Readonly<
    Record<string, unknown>
  >;
  const isInterval = 'endedBy' in answer;
  const began = isInterval ? from : since;
  const time = isInterval ? fromTime : sinceTime;
  const at = {
    since: typeof began === 'number' || began === null ? began : undefined,
    sinceTime: typeof time === 'string' ? time : null,
    origin: originOf(answer),
  };
  if (typeof device === 'string') {
    const of: Subject =
      typeof group === 'string' ? { kind: 'group', id: group } : { kind: 'device', id: device };
    return { name: `device ${device}`, subject: of, word: device, ...at };
  }
  if (typeof group === 'string') return { ...groupNamed(group), ...at };
  if (typeof subject !== 'string') return { name: 'an answer', subject: null, word: '', ...at };
  if (kind === 'group' || (kind === undefined && /^\d+$/.test(subject))) {
    return { ...groupNamed(subject), ...at };
  }
  const [name, word] = [
    `${typeof kind === 'string' ? `${kind} ` : ''}${subject}`,
    wordOf(kind, subject),
  ];
  return { name, subject: null, word, ...at };
}

function groupNamed(group: string): Pick<About, 'name' | 'subject' | 'word'> {
  return {
    name: `group ${group}`,
    subject: { kind: 'group', id: group },
    word: `/dev/vfio/${group}`,
  };
}

function wordOf(kind: unknown, subject: string): string {
  return kind === 'process' ? `pid:${subject}` : subject;
}

function isObject(given: unknown): given is Readonly<Record<string, unknown>> {
  return typeof given === 'object' && given !== null;
}

function isMethod(given: object, name: string): boolean {
  return typeof Reflect.get(given, name) === 'function';
}
