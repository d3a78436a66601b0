/**
 * What came of a run, for people and for programs.
 *
 * @module
 */
import { join } from 'node:path';
import type { Guest } from './guest.ts';
import type { Options } from './options.ts';
import type { Shrunk } from './shortest.ts';
import type { Outcome } from './trial.ts';

/** Where the log of a disagreement is kept. */
export function logPath({ found, profile, seed }: Options, index: number): string {
  return join(found, `${profile}-seed-${seed}-${index + 1}.ledger`);
}

/** For people: each disagreement, then what was asked. */
export function summaryLines(
  outcome: Outcome,
  guest: Guest,
  options: Options,
  seconds: number,
): string[] {
  const { operations, sequences, disagreements, shrunk } = outcome;
  const rate = `${Math.round(operations / seconds)} a second`;
  return [
    ...shrunk.flatMap((one, index) => [...disagreementLines(one, logPath(options, index)), '']),
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

function wordOf(answer: Shrunk['answers'][number] | undefined): string {
  return answer === undefined || answer.rc === null ? '-' : (answer.errno ?? String(answer.rc));
}

/** For programs. */
export function summaryOf(outcome: Outcome, { topology }: Guest, options: Options) {
  const { operations, sequences, disagreements, shrunk } = outcome;
  return {
    kernel: topology.kernel,
    profile: options.profile,
    operations,
    sequences,
    disagreements,
    shrunk: shrunk.map(({ disagreement: { sequence, kernel, ours } }, index) => ({
      scenario: sequence.operations.map(({ process, text }) => `@${process} ${text}`),
      kernel,
      ours,
      log: logPath(options, index),
    })),
  };
}
