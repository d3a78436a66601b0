/**
 * Sentences about who owns, holds and waits for a subject, and why its owner is unknown.
 *
 * @module
 */
import type { Coverage } from '../projections/coverage.ts';
import type { Claimant, Exit, Who } from '../projections/shapes.ts';
import type { SubjectKind } from '../projections/subjects.ts';
import type { WhyUnknown } from '../projections/why-unknown.ts';
import { titled, type Line } from './columns.ts';
import { noneWords } from './coverage.ts';
import { durationWords } from './durations.ts';
import { momentTitle, placeWords } from './moments.ts';
import { holderRows, ownerWords } from './owners.ts';

/** The part of an answer that is printed. */
type ShownWho = Pick<
  Who,
  'subject' | 'kind' | 'at' | 'owner' | 'since' | 'sinceTime' | 'holders' | 'waiters' | 'exited'
>;

/** What the sentences about a subject rest on. */
interface WhoGrounds {
  /** Why its owner is unknown; null if it is known. */
  readonly unknown: WhyUnknown | null;
  /** Of the moment: who was not seen holds nothing only if all processes of the host were seen. */
  readonly coverage: Coverage;
}

/** Lines for a subject; `asked` is the word that named it. */
export function whoWords(
  found: ShownWho,
  asked: string,
  { unknown, coverage }: WhoGrounds,
): Line[] {
  const { kind, owner, at, holders, waiters, exited } = found;
  const isUnknown = owner.kind === 'unknown';
  const isSeen = !isUnknown && coverage.unknown.length === 0;
  const held = kind === 'process' ? 'It holds:' : 'It is held by:';
  const free = noHolderWords(kind, isSeen);
  const name = nameOf(asked, found.subject, kind);
  const owned = isUnknown
    ? `The owner of ${name} is unknown${sinceWords(found)}: ${unknownWords(unknown)}.`
    : `${ownedWords(found, name, isSeen)}${sinceWords(found)}.`;
  const unheld = exited === undefined ? [free] : exitWords(exited, at);
  return [
    momentTitle(at),
    [{ text: owned, tone: isUnknown ? 'unknown' : 'plain' }],
    ...titled('The owner is kept alive by:', holderRows(owner.holders)),
    ...(holders.length === 0 ? unheld : titled(held, holderRows(holders))),
    ...titled('Waiting for it:', holderRows(waiters)),
  ];
}

/** ` since position 10, 2025-11-26T09:40:03.148091Z (81.2 ms)`; nothing if it was so from the start. */
function sinceWords({ since, sinceTime, at }: ShownWho): string {
  if (since === null) return '';
  const lasted = durationWords(sinceTime, at.time);
  return ` since ${placeWords(since, sinceTime)}${lasted === null ? '' : ` (${lasted})`}`;
}

/** When and how a process ended, and what it had held last. */
function exitWords(exited: Exit, at: Who['at']): Line[] {
  const { position, time, held, heldUntil, heldUntilTime } = exited;
  const before = position === at.position ? null : durationWords(time, at.time);
  const when = `at ${placeWords(position, time)}${before === null ? '' : ` (${before} before)`}`;
  const lines = [`${endedWords(exited)} ${when}.`];
  if (heldUntil === null) return [...lines, 'It was not seen to hold a VFIO file.'];
  const title = `Until ${placeWords(heldUntil, heldUntilTime)} it held:`;
  return [...lines, ...titled(title, holderRows(held))];
}

function endedWords({ by, signal }: Exit): string {
  if (by === 'host.booted') return 'It ended with the host, which booted again';
  return signal === null ? 'It exited' : `It was killed by ${signal}`;
}

/** Says that a process holds nothing, or nobody holds a subject; `isSeen`: all processes were seen. */
function noHolderWords(kind: SubjectKind, isSeen: boolean): string {
  if (kind === 'process') return isSeen ? 'It holds nothing.' : 'It was not seen to hold anything.';
  return isSeen ? 'Nobody holds it.' : 'Nobody was seen to hold it.';
}

/** Says that no process holds a subject or keeps its owner alive. */
export function noHoldingsWords(kind: SubjectKind, coverage: Coverage): string {
  const isSeen = coverage.unknown.length === 0;
  if (kind === 'process') return noHolderWords(kind, isSeen);
  return `Nobody ${isSeen ? 'holds it or keeps' : 'was seen to hold it or to keep'} its owner alive.`;
}

/** The claimants of a subject: a manager such as libvirt gave it to them. They own nothing. */
export function claimWords(claimants: readonly Claimant[]): Line[] {
  const rows = claimants.map((claimant) => {
    const { device, since, sinceTime } = claimant;
    return [
      device ?? 'a device of the group',
      `${claimedWords(claimant)}, since ${placeWords(since, sinceTime)}`,
    ];
  });
  return titled('Claims of managers, unknown to the kernel:', rows);
}

/** Says that no open file is without a descriptor and mapping. */
export function noOrphansWords(coverage: Coverage): string {
  const none = 'No orphaned file: each open file has a descriptor or a mapping in a process.';
  return noneWords(coverage, none, 'each file that was seen open has a descriptor or a mapping');
}

/** `claimed by vm1 (libvirt)`. A claimant is no owner. */
export function claimedWords({ claimant, manager }: Claimant): string {
  return `claimed by ${claimant} (${manager})`;
}

/** Why the owner is unknown: the reason of the gap, if it has one. */
function unknownWords(unknown: WhyUnknown | null): string {
  return unknown?.reason ?? 'the evidence has a gap';
}

/** Why the owner of a group is unknown, in a line of its own. */
export function unknownGroupWords(group: string, reason: string): string {
  return `the owner of group ${group} is unknown: ${reason}`;
}

/** The word that was asked for, with the id of the subject if it differs. */
function nameOf(asked: string, id: string, kind: SubjectKind): string {
  if (kind === 'group' && !asked.startsWith('/')) return `group ${id}`;
  return asked.includes(id) ? asked : `${asked} (${id})`;
}

/** The owner in a sentence, without its full stop. A process owns nothing, but may keep an owner alive. */
function ownedWords({ owner, kind, exited }: ShownWho, name: string, isSeen: boolean): string {
  const isFree = owner.kind === 'none';
  const words = (owner.kind === 'container' ? 'the ' : '') + ownerWords(owner);
  switch (kind) {
    case 'process':
      if (!isFree) return `${name} keeps ${words} alive`;
      if (isSeen || exited !== undefined) return `${name} keeps no owner alive`;
      return `${name} was not seen to keep an owner alive`;
    case 'file':
      if (isFree) return `${name} has no part in the ownership of a group`;
      return `The group of ${name} is owned by ${words}`;
    case 'device':
    case 'group':
      return `${name} is owned by ${words}`;
  }
}
