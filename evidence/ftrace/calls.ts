/**
 * System calls of an ftrace trace, assembled from their begin, the probes in between, and their end.
 *
 * @module
 */
import { EvidenceError } from '../importer.ts';
import { REQUEST_TYPE } from '../../operations/other-requests.ts';
import { requestsByValue } from '../../operations/table.ts';
import type { TracedWords } from '../../operations/traced-words.ts';
import type { Deed, Result, ShownFd } from '../sighting.ts';
import { argument, hasFlag, resultOf, wordIn } from './values.ts';

/** A descriptor at which the kernel installed a file. */
interface Installed {
  readonly fd: number;
  readonly file: string;
}

/** A system call in progress. Probes fill in what its arguments do not show. */
export interface FtraceCall {
  readonly name: string;
  readonly text: string;
  /** The path to open, as the kernel copied it from the caller. */
  path: string | null;
  cloexec: boolean | null;
  /** The address of the `struct file` that a driver was asked to open. */
  file: string | null;
  words: TracedWords;
  readonly installed: Installed[];
  mapped: { readonly address: number; readonly length: number } | null;
}

/** The name of an open of which only probes were seen, no system call. */
export const OPENING = 'opening';

const OPENS: ReadonlySet<string> = new Set(['open', 'openat', 'openat2', 'creat']);
const INSTALLING: ReadonlySet<string> = new Set([...OPENS, 'ioctl', 'dup', 'fcntl']);

const O_CLOEXEC = 0x80000;
const CLOSE_RANGE_CLOEXEC = 4;
const F_DUPFD = 0;
const F_SETFD = 2;
const F_DUPFD_CLOEXEC = 1030;
const FD_CLOEXEC = 1;
const FIONCLEX = 0x5450;
const FIOCLEX = 0x5451;
const CLONE_THREAD = 0x10000;
const CLONE_FILES = 0x400;

/** A call that has just begun. `text`: its arguments as printed. */
export function begun(name: string, text: string): FtraceCall {
  return {
    name,
    text,
    path: OPENS.has(name) ? shownPath(text) : null,
    cloexec: null,
    file: null,
    words: {},
    installed: [],
    mapped: null,
  };
}

/** Whether the return of a system call of this name may be the end of a call. */
export function endsAs(call: FtraceCall, name: string): boolean {
  return call.name === name || (call.name === OPENING && OPENS.has(name));
}

/** Whether a call may return a descriptor that is installed during it. */
export function isInstalling({ name }: FtraceCall): boolean {
  return INSTALLING.has(name);
}

export function isOpening({ name }: FtraceCall): boolean {
  return name === OPENING || OPENS.has(name);
}

/** The deeds of a call that has returned `value`. Throws `EvidenceError`. */
export function deedsOf(call: FtraceCall, value: number): readonly Deed[] {
  const deed = deedOf(call, value);
  if (deed === null) return installs(call);
  const out = deed.did === 'open' || deed.did === 'ioctl' || deed.did === 'dup';
  // Other descriptors than the one returned were received from a socket.
  return [...installs(call).filter(({ fd }) => !(out && fd === value)), deed];
}

/** The installed descriptors of a call that is not known to have ended. */
export function installs(call: FtraceCall): (Deed & { readonly did: 'install' })[] {
  if (call.name === OPENING) return [];
  return call.installed.map((installed) => ({ did: 'install', ...installed }));
}

function deedOf(call: FtraceCall, value: number): Deed | null {
  const { name, text } = call;
  const result = resultOf(value);
  const isDone = 'rc' in result;
  const word = (key: string) => argument(text, key) ?? '';
  const shown = (key: string) => shownIn(call, key);
  switch (name) {
    case 'ioctl':
      return ioctl(call, result);
    case 'close':
      return { did: 'close', on: shown('fd'), result };
    case 'close_range':
      if (!isDone || (wordIn(word('flags')) & CLOSE_RANGE_CLOEXEC) !== 0) return null;
      return {
        did: 'close-range',
        first: wordIn(word('fd')) >>> 0,
        last: wordIn(word('max_fd')) >>> 0,
      };
    case 'dup':
      return { did: 'dup', on: shown('fildes'), to: null, cloexec: false, result };
    case 'dup2':
    case 'dup3': {
      const [on, { fd: to }] = [shown('oldfd'), shown('newfd')];
      const cloexec = name === 'dup3' && hasFlag(word('flags'), O_CLOEXEC, 'O_CLOEXEC');
      return on.fd === to ? null : { did: 'dup', on, to, cloexec, result };
    }
    case 'fcntl':
      return fcntl(shown('fd'), wordIn(word('cmd')), wordIn(word('arg')), result);
    case 'mmap': {
      const on = shown('fd');
      const { address, length } = call.mapped ?? { address: value, length: wordIn(word('len')) };
      return on.fd < 0 ? null : { did: 'mmap', on, address: isDone ? address : 0, length, result };
    }
    case 'munmap':
      if (!isDone) return null;
      return { did: 'munmap', address: wordIn(word('addr')), length: wordIn(word('len')) };
    default:
      return isOpening(call) ? open(call, result) : null;
  }
}

/** The deed of an open; null if the path is unknown. */
function open(call: FtraceCall, result: Result): Deed | null {
  const { path, installed, file } = call;
  if (path === null) return null;
  const flags = argument(call.text, 'flags') ?? '';
  return {
    did: 'open',
    path,
    cloexec: call.cloexec ?? hasFlag(flags, O_CLOEXEC, 'O_CLOEXEC'),
    result,
    file: 'rc' in result ? (fileOf(installed, result.rc) ?? file) : null,
  };
}

function ioctl(call: FtraceCall, result: Result): Deed | null {
  const { text, installed } = call;
  const request = wordIn(argument(text, 'cmd') ?? '') >>> 0;
  const on = shownIn(call, 'fd');
  if (request === FIOCLEX || request === FIONCLEX) {
    return 'rc' in result ? { did: 'cloexec', on, cloexec: request === FIOCLEX } : null;
  }
  if (request >>> 8 !== REQUEST_TYPE) return null;
  const words = requestsByValue.has(request)
    ? { value: wordIn(argument(text, 'arg') ?? '') }
    : call.words;
  const file = 'rc' in result ? fileOf(installed, result.rc) : null;
  return { did: 'ioctl', on, requests: [request], words, result, file };
}

function fcntl(on: ShownFd, command: number, value: number, result: Result): Deed | null {
  if (command === F_DUPFD || command === F_DUPFD_CLOEXEC) {
    return { did: 'dup', on, to: null, cloexec: command === F_DUPFD_CLOEXEC, result };
  }
  if (command !== F_SETFD || 'errno' in result) return null;
  return { did: 'cloexec', on, cloexec: (value & FD_CLOEXEC) !== 0 };
}

function shownIn({ name, text }: FtraceCall, key: string): ShownFd {
  const word = wordIn(argument(text, key) ?? '');
  if (Number.isNaN(word)) throw new EvidenceError(`sys_${name} without a descriptor '${key}'`);
  return { fd: word | 0, path: null };
}

function fileOf(installed: readonly Installed[], fd: number): string | null {
  return installed.findLast((one) => one.fd === fd)?.file ?? null;
}

/** The path that newer kernels print after its address. */
function shownPath(text: string): string | null {
  const begin = text.indexOf(' "');
  const flags = text.lastIndexOf('", ');
  if (begin === -1 || flags < begin + 2) return null;
  return text.slice(begin + 2, flags);
}

/** Whether a child shares its parent's descriptors, by the flags of clone; null if not shown. */
export function sharesBy(call: FtraceCall | null): boolean | null {
  if (call?.name === 'fork' || call?.name === 'vfork') return false;
  if (call?.name !== 'clone') return null;
  return sharesIn(argument(call.text, 'clone_flags') ?? '');
}

/** Whether clone flags share the descriptor table; null if they are not a number or names. */
export function sharesIn(flags: string): boolean | null {
  if (flags.includes('CLONE_')) return /CLONE_(?:THREAD|FILES)\b/.test(flags);
  const word = wordIn(flags);
  return Number.isNaN(word) ? null : sharesWith(word);
}

export function sharesWith(flags: number): boolean {
  return (flags & (CLONE_THREAD | CLONE_FILES)) !== 0;
}
