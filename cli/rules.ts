/**
 * `rules`: prints what the kernel checks before an operation.
 *
 * @module
 */
import { meantClause } from '../events/nearest.ts';
import { RequestError } from '../ledger.ts';
import { operationsOf, ruleTable, type RuleRow } from '../machines/operations.ts';
import type { Profile } from '../machines/profile.ts';
import { rowOf } from '../operations/table.ts';
import { causeWords } from '../words/causes.ts';
import { columns, type Line } from '../words/columns.ts';
import { neverRefusedWords, profilesWords } from '../words/judgements.ts';
import { exit } from './failure.ts';
import { profileOption, requiredProfile } from './profiles.ts';
import { show, verb } from './verb.ts';

/** Prints the checks of an operation in the kernel's order, or all operations. */
export const rules = verb({
  name: 'rules',
  usage: 'rules [OPERATION] [--profile P]',
  summary: "Lists what the kernel checks before an operation, in the kernel's order",
  details: [
    'One line for each check. The first check that fails gives errno and cause. ASKS is what the check',
    'looks at: the call, the descriptors, the host, or a machine (see vfio-ledger machine --help).',
    'Without OPERATION, all operations are listed with the number of their checks and the event that',
    'they record; with --json, with all their checks. This verb reads no log.',
  ],
  options: {
    profile: profileOption('default: all'),
    json: { type: 'boolean', help: 'print one JSON value' },
    log: { type: 'string' },
    host: { type: 'string' },
  },
  operands: [0, 1],
  examples: [
    'vfio-ledger rules',
    'vfio-ledger rules bind --profile linux-7.3',
    'vfio-ledger rules open_group --json',
  ],
  async answer({ values, operands: [operation] }, io) {
    const profile = values.profile === undefined ? null : requiredProfile(values.profile);
    const known = Object.keys(operationsOf(profile));
    if (operation !== undefined && !known.includes(operation)) {
      const meant = meantClause(operation, known);
      throw new RequestError(`no operation '${operation}'; there are ${known.join(', ')}${meant}`);
    }
    const rows = ruleTable(profile).filter(
      (row) => operation === undefined || row.operation === operation,
    );
    const answer = rows.map((row) => ({ ...row, summary: causeWords(row.cause) }));
    await show(io, values.json, answer, () =>
      operation === undefined ? operationsText(profile) : rulesText(operation, rows),
    );
    return exit.done;
  },
});

function operationsText(profile: Profile | null): Line[] {
  return columns(
    Object.entries(operationsOf(profile)).map(([operation, { checks }]) => [
      operation,
      String(checks.length),
      rowOf(operation as RuleRow['operation']).records[0]?.type ?? '-',
    ]),
    ['OPERATION', 'CHECKS', 'RECORDS'],
  );
}

function rulesText(operation: string, rows: readonly RuleRow[]): Line[] {
  if (rows.length === 0) return [neverRefusedWords(operation)];
  return columns(
    rows.map(({ order, errno, cause, check, asks, profiles, source }) => [
      String(order),
      errno,
      cause,
      check,
      asks,
      profilesWords(profiles),
      source,
    ]),
    ['N', 'ERRNO', 'CAUSE', 'CHECK', 'ASKS', 'PROFILES', 'SOURCE'],
  );
}
