/**
 * Lists the operations of the scenario language (`simulate --operations`), from their rows.
 *
 * @module
 */

import { operationNames, rowOf } from '../operations/table.ts';
import { columns } from '../words/columns.ts';
import { show, type Io } from './verb.ts';

/** Prints each operation with its operands and options, its ioctl, and the events that record it. */
export async function showOperations(io: Io, json: boolean | undefined): Promise<void> {
  await show(io, json, operationNames.map(listed), (all) =>
    columns(
      all.map(({ syntax, ioctl, events }) => [syntax, ioctl ?? '-', events.join(', ') || '-']),
      ['OPERATION', 'IOCTL', 'RECORDS'],
    ),
  );
}

/** An operation as a scenario writes it; what stands in brackets may be left out. */
function listed(operation: (typeof operationNames)[number]) {
  const { scenario, request, records } = rowOf(operation);
  const options = scenario.options.map((name) => `[${name}=N]`);
  return {
    operation,
    syntax: [operation, ...scenario.operands.map(spelled), ...options].join(' '),
    ioctl: request?.name ?? null,
    events: records.map(({ type }) => type),
  };
}

function spelled(operand: string): string {
  const name = operand.replace(/[?*]$/, '');
  if (operand.endsWith('*')) return `[${name}]...`;
  return operand.endsWith('?') ? `[${name}]` : name;
}
