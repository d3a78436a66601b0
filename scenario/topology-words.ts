/**
 * The words for devices and groups of a topology, and the message about one that it does not have.
 *
 * @module
 */
import { meantClause, nearestClause } from '../events/nearest.ts';
import { rowOf } from '../operations/table.ts';
import type { OperationStatement } from './language.ts';
import type { Topology } from './topology.ts';

/** Devices of which all names are listed; of more only the nearest are. */
const LISTED_MAX = 12;

/** The PCI address of a device, by its name or address; null if the topology does not have it. */
export function deviceIn({ devices, groups }: Topology, word: string): string | null {
  const known = devices.find(({ name, bdf }) => name === word || bdf === word);
  if (known !== undefined) return known.bdf;
  return Object.values(groups).some((members) => members.includes(word)) ? word : null;
}

/**
 * The number of a group, by a device of it, `gN` or its number; null if the topology does not have
 * it.
 */
export function groupIn({ devices, groups }: Topology, word: string): string | null {
  const known = devices.find(({ name, bdf }) => name === word || bdf === word);
  if (known !== undefined) return known.group;
  const [other] = Object.entries(groups).find(([, members]) => members.includes(word)) ?? [];
  if (other !== undefined) return other;
  const number = plainGroup(word);
  const isKnown = Object.hasOwn(groups, number) || devices.some(({ group }) => group === number);
  return isKnown ? number : null;
}

/** A group's number without the `g` before it. */
export function plainGroup(word: string): string {
  return word.replace(/^g(?=\d)/, '');
}

/** Whether a word is a PCI address: a program may ask for it, whether or not a device has it. */
export function isAddress(word: string): boolean {
  return /^[\da-f]{4,}:[\da-f]{2}:[\da-f]{2}\.[0-7]$/.test(word);
}

/** Whether a word is a group's number, with or without a `g`. */
export function isGroupNumber(word: string): boolean {
  return /^g?\d+$/.test(word);
}

/** Says that a topology does not have a device or a group, and which names it has. */
export function absentWords({ devices }: Topology, kind: 'device' | 'group', word: string): string {
  const names = devices.map(({ name }) => name);
  const groups = kind === 'group' ? [...new Set(devices.map(({ group }) => `g${group}`))] : [];
  const listed = [...names, ...groups];
  const all = [...listed, ...devices.map(({ bdf }) => bdf)];
  const others =
    listed.length > LISTED_MAX
      ? nearestClause(word, all)
      : `; there are ${listed.join(', ')}${meantClause(word, all)}`;
  return `the topology has no ${kind} '${word}'${others}`;
}

/** A device or a group that a statement names and that the topology does not have. */
export interface AbsentSubject {
  /** Which one it is, and those that there are. */
  readonly message: string;
  /** Whether it is a name: programs ask kernels for addresses and numbers that nothing has, too. */
  readonly isName: boolean;
}

/** The devices and groups that a statement names and that the topology does not have. */
export function* absentIn(
  { operation, operands }: OperationStatement,
  topology: Topology,
): Iterable<AbsentSubject> {
  for (const [index, kind] of rowOf(operation).scenario.operands.entries()) {
    const word = operands[index];
    if (word === undefined || (kind !== 'device' && kind !== 'group')) continue;
    const isDevice = kind === 'device';
    if ((isDevice ? deviceIn : groupIn)(topology, word) !== null) continue;
    const message = `${operation}: ${absentWords(topology, kind, word)}`;
    yield { message, isName: !(isDevice ? isAddress : isGroupNumber)(word) };
  }
}

/** Whether the topology has all devices and groups that a statement names. */
export function hasSubjects(topology: Topology, statement: OperationStatement): boolean {
  for (const _ of absentIn(statement, topology)) return false;
  return true;
}
