/**
 * A bare fold over columns of numbers: the least that any replay could be.
 *
 * What has to be found out (which file, which group, what a release implies) has been found out
 * before, and is not timed.
 *
 * @module
 */
import { hostHistory } from '../host.ts';
import { Ownership } from './ownership.ts';

export interface Columns {
  readonly type: Uint8Array;
  readonly group: Uint16Array;
  readonly file: Uint32Array;
}

const CLAIMED = 1;
const RELEASED = 2;
/** An event may end the ownership of several groups, which is a row each. */
const MORE = 1.1;
const GROUPS = 256;

export function columnsOf(events: number): Columns {
  const length = Math.ceil(events * MORE) + GROUPS;
  const type = new Uint8Array(length);
  const group = new Uint16Array(length);
  const file = new Uint32Array(length);
  let row = 0;
  const ownership = new Ownership((number, owner) => {
    type[row] = owner === null ? RELEASED : CLAIMED;
    group[row] = Number(number);
    file[row++] = owner === null ? 0 : Number(owner.slice(1));
  });
  let position = 0;
  for (const event of hostHistory(events)) {
    const before = row;
    ownership.take({ ...event, position: position++ });
    if (row === before) row++;
  }
  return {
    type: type.subarray(0, row),
    group: group.subarray(0, row),
    file: file.subarray(0, row),
  };
}

/** Owner of each group at the end; 0 where nobody is. */
export function foldColumns({ type, group, file }: Columns): Uint32Array {
  const owners = new Uint32Array(GROUPS);
  for (let row = 0; row < type.length; row++) {
    const kind = type[row];
    if (kind === CLAIMED) owners[group[row] ?? 0] = file[row] ?? 0;
    else if (kind === RELEASED) owners[group[row] ?? 0] = 0;
  }
  return owners;
}
