/**
 * What a history tells, in words: intervals, hands, overlaps, and that there was none.
 *
 * @module
 */
import type { Diff, Interval, Overlap, Tenure } from '../projections/shapes.ts';
import { sentence, type History } from './events.ts';
import { positionWords } from './moments.ts';
import { holdersWords, ownerWords } from './owners.ts';
import { printable } from './printable.ts';

/** What ended an interval; a dash while it goes on. */
export function endWords({ to }: Pick<Interval, 'to'>, history: History): string {
  return to === null ? '-' : sentence(history, to);
}

/** Stands above what the node of a group has meant. */
export function incarnationsTitle(group: string): string {
  return printable(`/dev/vfio/${group} has meant, one after the other:`);
}

/** The devices that VFIO had of a group; none where nobody has said. */
export function devicesWords(devices: readonly string[]): string {
  return printable(devices.join(', ') || 'not known');
}

/** Whose hands, each process once; since when, where it was not so from the beginning. */
export function handsWords({ by, from }: Tenure): string {
  const words = [...Map.groupBy(by, (hand) => `${hand.pid} ${hand.from}`).values()].map((hands) => {
    const [first] = hands;
    const later = first !== undefined && first.from !== from;
    return later ? `${holdersWords(hands)} since ${first.from}` : holdersWords(hands);
  });
  return words.join('; ') || '-';
}

/** The owners that are claimed at a time: `iommufd f8 by P2[102] fd 4 and kernel drivers e1000e`. */
export function overlapWords({ owners, drivers }: Overlap): string {
  const words = owners.map((owner) =>
    owner.kind === 'kernel'
      ? `kernel drivers ${drivers.join(', ')}`
      : `${ownerWords(owner)} by ${holdersWords(owner.holders)}`,
  );
  return printable(words.join(' and '));
}

/** Where somebody never had a hand in owning a subject, or any group. */
export function neverOwnedWords(who: string, subject = 'any group'): string {
  return printable(`${who} never had a hand in owning ${subject}`);
}

/** Where nobody waited for a subject, or for any device. */
export function neverAwaitedWords(subject = 'a device'): string {
  return printable(`nobody ever waited for ${subject}`);
}

/** Where a subject, or any group, never had several owners. */
export function neverSharedWords(subject?: string): string {
  const never = subject === undefined ? 'no group ever' : `${subject} never`;
  return printable(`${never} had two owners at a time`);
}

/** Where nothing changed hands between two moments. */
export function unchangedWords({ from, to }: Pick<Diff, 'from' | 'to'>): string {
  return `nothing changed hands after ${positionWords(from)}, up to ${positionWords(to)}`;
}
