/**
 * Finds the name of the virtual machine in the command line of its monitor: QEMU, also as Proxmox
 * starts it, crosvm, Firecracker and its jailer, kvmtool.
 *
 * @module
 */
import type { NamedVm } from '../processes/process-table.ts';

/** An argument of a command line; `isCut` if the evidence does not show its end. */
interface ShownArgument {
  readonly text: string;
  readonly isCut: boolean;
}

/** The arguments after the name of the program; `isWhole` false if the last ones are not shown. */
export interface CommandLine {
  /** The name of the program without its folder; null if it is not shown. */
  readonly program: string | null;
  readonly args: readonly ShownArgument[];
  readonly isWhole: boolean;
}

/** A program that runs virtual machines, and the options that give a machine its name. */
interface Monitor {
  readonly program: RegExp;
  /** Most telling first. */
  readonly options: readonly string[];
  /** The name in the value of an option; null if it has none. */
  readonly nameIn: (value: string) => string | null;
  /** Options that read further options from a file. */
  readonly included: readonly string[];
}

const whole = (value: string) => value;

const monitors: readonly Monitor[] = [
  {
    program: /(?:^|[.-])qemu-(?:system|kvm)(?:-|$)|^(?:qemu|kvm)$/,
    options: ['name', 'id'],
    nameIn: guestIn,
    included: ['readconfig'],
  },
  { program: /^(?:firecracker|jailer)/, options: ['id'], nameIn: whole, included: ['config-file'] },
  { program: /^crosvm/, options: ['name'], nameIn: whole, included: ['cfg'] },
  { program: /^(?:lkvm|kvmtool)/, options: ['name', 'n'], nameIn: whole, included: [] },
];

/** Options by which other programs may name a virtual machine. */
const anyName = /^--?(?:name|id|n|vm|guest|domain|vm-name|vm-id)(?:=|$)/;

/** The name that a command line gives; `false` if it gives none, null if that is not shown. */
export function vmNamed({ program, args, isWhole }: CommandLine): NamedVm {
  const monitor = monitors.find((one) => program !== null && one.program.test(program));
  if (monitor === undefined) {
    const mayName = program === null || !isWhole || args.some(({ text }) => anyName.test(text));
    return mayName ? null : false;
  }
  for (const option of monitor.options) {
    const value = valueOf(args, option);
    if (value === undefined) continue;
    if (value === null) return null;
    const name = monitor.nameIn(value.isCut ? uncut(value.text) : value.text);
    if (name !== null && name !== '') return name;
    if (value.isCut) return null;
  }
  const isElsewhere = monitor.included.some((option) => valueOf(args, option) !== undefined);
  return isWhole && !isElsewhere ? false : null;
}

/** The last value of an option; undefined if it is not given, null if its value is not shown. */
function valueOf(args: readonly ShownArgument[], option: string): ShownArgument | null | undefined {
  let found: ShownArgument | null | undefined;
  for (const [index, { text, isCut }] of args.entries()) {
    if (text === `-${option}` || text === `--${option}`) found = args[index + 1] ?? null;
    const begin = `--${option}=`;
    if (text.startsWith(begin)) found = { text: text.slice(begin.length), isCut };
  }
  return found;
}

/** What is sure of a value that breaks off: all before its last comma. */
function uncut(value: string): string {
  return value.slice(0, Math.max(0, value.lastIndexOf(',')));
}

/** The name in `guest=NAME,debug-threads=on` or `NAME,process=…`; a comma in it is written twice. */
function guestIn(value: string): string | null {
  const pairs = value.replaceAll(',,', '\0').split(',');
  const given = pairs.flatMap((pair, index) => {
    const [key, ...rest] = pair.split('=');
    if (key === 'guest') return [rest.join('=')];
    return index === 0 && rest.length === 0 ? [pair] : [];
  });
  return given.at(-1)?.replaceAll('\0', ',') ?? null;
}
