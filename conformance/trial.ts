/**
 * A trial: sequences put to a kernel, as many under way as keep it busy, and compared one by one.
 *
 * @module
 */
import type { Sequence } from '../host/simulation.ts';
import type { Profile } from '../machines/profile.ts';
import { firstDisagreement, type Disagreement } from './comparison.ts';
import type { Guest, KernelAnswer } from './guest.ts';
import { different, kindOf, shrunkOf, type Shrunk } from './shortest.ts';

/** Enough for the guest never to wait for us. */
const UNDER_WAY = 6;

/** More disagreements than these are counted, and not shrunk. */
const SHRUNK = 3;

/** Disagreements about one operation with the same two answers. */
export interface Kind {
  readonly first: Disagreement;
  readonly times: number;
}

/** What was asked, what disagreed, and what has been put to the test. */
export interface TrialOutcome {
  readonly operations: number;
  readonly sequences: number;
  readonly disagreements: number;
  /** Every kind of them, the most frequent first; then those that only further questions met. */
  readonly kinds: readonly Kind[];
  /** The first of them, as short as they get, with the kernel's answers. */
  readonly shrunk: readonly Shrunk[];
  /** Lines of a truth file, without the topology. */
  readonly lines: readonly string[];
}

/** A sequence of more operations says little about what is wrong. */
const LONG = 8;

/**
 * Puts sequences to a kernel. Where all that is found stays long, the `further` ones are asked for
 * something shorter. Rejects where the guest fails.
 */
export async function trial(
  sequences: Iterable<Sequence>,
  further: () => Iterable<Sequence>,
  guest: Guest,
  profile: Profile,
  tell: (text: string) => void,
): Promise<TrialOutcome> {
  const { found, ...counts } = await compared(sequences, guest, profile, tell);
  const known = new Set<string>();
  const shrinkNew = async (disagreements: readonly Disagreement[]): Promise<Shrunk[]> => {
    const shrunk: Shrunk[] = [];
    const shortest = disagreements.toSorted((a, b) => a.index - b.index);
    for (const disagreement of shortest) {
      if (known.has(kindOf(disagreement)) || shrunk.length === SHRUNK) continue;
      known.add(kindOf(disagreement));
      tell(`shrinking ${disagreement.sequence.name}`);
      shrunk.push(await shrunkOf(disagreement, guest, profile));
    }
    return shrunk;
  };
  const shrunk = await shrinkNew(found);
  const kinds = kindsOf(found);
  if (shrunk.length > 0 && shrunk.every(({ answers }) => answers.length > LONG)) {
    const more = await compared(further(), guest, profile, tell);
    shrunk.push(...(await shrinkNew(more.found)));
    // Much of what is asked further was asked before: nothing is counted twice.
    const before = new Set(found.map(kindOf));
    kinds.push(...kindsOf(more.found.filter((one) => !before.has(kindOf(one)))));
  }
  const byLength = shrunk.toSorted((a, b) => a.answers.length - b.answers.length);
  return { ...counts, disagreements: found.length, kinds, shrunk: different(byLength) };
}

function kindsOf(found: readonly Disagreement[]): Kind[] {
  return [...Map.groupBy(found, kindOf).values()]
    .flatMap(([first, ...others]) => (first ? [{ first, times: 1 + others.length }] : []))
    .toSorted((a, b) => b.times - a.times);
}

/** Asks and compares. */
async function compared(
  sequences: Iterable<Sequence>,
  guest: Guest,
  profile: Profile,
  tell: (text: string) => void,
) {
  const lines: string[] = [];
  const found: Disagreement[] = [];
  let [operations, count] = [0, 0];
  for await (const { sequence, answers } of answered(sequences, guest)) {
    for (const { line } of answers) lines.push(line);
    operations += answers.length;
    count++;
    const disagreement = firstDisagreement(sequence, answers, guest.topology, profile);
    if (disagreement !== null) found.push(disagreement);
    tell(`${operations} operations asked, ${found.length} disagreements`);
  }
  return { operations, sequences: count, lines, found };
}

interface AnsweredSequence {
  readonly sequence: Sequence;
  readonly answers: readonly KernelAnswer[];
}

async function* answered(
  sequences: Iterable<Sequence>,
  guest: Guest,
): AsyncGenerator<AnsweredSequence> {
  const underWay: Promise<AnsweredSequence>[] = [];
  for (const sequence of sequences) {
    const answering = guest.perform(sequence).then((answers) => ({ sequence, answers }));
    // It is awaited below; until then nobody listens.
    answering.catch(() => {});
    underWay.push(answering);
    const first = underWay.length < UNDER_WAY ? undefined : underWay.shift();
    if (first !== undefined) yield await first;
  }
  for (const answering of underWay) yield await answering;
}
