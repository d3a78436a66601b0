/**
 * What came of a run, for people and for programs.
 *
 * @module
 */
import { join } from 'node:path';
import type { Guest } from './guest.ts';
import type { Options } from './options.ts';
import { kindOf, type Shrunk } from './shortest.ts';
import type { Kind, TrialOutcome } from './trial.ts';

/** Where the log of a disagreement is kept. */
export function logPath({ found, profile, seed }: Options, index: number): string {
  return join(found, `${profile}-seed-${seed}-${index + 1}.ledger`);
}

/** For people: each disagreement that was shrunk, the other kinds of them, what was asked. */
export function summaryLines(
  outcome: TrialOutcome,
  guest: Guest,
  options: Options,
  seconds: number,
): string[] {
  const { operations, sequences, disagreements, shrunk } = outcome;
  const rate = `${Math.round(operations / seconds)} a second`;
  return [
    ...shrunk.flatMap((one, index) => [...disagreementLines(one, logPath(options, index)), '']),
    ...otherLines(outcome),
    `${guest.topology.kernel} (${options.profile}): ${operations} operations in ` +
      `${sequences} sequences (${rate}), ${disagreements} disagreements`,
  ];
}

function disagreementLines({ found, disagreement, answers }: Shrunk, log: string): string[] {
  const { sequence, index, kernel, ours } = disagreement;
  const lines = sequence.operations.map(({ process, text }) =>
    process === 'P1' ? text : `@${process} ${text}`,
  );
  const about = `'${sequence.operations[index]?.text}': the kernel says ${kernel}, we say ${ours}`;
  if (answers.length === 0) {
    return [`disagreement about ${about}, in ${sequence.name}; asked again, it says what we say`];
  }
  return [
    `disagreement about ${about}`,
    `shrunk from ${found} operations to ${sequence.operations.length}:`,
    '',
    `  seq ${sequence.name}`,
    ...lines.map((line, at) => `  ${line.padEnd(32)} # ${wordOf(answers[at])}`),
    '',
    `kept as ${log}; try: npx vfio-ledger verify --log ${log}`,
  ];
}

/** The kinds of which nothing is shown above, a line for each. */
function otherLines({ kinds, shrunk }: TrialOutcome): string[] {
  const shown = new Set(shrunk.map(({ disagreement }) => kindOf(disagreement)));
  const others = kinds.filter(({ first }) => !shown.has(kindOf(first))).map(namesOf);
  if (others.length === 0) return [];
  const lines = others.map(({ operation, kernel, ours, times, sequence }) => {
    const met = `${times} ×, first in ${sequence}`;
    return `  ${operation}: the kernel says ${kernel}, we say ${ours} (${met})`;
  });
  return ['other disagreements, not shrunk:', ...lines, ''];
}

function namesOf({ first: { sequence, index, kernel, ours }, times }: Kind) {
  const operation = sequence.operations[index]?.operation;
  return { operation, kernel, ours, times, sequence: sequence.name };
}

function wordOf(answer: Shrunk['answers'][number] | undefined): string {
  return answer === undefined || answer.rc === null ? '-' : (answer.errno ?? String(answer.rc));
}

/** For programs. */
export function summaryOf(outcome: TrialOutcome, { topology }: Guest, options: Options) {
  const { operations, sequences, disagreements, kinds, shrunk } = outcome;
  return {
    kernel: topology.kernel,
    profile: options.profile,
    operations,
    sequences,
    disagreements,
    kinds: kinds.map(namesOf),
    shrunk: shrunk.map(({ disagreement: { sequence, kernel, ours } }, index) => ({
      scenario: sequence.operations.map(({ process, text }) => `@${process} ${text}`),
      kernel,
      ours,
      log: logPath(options, index),
    })),
  };
}
