/**
 * From a statement to the call that a process makes with it.
 *
 * @module
 */
import type { Call } from '../events/vocabulary.ts';
import type { Said } from '../operations/row.ts';
import { bareCall, rowOf } from '../operations/table.ts';
import { parseNumber, type OperationStatement } from './language.ts';
import type { Names } from './names.ts';

/** What a statement's words stand for on the host that it runs on. */
export interface Resolver {
  readonly pid: number;
  readonly names: Names;
  /** PCI address of a device by its name; the word itself where there is none. */
  readonly device: (word: string) => string;
  /** Group of a device's name, of `gN` or of a number. */
  readonly group: (word: string) => string;
  /** The receiver of a passed descriptor. */
  readonly receiver: (word: string) => number;
  /** The device whose cdev has this name below /dev/vfio/devices. */
  readonly cdev: (node: string) => string;
}

const FIRST_ADDRESS = 0x100000;
const PAGE = 4096;

/** The call, resolved to numbers. */
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

/** Structures hold 32 bits. */
const u32 = (value: number): number => Number(BigInt.asUintN(32, BigInt(Math.trunc(value))));

/** Ids have 32 bits; -1 stays what it says, that the name stands for nothing. */
const objectId = (value: number): number => (value === -1 ? value : u32(value));

/** The object id of a bound device; a number stands for itself. */
function boundId(name: string, names: Names): number {
  return objectId(names.value(name.startsWith(':') ? name : `${name}.id`));
}
