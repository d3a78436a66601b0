/**
 * Arbitraries of single operations, as lines of the scenario language, legal or not.
 *
 * They are made from the rows of the operations, so a new operation is drawn without more ado.
 *
 * @module
 */
import fc from 'fast-check';
import { arrayGiven, textGiven } from '../events/given.ts';
import { RequestError } from '../events/ledger-error.ts';
import { nearestClause } from '../events/nearest.ts';
import type { Operation } from '../events/vocabulary.ts';
import { operationNames, rowOf } from '../operations/table.ts';
import { processes } from './topologies.ts';

/** What the words of operations can stand for. */
export interface OperationConstraints extends OperationChoice {
  /** Devices by name. */
  readonly devices: readonly string[];
}

/** Which operations are drawn, and who makes them. */
export interface OperationChoice {
  /** How many processes make calls, from P1 on; 3 by default. */
  readonly processes?: number | undefined;
  /** The operations that are drawn; all by default. */
  readonly only?: readonly Operation[] | undefined;
}

/** How often an operation is drawn, if not 10 times: often what seldom passes, seldom what ends much. */
const weights: Partial<Record<Operation, number>> = {
  open_cdev: 40,
  open_iommufd: 30,
  open_container: 8,
  open_group: 25,
  open_path: 3,
  bind: 240,
  attach: 240,
  detach: 40,
  alloc_hwpt: 80,
  alloc_ioas: 40,
  set_container: 120,
  set_iommu: 120,
  get_device: 240,
  close: 12,
  dup: 5,
  dup2: 2,
  send: 5,
  fork: 3,
  set_driver: 5,
  api_version: 1,
  check_extension: 1,
  group_status: 2,
  fds: 1,
  exec: 1,
  exit: 1,
  kill: 1,
  spawn: 1,
};

/** The names that are given to what a call returns. */
const given: Readonly<Record<string, readonly string[]>> = {
  A: ['A', 'A', 'A', 'B'],
  B: ['B'],
  I: ['I', 'I', 'I', 'J'],
  C: ['C'],
  G: ['G', 'G', 'H'],
  X: ['X', 'X', 'Y'],
  H: ['Y', 'X'],
  M: ['M'],
};

/** The names that stand for a descriptor, an object or a mapping, the first ones more often. */
const names: Readonly<Record<string, readonly string[]>> = {
  A: ['A', 'A', 'A', 'A', 'B', 'B', 'I', 'G'],
  B: ['B', 'A'],
  I: ['I', 'I', 'I', 'I', 'J', 'J', 'C', 'A'],
  C: ['C', 'C', 'C', 'I'],
  G: ['G', 'G', 'G', 'G', 'H', 'H', 'A'],
  X: ['X', 'X', 'Y', ':9'],
  H: ['Y'],
  M: ['M'],
};

/** The values of options that are drawn, now and then. */
const options: Readonly<Record<string, readonly number[]>> = {
  argsz: [16, 8],
  flags: [1, 8],
  pasid: [1],
  iova: [0x200000],
  size: [8192],
  cloexec: [1],
};

/** Operations of the scenario language, such as `@P2 bind A I`. Throws `bad-request`. */
export function operations(constraints: OperationConstraints): fc.Arbitrary<string> {
  const drawn = weightedOperations(constraints);
  return fc.oneof(
    ...drawn.map(({ weight, arbitrary }) => ({ weight: Math.min(weight, MOST), arbitrary })),
  );
}

/** Without a host, what seldom passes is drawn no more often than what has to pass before it. */
const MOST = 40;

/** An operation, and how often it is drawn. */
export interface WeightedOperation {
  readonly weight: number;
  readonly arbitrary: fc.Arbitrary<string>;
}

/** Each operation by itself. */
export function weightedOperations(constraints: OperationConstraints): WeightedOperation[] {
  const { devices, only = operationNames } = constraints;
  const process = processes(constraints.processes);
  arrayGiven('operations', 'devices by name', devices);
  if (devices.length === 0) throw new RequestError('operations takes devices, and there are none');
  const wrong = only.find((name) => !operationNames.includes(name));
  if (wrong !== undefined || only.length === 0) {
    const near = nearestClause(textGiven(wrong), operationNames);
    throw new RequestError(`only takes operations, not '${textGiven(wrong ?? 'none')}'${near}`);
  }
  return only.map((operation) => ({
    weight: weights[operation] ?? 10,
    arbitrary: lines(operation, devices, process),
  }));
}

function lines(
  operation: Operation,
  devices: readonly string[],
  process: fc.Arbitrary<string>,
): fc.Arbitrary<string> {
  const { caller, scenario } = rowOf(operation);
  const operands = scenario.operands
    // `send A P2` gives the name A, and `bg_wait` has its own patience.
    .filter((operand) => operand !== 'B?' && operand !== 'ms?')
    .map((operand, at) =>
      scenario.arguments[at] === null
        ? fc.constantFrom(...(given[operand.charAt(0)] ?? []))
        : words(operand, devices, process),
    );
  const optional = scenario.options
    .filter((option) => option in options)
    .map((option) => optionally(option, options[option] ?? []));
  const at = caller === 'process' ? process.map(prefix) : fc.constant('');
  const said = fc.tuple(at, ...operands, ...optional);
  // No process is a child of its own.
  const possible =
    operation === 'fork' ? said.filter(([by, child]) => by !== prefix(child ?? '')) : said;
  return possible.map(([by, ...rest]) => {
    return `${by}${[operation, ...rest.filter((word) => word !== '')].join(' ')}`;
  });
}

const prefix = (process: string): string => (process === 'P1' ? '' : `@${process} `);

function optionally(name: string, values: readonly number[]): fc.Arbitrary<string> {
  const value = fc.constantFrom(...values).map((number) => `${name}=${number}`);
  return fc.oneof({ weight: 9, arbitrary: fc.constant('') }, { weight: 1, arbitrary: value });
}

/** The words that an operand can be. */
function words(
  operand: string,
  devices: readonly string[],
  process: fc.Arbitrary<string>,
): fc.Arbitrary<string> {
  switch (operand) {
    case 'process':
      return process;
    case 'device':
    case 'group':
      return fc.constantFrom(...devices);
    case 'driver':
      return fc.constantFrom('none', 'vfio-pci', 'vfio-pci', 'e1000e');
    case 'path':
      return fc.constantFrom('/dev/vfio/vfio', '/proc/self/fd/3', '/proc/self/fd/4');
    case 'action':
      return fc.constantFrom('get', 'set', 'clear');
    case 'request':
      return fc.constantFrom('0x3b64', '0x3b76');
    case 'G*':
      return fc.constantFrom('', 'G');
    case 'type?':
      return fc.constantFrom('3', '1');
    default:
      return fc.constantFrom(...(names[operand.charAt(0)] ?? ['0', '7', '1']));
  }
}
