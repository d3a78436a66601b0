/**
 * Validates sightings: a damaged line can yield impossible numbers or empty names. What is valid is
 * copied, so that no line stays in memory with it.
 *
 * @module
 */
import { EvidenceError } from './importer.ts';
import type { Sighting } from './sighting.ts';
import { copied } from './source.ts';

/** The keys whose numbers may be negative: descriptors and arguments. */
const signed = new Set('fd rc value iommufd pt container object to'.split(' '));

/** The names that may be missing: an empty one becomes null. */
const names = ['comm', 'childComm', 'program'];

/** Returns the sightings of a line. Throws `EvidenceError` if one of them is invalid. */
export function soundOf(sightings: readonly Sighting[]): readonly Sighting[] {
  return sightings.length === 0
    ? sightings
    : sightings.flatMap((sighting) => sound(sighting) ?? []);
}

function sound(sighting: Sighting): Sighting | null {
  if (sighting.did === 'name' && sighting.name === '') return null;
  const named: Record<string, unknown> = { ...sighting };
  for (const name of names) if (named[name] === '') named[name] = null;
  // Any time is allowed here: it is checked when it is converted to an instant.
  for (const key in named) {
    const value = named[key];
    if (key !== 'at' && key !== 'telling') check(key, value);
    named[key] = copyOf(value);
  }
  return named as Sighting;
}

/** A value with copies of its texts. */
function copyOf(value: unknown): unknown {
  if (typeof value === 'string') return copied(value);
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(copyOf);
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, copyOf(inner)]));
}

function check(key: string, value: unknown): void {
  switch (typeof value) {
    case 'number':
      if (Number.isSafeInteger(value) && (value >= 0 || signed.has(key))) return;
      throw new EvidenceError(`${key}: ${value} is not a valid number`);
    case 'string':
      if (value === '') throw new EvidenceError(`${key} is empty`);
      if (key !== 'errno' || /^E[A-Z\d]+$/.test(value)) return;
      throw new EvidenceError(`errno: '${value.slice(0, 40)}' is not the name of one`);
    case 'object':
      if (Array.isArray(value)) for (const one of value) check(key, one);
      else for (const inner in value) check(inner, (value as Record<string, unknown>)[inner]);
      return;
    default:
  }
}
