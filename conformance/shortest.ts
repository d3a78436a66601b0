/**
 * Disagreements made as short as they get, with the kernel asked at every step.
 *
 * @module
 */
import type { Profile } from '../machines/profile.ts';
import type { OperationStatement } from '../scenario/language.ts';
import type { Topology } from '../scenario/topology.ts';
import { firstDisagreement, type Disagreement } from './comparison.ts';
import type { Guest, KernelAnswer } from './guest.ts';
import { alphabets } from './sequences/alphabet.ts';
import { rolesOn } from './sequences/roles.ts';
import { shrink } from './shrink.ts';

export interface Shrunk {
  /** The operations of the sequence in which it was found. */
  readonly found: number;
  readonly disagreement: Disagreement;
  /** What the kernel answered to it; nothing where it did not answer so again. */
  readonly answers: readonly KernelAnswer[];
}

/** Different disagreements may come down to the same few operations. */
export function different(shrunk: readonly Shrunk[]): Shrunk[] {
  const textOf = ({ disagreement: { sequence } }: Shrunk): string =>
    sequence.operations.map(({ process, text }) => `${process} ${text}`).join('\n');
  return [...new Map(shrunk.map((one) => [textOf(one), one])).values()];
}

/** The operation and both answers; which descriptor was handed out is no matter. */
export function kindOf({ sequence, index, kernel, ours }: Disagreement): string {
  const answers = [kernel, ours].map((words) => words.replace(/^fd \d+/, 'ok'));
  return [sequence.operations[index]?.operation, ...answers].join('\n');
}

/** Short enough; longer ones are searched for a shorter way to show that something is wrong. */
const SHORT = 6;

/** The shortest sequence found that shows that something is wrong here. */
export async function shrunkOf(
  found: Disagreement,
  guest: Guest,
  profile: Profile,
): Promise<Shrunk> {
  const { sequence, index } = found;
  const { topology } = guest;
  const shown: { answers: readonly KernelAnswer[]; disagreement: Disagreement }[] = [];
  const shows = async (operations: readonly OperationStatement[]): Promise<boolean> => {
    const tried = { name: `${sequence.name}.shrunk`, operations };
    const answers = await guest.perform(tried);
    const disagreement = firstDisagreement(tried, answers, topology, profile);
    if (disagreement?.index !== operations.length - 1) return false;
    shown.push({ answers, disagreement });
    return true;
  };
  const whole = sequence.operations.slice(0, index + 1);
  if (!(await shows(whole))) return { found: whole.length, disagreement: found, answers: [] };
  const left = await shrink(whole, shows);
  for (const [length, questions] of left.length > SHORT ? shorterThan(left, topology) : []) {
    const asked = questions.map((question) => shows([...left.slice(0, length), question]));
    if ((await Promise.all(asked)).includes(true)) break;
  }
  const [best] = shown.toSorted((a, b) => a.answers.length - b.answers.length);
  return { found: sequence.operations.length, disagreement: found, answers: [], ...best };
}

/** Everything that could be asked after a part of a sequence, the shortest part first. */
function shorterThan(
  operations: readonly OperationStatement[],
  topology: Topology,
): [number, readonly OperationStatement[]][] {
  const named = new Set(operations.flatMap(({ operands }) => operands));
  const roles = rolesOn(topology).filter(({ device, sibling }) =>
    [device, sibling].some((name) => named.has(name)),
  );
  const asks = roles
    .flatMap(alphabets)
    .filter(({ name }) => name !== 'kindsOfFile')
    .flatMap((alphabet) => alphabet.asks);
  const unique = [...new Map(asks.map((ask) => [ask.text, ask])).values()];
  return operations.slice(0, -2).map((_, index) => [index + 1, unique]);
}
