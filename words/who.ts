/**
 * Who owns, holds and waits for a subject, in words; and why that is not known.
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

/** What of an answer is words. */
type ShownWho = Pick<Who, 'subject' | 'at' | 'owner' | 'holders' | 'waiters'>;

/** Of a subject that was asked for by a word, with why its owner is unknown where that is known. */
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
    ? `Who owns ${name} is not known: ${unknownWords(unknown)}.`
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

/** Where no process around a subject has anything of VFIO's. */
export function noHoldingsWords(asked: string): string {
  const isProcess = parseSubject(asked).kind === 'process';
  return isProcess ? HOLDS_NOTHING : 'Nobody holds it, or keeps its owner alive.';
}

/** Who was given it, in the book of a manager: that is no owner. */
export function claimWords(claimants: readonly Claimant[]): string[] {
  const rows = claimants.map(({ claimant, device, manager, since }) => [
    printable(claimant),
    printable(device),
    printable(`by ${manager}`),
    `since ${since}`,
  ]);
  return titled('It was given to, which the kernel knows nothing of:', rows);
}

export const NO_ORPHANS = 'No file is alive that no process can name.';

/** Why the owner is unknown: what the gap says, where one says anything. */
function unknownWords(unknown: WhyUnknown | null): string {
  return printable(unknown?.reason ?? 'the evidence has a gap');
}

/** Why the owner of a group is unknown, in a line of its own. */
export function unknownGroupWords(group: string, reason: string): string {
  return printable(`who owns group ${group} is unknown: ${reason}`);
}

/** What was asked for, with the name that the log knows it by. */
function nameOf(asked: string, id: string, kind: SubjectKind): string {
  if (kind === 'group' && !asked.startsWith('/')) return `group ${id}`;
  return printable(asked.endsWith(id) ? asked : `${asked} (${id})`);
}

/** A process owns nothing, but may keep an owner alive; a file may lie in the domain of another. */
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
