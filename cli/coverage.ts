/**
 * Answers that may say "never" or "none": each is printed with its coverage.
 *
 * @module
 */
import type { Coverage } from '../ledger.ts';
import type { Line } from '../words/columns.ts';
import { coverageWords } from '../words/coverage.ts';
import { show, type Io } from './verb.ts';

/** The option of verbs whose answer is a list or null, which has no place for a key. */
export const coverageOption = {
  coverage: {
    type: 'boolean',
    help: 'with --json, print {"answer", "coverage", "logEnds"}',
  },
} as const;

/** How an answer is printed. */
export interface CoveredForm {
  readonly json?: boolean | undefined;
  /** Whether JSON is wrapped in an object that has the coverage. */
  readonly coverage?: boolean | undefined;
}

/** The JSON value of an answer: with `--coverage` an object that has the coverage as well. */
export function coveredValue(
  { coverage: isWrapped }: CoveredForm,
  answer: unknown,
  coverage: Coverage,
) {
  const { logEnds = null } = coverage;
  return isWrapped === true ? { answer, coverage, logEnds } : answer;
}

/** Prints an answer, and below its text a line with its coverage. */
export async function showCovered(
  io: Io,
  form: CoveredForm,
  answer: unknown,
  coverage: Coverage,
  text: () => readonly Line[],
): Promise<void> {
  await show(io, form.json, coveredValue(form, answer, coverage), () => [
    ...text(),
    coverageWords(coverage),
  ]);
}
