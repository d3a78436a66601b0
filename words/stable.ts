/**
 * Tables, diffs and histories for the snapshots of a test runner: what differs from run to run (pids,
 * descriptors, times) is left out unless it is asked for.
 *
 * @module
 */
import type { Interval } from '../projections/interval-shapes.ts';
import type { Diff, Holder, Owner, Position, Table, TimeBeside } from '../projections/shapes.ts';
import { columns, printableText } from './columns.ts';
import { ownerWords, processWords } from './owners.ts';

/** What snapshots show although it differs from run to run. */
export interface ShownInSnapshots {
  readonly pids?: boolean | undefined;
  readonly descriptors?: boolean | undefined;
  readonly times?: boolean | undefined;
}

/** The owners of groups, and the states of devices. */
export function stableTable({ at, groups, devices }: Table, shown: ShownInSnapshots): string {
  const owners = groups.map(({ group, owner }) => [
    `group ${group}`,
    ownerWords(owner),
    heldBy(owner.holders, shown),
  ]);
  const states = devices.map(({ device, group, driver, state, files }) => [
    `device ${device}`,
    state,
    group === null ? 'no group' : `group ${group}`,
    driver ?? 'no driver',
    heldBy(
      files.flatMap(({ holders }) => holders),
      shown,
    ),
  ]);
  const time = shown.times === true ? at.time : null;
  return printableText([placeWords(at.position, time), ...columns(owners), ...columns(states)]);
}

/** The changes of owners, a line each. */
export function stableDiff({ changes }: Diff, shown: ShownInSnapshots): string {
  const rows = changes.map(({ position, time, subject, before, after }) => [
    placeWords(position, shown.times === true ? time : null),
    `group ${subject}`,
    `${ownedBy(before, shown)} -> ${ownedBy(after, shown)}`,
  ]);
  return printableText(rows.length === 0 ? ['no change'] : columns(rows));
}

/** The intervals of ownership, a line each. */
export function stableHistory(history: readonly Interval[], shown: ShownInSnapshots): string {
  const end = (position: Position, time: TimeBeside) =>
    placeWords(position, shown.times === true ? time : null);
  const rows = history.map(({ from, fromTime, to, toTime, owner, endedBy }) => [
    end(from, fromTime),
    to === null ? 'goes on' : `to ${end(to, toTime)}`,
    ownedBy(owner, shown),
    endedBy ?? '',
  ]);
  return printableText(columns(rows));
}

function placeWords(position: Position, time: string | null): string {
  const place = position === null ? 'start' : `position ${position}`;
  return time === null ? place : `${place}, ${time}`;
}

function ownedBy(owner: Owner, shown: ShownInSnapshots): string {
  const by = heldBy(owner.holders, shown);
  return by === '' ? ownerWords(owner) : `${ownerWords(owner)} (${by})`;
}

/** Each process once, and its descriptors if they are shown. */
function heldBy(holders: readonly Holder[], shown: ShownInSnapshots): string {
  const words = holders.map(({ via, pid, comm, fd, file }) => {
    if (via === 'kernel') return `file ${file}`;
    const process = processWords(shown.pids === true ? pid : null, comm);
    if (via === 'queue') return `${process} in the kernel`;
    if (via === 'mapping') return `${process} mapping`;
    return shown.descriptors === true ? `${process} fd ${fd ?? '?'}` : process;
  });
  return [...new Set(words)].join(', ');
}
