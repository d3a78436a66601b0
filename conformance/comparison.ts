/**
 * A kernel's answers to a sequence beside those of the machines.
 *
 * @module
 */
import type { Sequence } from '../host/simulation.ts';
import { ScenarioHost } from '../host/scenario-host.ts';
import type { Profile } from '../machines/profile.ts';
import type { Topology } from '../scenario/topology.ts';
import { contradictionWords } from '../words/faults.ts';
import { differenceOf, wordsOf, type GivenAnswer } from './agreement.ts';

/**
 * The first operation of a sequence that was answered differently, in words; or that our machines
 * have not all taken, though their rules let it pass.
 */
export interface Disagreement {
  readonly sequence: Sequence;
  /** The place of the operation in the sequence. */
  readonly index: number;
  readonly kernel: string;
  readonly ours: string;
}

/** An answer of a kernel; nothing can be compared with the answer of a process that is gone. */
export interface KernelSaid extends GivenAnswer {
  readonly dead?: boolean;
  readonly timeout?: boolean;
}

/** The first difference, or null where there is none. What follows it may follow from it. */
export function firstDisagreement(
  sequence: Sequence,
  answers: readonly KernelSaid[],
  topology: Topology,
  profile: Profile,
): Disagreement | null {
  const host = new ScenarioHost(topology, profile);
  host.boot(sequence.name);
  for (const [index, statement] of sequence.operations.entries()) {
    const { answer } = host.play(statement);
    const said = answers[index];
    if (said === undefined) return { sequence, index, kernel: 'no answer', ours: '' };
    if (said.dead === true || said.timeout === true) continue;
    const difference = differenceOf(said, answer);
    if (difference !== null) return { sequence, index, ...difference };
    if (answer.rc === -1 && answer.cause === undefined) {
      return { sequence, index, kernel: answer.errno ?? '', ours: 'no cause' };
    }
    const [contradiction] = host.live.contradictions;
    if (contradiction !== undefined) {
      return {
        sequence,
        index,
        kernel: wordsOf(said),
        ours: contradictionWords(contradiction.reason),
      };
    }
  }
  return null;
}
