/**
 * What parsers make of damaged lines: numbers that no kernel gives, names of nothing.
 *
 * @module
 */
import { EvidenceError } from './importer.ts';
import type { Sighting } from './sighting.ts';

/** Numbers that may be negative: descriptors, and what a caller may pass for one. */
const signed = new Set('fd rc value iommufd pt container object to'.split(' '));

/** Names that a process may have none of. */
const names = ['comm', 'childComm', 'program'];

/** The sightings of a line. Throws `EvidenceError` where facts cannot be made of one of them. */
export function soundOf(sightings: readonly Sighting[]): readonly Sighting[] {
  return sightings.length === 0
    ? sightings
    : sightings.flatMap((sighting) => sound(sighting) ?? []);
}

function sound(sighting: Sighting): Sighting | null {
  if (sighting.did === 'name' && sighting.name === '') return null;
  const named: Record<string, unknown> = { ...sighting };
  for (const name of names) if (named[name] === '') named[name] = null;
  // A time may be any: it is looked at where it is put on a clock.
  for (const key in named) if (key !== 'at') check(key, named[key]);
  return named as Sighting;
}

function check(key: string, value: unknown): void {
  switch (typeof value) {
    case 'number':
      if (Number.isSafeInteger(value) && (value >= 0 || signed.has(key))) return;
      throw new EvidenceError(`${key}: ${value} is no such number`);
    case 'string':
      if (value === '') throw new EvidenceError(`${key} is empty`);
      if (key !== 'errno' || /^E[A-Z\d]+$/.test(value)) return;
      throw new EvidenceError(`'${value.slice(0, 40)}' is no errno`);
    case 'object':
      if (Array.isArray(value)) for (const one of value) check(key, one);
      else for (const inner in value) check(inner, (value as Record<string, unknown>)[inner]);
      return;
    default:
  }
}
