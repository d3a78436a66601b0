/**
 * Sequences as one, on a host that is booted once: a recorder sees no more than one boot.
 *
 * @module
 */
import type { Sequence } from '../../host/simulation.ts';
import { parseLine, type OperationStatement } from '../../scenario/language.ts';
import type { Topology } from '../../scenario/topology.ts';

/** What is performed when nobody says otherwise: that of the recorded traces, and more. */
export const toBeRecorded: readonly string[] = [
  new URL('../../test/evidence/guest/sequences.txt', import.meta.url).pathname,
  new URL('asked.scenario', import.meta.url).pathname,
];

/** Longer than any change of a driver takes. */
const PATIENCE = 'bg_wait 12000';

/**
 * One sequence that performs others one after the other. After each, what the agent does by itself
 * between sequences is asked for: all processes are killed, and drivers are put back.
 */
export function joined(name: string, sequences: readonly Sequence[], topology: Topology): Sequence {
  const operations = sequences.flatMap((sequence) => [
    ...sequence.operations,
    ...cleared(sequence, topology),
  ]);
  return { name, operations };
}

function cleared({ operations }: Sequence, { devices }: Topology): OperationStatement[] {
  const processes = new Set<string>();
  const drivers = new Map<string, string>();
  for (const { process, operation, operands } of operations) {
    const [first = '', second = ''] = operands;
    if (operation !== 'set_driver' && operation !== 'bg_wait') processes.add(process);
    if (operation === 'spawn' || operation === 'fork') processes.add(first);
    if (operation === 'send') processes.add(second);
    if (operation === 'set_driver') drivers.set(first, second);
  }
  const changed = devices.filter(({ name, driver }) => {
    const last = drivers.get(name);
    return last !== undefined && last !== (driver ?? 'none');
  });
  const lines = [
    ...[...processes].toSorted().map((process) => `kill ${process}`),
    ...(drivers.size > 0 ? [PATIENCE] : []),
    ...changed.map(({ name, driver }) => `set_driver ${name} ${driver ?? 'none'} ms=3000`),
  ];
  return lines.map((line) => parseLine(line) as OperationStatement);
}
