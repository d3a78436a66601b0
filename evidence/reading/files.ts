/**
 * Which descriptors stand for one open file, and which for several of one node.
 *
 * @module
 */
import type { Compare, Comparison } from './kcmp.ts';
import type { SeenDescriptor } from './processes.ts';

export interface ToldApart {
  /** Of each descriptor the file, by the number of the first that stands for it; null: it is gone. */
  readonly files: readonly (number | null)[];
  readonly isProven: readonly boolean[];
  readonly unseen: readonly string[];
}

/** Comparisons that say: it was closed while we looked. */
const GONE = new Set(['ESRCH', 'EBADF']);

const MOST_NAMED = 8;

/** `compare` is null where the processes are not alive to be asked about. */
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
  // Compared with itself a descriptor shows whether it is still there.
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

/** Whether nothing that is known of two descriptors says that their files are two. */
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

/** The kernel lets a group be opened once at a time. */
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
