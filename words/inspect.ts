/**
 * How objects of the library print themselves on a console (`util.inspect`).
 *
 * @module
 */
import type { Placed } from '../events/vocabulary.ts';
import type { Table } from '../projections/shapes.ts';
import { titled, type Line } from './columns.ts';
import { eventWords, type CommLookup } from './events.ts';
import { counted, momentTitle, moreWords, placeWords } from './moments.ts';
import { holdersWords, ownerCell } from './owners.ts';
import { printable } from './printable.ts';

/** The most groups of a table, or transitions of a step, that are printed. */
const MOST_SHOWN = 20;

interface ShownLog {
  readonly host: string;
  readonly first: number;
  readonly length: number;
  readonly lastTime: string | null;
}

/**
 * A log: `Ledger of host 'lab' in lab.ledger: 32 events, from position 0 to 31`. `path` is null if it
 * is in memory.
 */
export function ledgerWords(
  { host, first, length, lastTime }: ShownLog,
  path: string | null,
): string {
  const place = path === null ? 'in memory' : `in ${path}`;
  const range = length === 0 ? '' : `, from position ${first} to ${first + length - 1}`;
  const time = lastTime === null ? '' : `, ${lastTime}`;
  return printable(`Ledger of host '${host}' ${place}: ${counted(length, 'event')}${range}${time}`);
}

/** A what-if; `from` is the last position that it shares with its log, `own` counts its events. */
export function whatIfWords({
  from,
  own,
}: {
  readonly from: number;
  readonly own: number;
}): string {
  const place = from < 0 ? 'the start' : `position ${from}`;
  return `What-if that forks a log after ${place}: ${counted(own, 'event')} that did not happen`;
}

/** A cursor over steps: the position of its event, or null before the first one. */
export function cursorWords(at: number | 'past-end' | null): string {
  if (at === 'past-end') return 'Steps: after the last event';
  return at === null ? 'Steps: before the first event' : `Steps: at position ${at}`;
}

/** The owner of each group and its holders. */
export function tableInShort({ at, groups }: Table): Line[] {
  const rows = groups
    .slice(0, MOST_SHOWN)
    .map(({ group, owner }) => [`group ${group}`, ownerCell(owner), holdersWords(owner.holders)]);
  const more = groups.length - MOST_SHOWN;
  if (rows.length === 0) return [`${momentTitle(at)} no group`];
  return [...titled(momentTitle(at), rows), ...(more > 0 ? [`  ${moreWords(more, 'group')}`] : [])];
}

interface Taken {
  readonly machine: string;
  readonly id: string;
  readonly event: string;
  readonly from: string;
  readonly to: string;
}

/** An event, and what the machines took; null if the host is unknown. */
export function stepWords(
  event: Placed,
  taken: readonly Taken[] | null,
  names: CommLookup,
): Line[] {
  const { position, time } = event;
  const title = `${placeWords(position, time)}: ${eventWords(event, names)}`;
  if (taken === null) return [title, '  the host is unknown'];
  const rows = taken
    .slice(0, MOST_SHOWN)
    .map(({ machine, id, event: told, from, to }) => [machine, id, `${from} -> ${to}`, told]);
  const more = taken.length - MOST_SHOWN;
  if (rows.length === 0) return [title];
  return [...titled(title, rows), ...(more > 0 ? [`  ${moreWords(more)}`] : [])];
}
