/**
 * The system calls about descriptors and processes, with the deed that each of them shows.
 *
 * @module
 */
import { EvidenceError } from '../importer.ts';
import type { NamedVm } from '../../processes/process-table.ts';
import type { Deed } from '../sighting.ts';
import {
  excerpt,
  hasFlag,
  isConstant,
  memberOf,
  membersOf,
  shownFd,
  shownFolder,
  stringIn,
  withoutNames,
  type StraceCall,
  type Returned,
} from './call.ts';
import { ioctlDeed, mayBeOurs } from './ioctl.ts';
import { rightsIn, socketPath } from './rights.ts';
import { mayBeToSysfs, sysfsBegun, sysfsDeed } from './sysfs.ts';
import { vmNamed } from '../vm-name.ts';

/** How to read the calls of one name. */
export interface CallKind {
  readonly name: string;
  /** Whether a call may matter, by its arguments from index `from` on. */
  readonly may?: (text: string, from: number) => boolean;
  /** Whether a resumed call without its beginning is allowed. */
  readonly isUnnoticed?: boolean;
  readonly forks?: boolean;
  /** The call does not return: it ends the thread, or the process. */
  readonly ends?: 'thread' | 'process';
  readonly begun?: (args: readonly string[]) => Deed | null;
  readonly deed: (call: StraceCall) => Deed | null;
}

/** The kinds of all calls that may matter, by name. */
export const callKinds: ReadonlyMap<string, CallKind> = new Map(
  [
    ...kinds('open', { deed: (call) => opened(call, null, 0) }),
    ...kinds('openat openat2', { deed: (call) => opened(call, 0, 1) }),
    ...kinds('close', { deed: closed }),
    ...kinds('close_range', { deed: rangeClosed }),
    ...kinds('dup', { deed: (call) => duplicated(call, null, false) }),
    ...kinds('dup2', { deed: (call) => duplicated(call, integer(call, 1), false) }),
    ...kinds('dup3', {
      deed: (call) => duplicated(call, integer(call, 1), flagged(call, 2, ...O_CLOEXEC)),
    }),
    ...kinds('fcntl fcntl64', { deed: controlled }),
    ...kinds('ioctl', { may: mayBeOurs, deed: ioctlDeed }),
    ...kinds('mmap mmap2', { deed: mapped }),
    ...kinds('munmap', { deed: unmapped }),
    ...kinds('sendmsg', { deed: (call) => sent(call, argument(call, 1)) }),
    ...kinds('sendmmsg', { deed: (call) => sent(call, sentOf(call)) }),
    ...kinds('recvmsg', { deed: (call) => received(call, 2) }),
    ...kinds('recvmmsg recvmmsg_time64', { deed: (call) => received(call, 3) }),
    ...kinds('pidfd_getfd', { deed: taken }),
    ...kinds('fork vfork clone clone2 clone3', { forks: true, deed: () => null }),
    ...kinds('execve', { deed: (call) => executed(call, 0) }),
    ...kinds('execveat', { deed: (call) => executed(call, 1) }),
    ...kinds('exit', { ends: 'thread', deed: () => null }),
    ...kinds('exit_group', { ends: 'process', deed: () => null }),
    ...kinds('prctl', { deed: renamed }),
    ...kinds('write pwrite64 writev', {
      may: mayBeToSysfs,
      isUnnoticed: true,
      begun: sysfsBegun,
      deed: sysfsDeed,
    }),
  ].map((kind) => [kind.name, kind]),
);

function kinds(names: string, kind: Omit<CallKind, 'name'>): CallKind[] {
  return names.split(' ').map((name) => ({ name, ...kind }));
}

function argument({ args }: StraceCall, index: number): string {
  const text = args[index];
  if (text === undefined) throw new EvidenceError('the call has too few arguments');
  return text;
}

function integer(call: StraceCall, index: number): number {
  const text = argument(call, index);
  const number = text === 'NULL' ? 0 : Number.parseInt(text);
  if (!Number.isFinite(number)) throw new EvidenceError(`${excerpt(text)} is not a number`);
  return number;
}

const O_CLOEXEC = ['O_CLOEXEC', 0o2000000] as const;

function flagged(call: StraceCall, index: number, name: string, bit: number): boolean {
  return hasFlag(call.args[index] ?? '', name, bit);
}

/** The return value; null if the call failed or has not returned. */
function rcOf(returned: Returned | null): number | null {
  return returned !== null && 'rc' in returned.result ? returned.result.rc : null;
}

/** Flags of opens that open no device: directories, and O_PATH. */
const NO_FILE = [
  ['O_DIRECTORY', 0o200000],
  ['O_PATH', 0o10000000],
] as const;

function opened(call: StraceCall, folder: number | null, path: number): Deed | null {
  const { returned } = call;
  if (returned === null) return null;
  const given = stringIn(argument(call, path));
  const within = folder === null ? null : shownFolder(argument(call, folder));
  const shown = rcOf(returned) === null ? null : shownFd(returned.text).path;
  const node =
    given === null || given.isCut
      ? nodePath(shown)
      : (nodeOf(given.text, within) ?? nodePath(shown));
  if (node === null) return null;
  const how = call.args[path + 1] ?? '';
  const flags = how.startsWith('{') ? (memberOf(how, 'flags') ?? '') : how;
  if (NO_FILE.some(([name, bit]) => hasFlag(flags, name, bit))) return null;
  const cloexec = hasFlag(flags, ...O_CLOEXEC);
  return { did: 'open', path: node, cloexec, result: returned.result, file: null };
}

function nodeOf(path: string, within: string | null): string | null {
  const isRelative = within !== null && !path.startsWith('/');
  return nodePath(path) ?? (isRelative ? nodePath(`${within}/${path}`) : null);
}

/** The path of a node on the host. Inside a container it may be mounted elsewhere. */
function nodePath(path: string | null): string | null {
  if (path === null) return null;
  if (/^\/proc\/(?:self|thread-self)\/fd\//.test(path)) return path;
  const [, node] = /(?:^|\/)(dev\/(?:vfio\/.*|iommu))$/s.exec(path) ?? [];
  return node === undefined ? null : `/${node}`;
}

function closed(call: StraceCall): Deed | null {
  if (call.returned === null) return null;
  return { did: 'close', on: shownFd(argument(call, 0)), result: call.returned.result };
}

function rangeClosed(call: StraceCall): Deed | null {
  if (rcOf(call.returned) === null || flagged(call, 2, 'CLOSE_RANGE_CLOEXEC', 4)) return null;
  return { did: 'close-range', first: integer(call, 0), last: integer(call, 1) };
}

function duplicated(call: StraceCall, to: number | null, cloexec: boolean): Deed | null {
  if (call.returned === null) return null;
  const { result } = call.returned;
  return { did: 'dup', on: shownFd(argument(call, 0)), to, cloexec, result };
}

function controlled(call: StraceCall): Deed | null {
  const command = argument(call, 1);
  if (isConstant(command, 'F_DUPFD', 0)) return duplicated(call, null, false);
  if (isConstant(command, 'F_DUPFD_CLOEXEC', 0x406)) return duplicated(call, null, true);
  if (!isConstant(command, 'F_SETFD', 2) || rcOf(call.returned) === null) return null;
  const cloexec = flagged(call, 2, 'FD_CLOEXEC', 1);
  return { did: 'cloexec', on: shownFd(argument(call, 0)), cloexec };
}

function mapped(call: StraceCall): Deed | null {
  if (call.returned === null) return null;
  const on = shownFd(argument(call, 4));
  if (on.fd < 0) return null;
  const rc = rcOf(call.returned);
  return {
    did: 'mmap',
    on,
    address: rc ?? integer(call, 0),
    length: integer(call, 1),
    result: rc === null ? call.returned.result : { rc: 0 },
  };
}

function unmapped(call: StraceCall): Deed | null {
  if (rcOf(call.returned) === null) return null;
  return { did: 'munmap', address: integer(call, 0), length: integer(call, 1) };
}

/** The messages of sendmmsg that were sent: as many as it returned. */
function sentOf(call: StraceCall): string {
  const messages = membersOf(argument(call, 1)).slice(0, rcOf(call.returned) ?? undefined);
  return `[${messages.map(({ value }) => value).join(', ')}]`;
}

function sent(call: StraceCall, messages: string): Deed | null {
  const { returned } = call;
  if (returned === null) return null;
  const fds = rightsIn(messages);
  if (fds.length === 0) return null;
  const socket = socketPath(shownFd(argument(call, 0)).path);
  return { did: 'send', fds, socket, result: returned.result };
}

function received(call: StraceCall, flags: number): Deed | null {
  if (rcOf(call.returned) === null) return null;
  const fds = rightsIn(argument(call, 1));
  if (fds.length === 0) return null;
  const socket = socketPath(shownFd(argument(call, 0)).path);
  const cloexec = flagged(call, flags, 'MSG_CMSG_CLOEXEC', 0x40000000);
  return { did: 'receive', fds, socket, cloexec };
}

function taken({ returned }: StraceCall): Deed | null {
  if (returned === null || rcOf(returned) === null) return null;
  return { did: 'receive', fds: [shownFd(returned.text)], socket: null, cloexec: true };
}

/** The deed of a fork; null if it failed. */
export function forked(
  name: string,
  { args, returned }: StraceCall,
): (Deed & { did: 'fork' }) | null {
  const rc = rcOf(returned);
  if (returned === null || rc === null || rc === 0) return null;
  const inOurs = /^\d+ \/\* (\d+) in strace's PID NS \*\//.exec(returned.text)?.[1];
  const child = inOurs === undefined ? rc : Number(inOurs);
  const childComm = shownFd(returned.text).path;
  return { did: 'fork', child, childComm, shares: sharesIn(name, args) };
}

/** Whether a child shares the descriptor table; null if the flags are not shown. */
export function sharesIn(name: string, args: readonly string[]): boolean | null {
  if (name.endsWith('fork')) return false;
  const [first = ''] = withoutNames(args);
  const struct = first.startsWith('{') ? first : `{${args.join(', ')}}`;
  const flags = memberOf(struct, 'flags');
  if (flags === null) return null;
  return hasFlag(flags, 'CLONE_THREAD', 0x10000) || hasFlag(flags, 'CLONE_FILES', 0x400);
}

const LONGEST_COMM = 15;

function executed(call: StraceCall, index: number): Deed | null {
  if (rcOf(call.returned) !== 0) return null;
  const path = stringIn(argument(call, index));
  const name = path === null || path.isCut ? '' : path.text.slice(path.text.lastIndexOf('/') + 1);
  const program = name === '' ? null : name;
  const vm = vmIn(call.args[index + 1] ?? '', program);
  return { did: 'exec', program: program && commOf(program), ...(vm !== null && { vm }) };
}

/** The virtual machine that `["qemu-system-x86_64", "-name", "a", ...]` names. */
function vmIn(list: string, program: string | null): NamedVm {
  if (!list.startsWith('[')) return null;
  const shown = membersOf(list).map(({ value }) => stringIn(value));
  const strings = shown.filter((string) => string !== null);
  // Anything else than a string stands for arguments that are left out.
  const isWhole = strings.length === shown.length && list.endsWith(']');
  const [own, ...args] = strings;
  const ownName = own?.isCut === false ? own.text.slice(own.text.lastIndexOf('/') + 1) : null;
  return vmNamed({ program: program ?? ownName, args, isWhole });
}

function renamed(call: StraceCall): Deed | null {
  if (!isConstant(argument(call, 0), 'PR_SET_NAME', 15) || rcOf(call.returned) !== 0) return null;
  const name = stringIn(argument(call, 1));
  return name === null || name.isCut ? null : { did: 'name', name: commOf(name.text) };
}

function commOf(name: string): string {
  return Buffer.from(name).subarray(0, LONGEST_COMM).toString();
}
