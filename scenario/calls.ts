/**
 * Turns a statement of a scenario into the call that a process makes with it.
 *
 * @module
 */
import type { Call } from '../events/vocabulary.ts';
import type { Said } from '../operations/row.ts';
import { bareCall, rowOf } from '../operations/table.ts';
import { parseNumber, type OperationStatement } from './language.ts';
import type { Names } from './names.ts';

/** The host and the process that a statement runs on: what its words stand for. */
export interface Resolver {
  readonly pid: number;
  readonly names: Names;
  /** The PCI address of a device by its name; the word itself if there is none. */
  readonly device: (word: string) => string;
  /** The group's number, by the name of a device, by `gN` or by a number. */
  readonly group: (word: string) => string;
  /** The pid of the process that receives a descriptor. */
  readonly receiver: (word: string) => number;
  /** The PCI address of the device whose cdev node has this name below /dev/vfio/devices. */
  readonly cdev: (node: string) => string;
}

const FIRST_ADDRESS = 0x100000;
const PAGE = 4096;

/** The call of a statement, with its words resolved to numbers. */
export function callOfStatement(statement: OperationStatement, resolver: Resolver): Call {
  return rowOf(statement.operation).scenario.call(saidIn(statement, resolver));
}

function saidIn({ operands, options }: OperationStatement, resolver: Resolver): Said {
  const { pid, names } = resolver;
  const word = (at: number) => operands[at] ?? '';
  const option = (name: string) => {
    const value = options[name];
    return value === undefined ? undefined : u32(value);
  };
  const [argsz, flags] = [option('argsz'), option('flags')];
  return {
    pid,
    cloexec: (options['cloexec'] ?? 0) !== 0,
    shape: { ...(argsz !== undefined && { argsz }), ...(flags !== undefined && { flags }) },
    range: { iova: option('iova') ?? FIRST_ADDRESS, size: option('size') ?? PAGE },
    word,
    fd: (at) => names.descriptor(word(at)),
    fds: (from) => operands.slice(from).map((name) => names.descriptor(name)),
    object: (at) => objectId(names.value(word(at))),
    boundId: (at) => boundId(word(at), names),
    value: (at) => names.value(word(at)),
    number: (at, otherwise) =>
      otherwise !== undefined && word(at) === '' ? otherwise : parseNumber(word(at)),
    device: (at) => resolver.device(word(at)),
    group: (at) => resolver.group(word(at)),
    cdev: resolver.cdev,
    receiver: (at) => resolver.receiver(word(at)),
    option,
    bare: bareCall,
  };
}

/** Truncates a number to 32 bits, as the structures of ioctls do. */
const u32 = (value: number): number => Number(BigInt.asUintN(32, BigInt(Math.trunc(value))));

/** An object id has 32 bits; -1, for a name that stands for nothing, is kept. */
const objectId = (value: number): number => (value === -1 ? value : u32(value));

/** The object id of a bound device, by the name of its descriptor; a number stands for itself. */
function boundId(name: string, names: Names): number {
  return objectId(names.value(name.startsWith(':') ? name : `${name}.id`));
}
