/**
 * Sentences about who owns, holds and waits for a subject, and why its owner is unknown.
 *
 * @module
 */
import type { Claimant, Who } from '../projections/shapes.ts';
import { parseSubject, type SubjectKind } from '../projections/subjects.ts';
import type { WhyUnknown } from '../projections/why-unknown.ts';
import { titled } from './columns.ts';
import { momentTitle } from './moments.ts';
import { holderRows, ownerWords } from './owners.ts';
import { printable } from './printable.ts';
import { plain, type Paint } from './tone.ts';

/** The part of an answer that is printed. */
type ShownWho = Pick<Who, 'subject' | 'at' | 'owner' | 'holders' | 'waiters'>;

/** Lines for a subject; `asked` is the word that named it, `unknown` why its owner is unknown. */
export function whoWords(
  found: ShownWho,
  asked: string,
  unknown: WhyUnknown | null,
  paint: Paint = plain,
): string[] {
  const { owner, at, holders, waiters } = found;
  const { kind } = parseSubject(asked);
  const isUnknown = owner.kind === 'unknown';
  const nobody = isUnknown ? 'Nobody was seen to hold it.' : 'Nobody holds it.';
  const [held, free] =
    kind === 'process' ? ['It holds:', HOLDS_NOTHING] : ['It is held by:', nobody];
  const name = nameOf(asked, found.subject, kind);
  const owned = isUnknown
    ? `The owner of ${name} is unknown: ${unknownWords(unknown)}.`
    : ownedWords(found, name, kind);
  return [
    momentTitle(at),
    paint(owned, isUnknown ? 'unknown' : 'plain'),
    ...titled('The owner is kept alive by:', holderRows(owner.holders)),
    ...(holders.length === 0 ? [free] : titled(held, holderRows(holders))),
    ...titled('Waiting for it:', holderRows(waiters)),
  ];
}

const HOLDS_NOTHING = 'It holds nothing.';

/** Says that no process holds a subject or keeps its owner alive. */
export function noHoldingsWords(asked: string): string {
  const isProcess = parseSubject(asked).kind === 'process';
  return isProcess ? HOLDS_NOTHING : 'Nobody holds it or keeps its owner alive.';
}

/** The claimants of a subject: a manager such as libvirt gave it to them. They own nothing. */
export function claimWords(claimants: readonly Claimant[]): string[] {
  const rows = claimants.map(({ claimant, device, manager, since }) => [
    printable(claimant),
    printable(device ?? 'a device of the group'),
    printable(`by ${manager}`),
    `since ${since}`,
  ]);
  return titled('Claims of managers, unknown to the kernel:', rows);
}

export const NO_ORPHANS =
  'No orphaned file: each open file has a descriptor or a mapping in a process.';

/** Why the owner is unknown: the reason of the gap, if it has one. */
function unknownWords(unknown: WhyUnknown | null): string {
  return printable(unknown?.reason ?? 'the evidence has a gap');
}

/** Why the owner of a group is unknown, in a line of its own. */
export function unknownGroupWords(group: string, reason: string): string {
  return printable(`the owner of group ${group} is unknown: ${reason}`);
}

/** The word that was asked for, with the id of the subject if it differs. */
function nameOf(asked: string, id: string, kind: SubjectKind): string {
  if (kind === 'group' && !asked.startsWith('/')) return `group ${id}`;
  return printable(asked.endsWith(id) ? asked : `${asked} (${id})`);
}

/** The owner in a sentence. A process owns nothing, but may keep an owner alive. */
function ownedWords({ owner }: ShownWho, name: string, kind: SubjectKind): string {
  const isFree = owner.kind === 'none';
  const words = (owner.kind === 'container' ? 'the ' : '') + ownerWords(owner);
  switch (kind) {
    case 'process':
      return isFree ? `${name} keeps no owner alive.` : `${name} keeps ${words} alive.`;
    case 'file':
      if (isFree) return `${name} has no part in the ownership of a group.`;
      return `The group of ${name} is owned by ${words}.`;
    case 'device':
    case 'group':
      return `${name} is owned by ${words}.`;
  }
}
