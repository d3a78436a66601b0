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
  const doubts: (readonly [number, number])[] = [];
  for (const [a, one] of descriptors.entries()) {
    for (let b = a + 1; b < descriptors.length; b++) {
      if (mayBeOne(one, descriptors[b]!)) doubts.push([a, b]);
    }
  }
  const doubted = [...new Set(doubts.flat())];
  // Comparing a descriptor with itself shows whether it is still open.
  const asked = [...doubted.map((index) => [index, index] as const), ...doubts];
  const answers =
    compare?.(asked.map(([a, b]) => [descriptors[a]!, descriptors[b]!])) ??
    asked.map((): Comparison => ({ failed: 'a copy does not show it' }));

  const gone = new Set(doubted.filter((_, at) => GONE.has(failureOf(answers[at]!) ?? '')));
  const files = descriptors.map((_, index) => index);
  const open: { a: number; b: number; why: string }[] = [];
  for (const [at, [a, b]] of doubts.entries()) {
    if (gone.has(a) || gone.has(b)) continue;
    const answer = answers[doubted.length + at]!;
    const why = failureOf(answer);
    if (answer === 'same' || (why !== null && areOneGroup(descriptors[a]!, descriptors[b]!))) {
      const [to, from] = [Math.min(files[a]!, files[b]!), Math.max(files[a]!, files[b]!)];
      for (const [index, file] of files.entries()) if (file === from) files[index] = to;
    } else if (why !== null) open.push({ a, b, why });
  }
  const unproven = open.filter(({ a, b }) => files[a] !== files[b]);
  const unknown = new Set(unproven.flatMap(({ a, b }) => [a, b]));
  return {
    files: files.map((file, index) => (gone.has(index) ? null : file)),
    isProven: descriptors.map((_, index) => !unknown.has(index)),
    unseen: inWords(descriptors, unproven),
  };
}

function failureOf(answer: Comparison): string | null {
  return typeof answer === 'string' ? null : answer.failed;
}

/** Whether two descriptors may share a file, by all that is known of them. */
function mayBeOne(one: SeenDescriptor, other: SeenDescriptor): boolean {
  const agree = (key: 'group' | 'device' | 'inode' | 'mount') =>
    one[key] === null || other[key] === null || one[key] === other[key];
  return (
    one.kind === other.kind &&
    one.cdev === other.cdev &&
    agree('group') &&
    agree('device') &&
    agree('inode') &&
    agree('mount')
  );
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
