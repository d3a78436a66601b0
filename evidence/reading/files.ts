/**
 * Tells open files apart: which descriptors share one `struct file`, and which only one node.
 *
 * @module
 */
import type { Compare, Comparison } from './kcmp.ts';
import type { SeenDescriptor } from './processes.ts';

/** The result of telling files apart, by the index of the descriptor. `unseen`: sentences. */
export interface ToldApart {
  /** The file of each descriptor: the index of its first descriptor. Null: closed meanwhile. */
  readonly files: readonly (number | null)[];
  /** Whether each descriptor's file is certainly the same as, or different from, every other. */
  readonly isProven: readonly boolean[];
  readonly unseen: readonly string[];
}

/** Errnos of kcmp(2) that mean: the descriptor was closed meanwhile. */
const GONE = new Set(['ESRCH', 'EBADF']);

const MOST_NAMED = 8;

/** Groups descriptors by file. `compare` is null for a copied tree, whose processes do not run. */
export function tellApart(
  descriptors: readonly SeenDescriptor[],
  compare: Compare | null,
): ToldApart {
  const doubts = pairsThatMayBeOne(descriptors);
  const doubted = [...new Set(doubts.flat())];
  // Comparing a descriptor with itself shows whether it is still open.
  const asked = [...doubted.map((index) => [index, index] as const), ...doubts];
  const answers =
    compare?.(asked.map(([a, b]) => [descriptors[a]!, descriptors[b]!])) ??
    asked.map((): Comparison => ({ failed: 'a copy does not show it' }));

  const gone = new Set(doubted.filter((_, at) => GONE.has(failureOf(answers[at]!) ?? '')));
  /** Each leads to an earlier descriptor of the same file, the first to itself. */
  const earlier = descriptors.map((_, index) => index);
  const fileOf = (index: number): number => {
    let first = index;
    while (earlier[first] !== first) first = earlier[first]!;
    for (let at = index; at !== first;) [at, earlier[at]] = [earlier[at]!, first];
    return first;
  };
  const open: { a: number; b: number; why: string }[] = [];
  for (const [at, [a, b]] of doubts.entries()) {
    if (gone.has(a) || gone.has(b)) continue;
    const answer = answers[doubted.length + at]!;
    const why = failureOf(answer);
    if (answer === 'same' || (why !== null && areOneGroup(descriptors[a]!, descriptors[b]!))) {
      const [one, other] = [fileOf(a), fileOf(b)];
      earlier[Math.max(one, other)] = Math.min(one, other);
    } else if (why !== null) open.push({ a, b, why });
  }
  const unproven = open.filter(({ a, b }) => fileOf(a) !== fileOf(b));
  const unknown = new Set(unproven.flatMap(({ a, b }) => [a, b]));
  return {
    files: descriptors.map((_, index) => (gone.has(index) ? null : fileOf(index))),
    isProven: descriptors.map((_, index) => !unknown.has(index)),
    unseen: inWords(descriptors, unproven),
  };
}

function failureOf(answer: Comparison): string | null {
  return typeof answer === 'string' ? null : answer.failed;
}

/** What is the same of all descriptors of a file, or not known of some. */
const shared = ['group', 'device', 'inode', 'mount'] as const;
type SharedKey = (typeof shared)[number];

/**
 * The pairs of descriptors that may share a file by all that is known of them, ascending. Two may if they
 * agree in what is known of both, so those of which the same is known are looked up together.
 */
function pairsThatMayBeOne(descriptors: readonly SeenDescriptor[]): (readonly [number, number])[] {
  const indexes = [...descriptors.keys()];
  const known = Map.groupBy(indexes, (index) => knownOf(descriptors[index]!).join());
  const kinds = [...known.values()].map((members) => {
    return { members, keys: knownOf(descriptors[members[0]!]!) };
  });
  const pairs: (readonly [number, number])[] = [];
  for (const [at, one] of kinds.entries()) {
    for (const other of kinds.slice(at)) {
      const both = one.keys.filter((key) => other.keys.includes(key));
      const alike = (index: number) => valuesOf(descriptors[index]!, both);
      const others = Map.groupBy(other.members, alike);
      for (const a of one.members) {
        for (const b of others.get(alike(a)) ?? []) {
          if (one !== other || a < b) pairs.push(a < b ? [a, b] : [b, a]);
        }
      }
    }
  }
  return pairs.sort((one, other) => one[0] - other[0] || one[1] - other[1]);
}

function knownOf(descriptor: SeenDescriptor): SharedKey[] {
  return shared.filter((key) => descriptor[key] !== null);
}

function valuesOf(descriptor: SeenDescriptor, keys: readonly SharedKey[]): string {
  const { kind, cdev } = descriptor;
  return JSON.stringify([kind, cdev, ...keys.map((key) => descriptor[key])]);
}

/** Whether both share a group file: it can be open only once (vfio/group.c:vfio_group_fops_open). */
function areOneGroup(one: SeenDescriptor, other: SeenDescriptor): boolean {
  return one.kind === 'group' && ![one, other].some(({ path }) => path.endsWith(' (deleted)'));
}

function inWords(
  descriptors: readonly SeenDescriptor[],
  unproven: readonly { a: number; b: number; why: string }[],
): readonly string[] {
  const byPath = Map.groupBy(unproven, ({ a }) => descriptors[a]!.path);
  return [...byPath].map(([path, pairs]) => {
    const indices = [...new Set(pairs.flatMap(({ a, b }) => [a, b]))].sort((a, b) => a - b);
    const names = indices.map((index) => `${descriptors[index]!.fd} of ${descriptors[index]!.pid}`);
    const rest = names.length > MOST_NAMED ? names.splice(MOST_NAMED - 1) : names.splice(-1);
    const last = rest.length === 1 ? rest[0] : `${rest.length} more`;
    const why = [...new Set(pairs.map((pair) => pair.why))].join(', ');
    return `whether descriptors ${names.join(', ')} and ${last} (${path}) are one open file: ${why}`;
  });
}
