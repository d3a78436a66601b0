/**
 * `causes`: prints what each errno of each operation can mean.
 *
 * @module
 */
import { causeTable, type CauseRow } from '../machines/operations.ts';
import { causeWords } from '../words/causes.ts';
import { columns, type Line } from '../words/columns.ts';
import { profilesWords } from '../words/judgements.ts';
import { exit } from './failure.ts';
import { show, verb } from './verb.ts';

/** Prints the table of causes: one row for each cause, operation and errno. */
export const causes = verb({
  name: 'causes',
  usage: 'causes',
  summary: 'Lists what each errno of each operation can mean, and which kernel function returns it',
  details: ['One row for each cause, operation and errno. This verb reads no log.'],
  options: {
    json: { type: 'boolean', help: 'print one JSON value' },
    log: { type: 'string' },
    host: { type: 'string' },
  },
  operands: [0, 0],
  examples: ['vfio-ledger causes', 'vfio-ledger causes --json'],
  async answer({ values }, io) {
    const rows = causeTable().map(({ source, ...row }): ShownCause => {
      return { ...row, summary: causeWords(row.cause, row.operation), source };
    });
    await show(io, values.json, rows, () => causesText(rows));
    return exit.done;
  },
});

/** A row with the sentence of its cause. */
type ShownCause = CauseRow & { readonly summary: string };

function causesText(rows: readonly ShownCause[]): Line[] {
  return columns(
    rows.map(({ cause, operation, errno, profiles: only, summary, source }) => [
      cause,
      operation,
      errno,
      profilesWords(only),
      source,
      summary,
    ]),
    ['CAUSE', 'OPERATION', 'ERRNO', 'PROFILES', 'SOURCE', 'SUMMARY'],
  );
}
