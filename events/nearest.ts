/**
 * The names that a wrong word may have meant, for the messages of errors.
 *
 * @module
 */
import { textGiven } from './given.ts';

/** Names that are listed at most. */
const MOST = 3;

/**
 * The names nearest to a word, at most three: those that differ by few letters, or if no name does,
 * the nearest there are. Numbers that differ by as many letters are nearer if their values are.
 */
export function nearestTo(given: string, names: Iterable<string>): string[] {
  // A caller in JavaScript may pass anything.
  const word = textGiven(given);
  const found: Ranked[] = [];
  for (const name of new Set(names)) {
    const worst = found.length < MOST ? Infinity : (found.at(-1)?.letters ?? Infinity);
    const letters = distance(word.toLowerCase(), name.toLowerCase(), worst);
    if (letters > worst) continue;
    const ranked = { name, letters, value: numbersApart(name, word) };
    const at = found.findIndex((other) => isNearer(ranked, other));
    found.splice(at < 0 ? found.length : at, 0, ranked);
    found.length = Math.min(found.length, MOST);
  }
  const close = found.filter(({ letters }) => letters <= closeTo(word));
  return (close.length > 0 ? close : found).map(({ name }) => name);
}

/** As the end of a message: `; nearest are gpu and nvme`. Empty if there are no names. */
export function nearestClause(word: string, names: Iterable<string>): string {
  const near = nearestTo(word, names);
  const last = near.pop();
  if (last === undefined) return '';
  return near.length === 0
    ? `; nearest is ${last}`
    : `; nearest are ${near.join(', ')} and ${last}`;
}

/** As the end of a message that lists the names anyway: `; did you mean table?`, or nothing. */
export function meantClause(word: string, names: Iterable<string>): string {
  const [name] = nearestTo(word, names);
  if (name === undefined) return '';
  const letters = distance(textGiven(word), name, Infinity);
  return letters > closeTo(textGiven(word)) ? '' : `; did you mean ${name}?`;
}

interface Ranked {
  readonly name: string;
  /** Letters to change, add, leave out or swap. */
  readonly letters: number;
  /** Difference of the numbers at the ends; Infinity if one has none. */
  readonly value: number;
}

function isNearer(one: Ranked, other: Ranked): boolean {
  if (one.letters !== other.letters) return one.letters < other.letters;
  return one.value < other.value || (one.value === other.value && one.name < other.name);
}

function numbersApart(one: string, other: string): number {
  const [a, b] = [/\d+$/.exec(one), /\d+$/.exec(other)];
  return a === null || b === null ? Infinity : Math.abs(Number(a[0]) - Number(b[0]));
}

function closeTo(word: string): number {
  return Math.max(1, Math.floor(word.length / 3));
}

/**
 * The fewest letters to change, add, leave out or swap with their neighbour (optimal string
 * alignment). A distance above `limit` may be any number above it.
 */
function distance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) > limit) return Infinity;
  let [before, above] = [[] as number[], Array.from({ length: b.length + 1 }, (_, at) => at)];
  for (let row = 1; row <= a.length; row++) {
    const own = [row];
    for (let column = 1; column <= b.length; column++) {
      const cost = a[row - 1] === b[column - 1] ? 0 : 1;
      let least = Math.min(above[column]! + 1, own[column - 1]! + 1, above[column - 1]! + cost);
      if (a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1] && row > 1 && column > 1) {
        least = Math.min(least, before[column - 2]! + 1);
      }
      own.push(least);
    }
    [before, above] = [above, own];
  }
  return above[b.length]!;
}
