/**
 * Finds errnos in messages: by name, by number, or in the words of strerror, in any of its languages.
 *
 * @module
 */
import { furtherStrerrors } from './strerror-further.ts';
import { strerrors } from './strerror.ts';

/** The number on Linux, the name, and the English words of glibc, musl and loggers. */
const known: readonly (readonly [number, string, ...string[]])[] = [
  [1, 'EPERM', 'operation not permitted'],
  [2, 'ENOENT', 'no such file or directory'],
  [4, 'EINTR', 'interrupted system call'],
  [5, 'EIO', 'input/output error', 'I/O error'],
  [6, 'ENXIO', 'no such device or address'],
  [9, 'EBADF', 'bad file descriptor'],
  [11, 'EAGAIN', 'resource temporarily unavailable'],
  [12, 'ENOMEM', 'cannot allocate memory', 'out of memory'],
  [13, 'EACCES', 'permission denied'],
  [14, 'EFAULT', 'bad address'],
  [16, 'EBUSY', 'device or resource busy', 'resource busy', 'device busy'],
  [17, 'EEXIST', 'file exists'],
  [19, 'ENODEV', 'no such device'],
  [22, 'EINVAL', 'invalid argument'],
  [23, 'ENFILE', 'too many open files in system'],
  [24, 'EMFILE', 'too many open files', 'no file descriptors available'],
  [25, 'ENOTTY', 'inappropriate ioctl for device', 'not a tty'],
  [28, 'ENOSPC', 'no space left on device'],
  [34, 'ERANGE', 'numerical result out of range'],
  [38, 'ENOSYS', 'function not implemented'],
  [77, 'EBADFD', 'file descriptor in bad state'],
  [95, 'EOPNOTSUPP', 'operation not supported'],
  [110, 'ETIMEDOUT', 'connection timed out'],
  [116, 'ESTALE', 'stale file handle'],
];

const byNumber = new Map(known.map(([number, name]) => [number, name]));

const english = known.flatMap(([, name, ...texts]) => texts.map((text) => [text, name] as const));
const spokenOf = [...Object.entries(strerrors), ...Object.entries(furtherStrerrors)];
const translated = spokenOf.flatMap(([name, spoken]) =>
  Object.values(spoken).flatMap((texts) => [texts].flat().map((text) => [text, name] as const)),
);
const byWords = new Map(
  [...english, ...translated].map(([text, name]) => [text.toLowerCase(), name]),
);

/** A pattern of any of the words. Longer words come before words that begin them. */
function anyOf(all: readonly (readonly [string, string])[]): string {
  const texts = all.map(([text]) => text).toSorted((a, b) => b.length - a.length);
  return texts.map((text) => text.replace(/[()/.]/g, String.raw`\$&`)).join('|');
}

/** A pattern of the names of errnos. */
export const ERRNO = known.map(([, name]) => name).join('|');
const numbers = [
  String.raw`errno\]?[ :=]{0,3}`,
  String.raw`os error `,
  String.raw`\bcode: `,
  String.raw`\bError\(`,
  String.raw`(?:=|\bret|\brc|\berror:?) ?=? ?-`,
  String.raw`: -(?!1\b)`,
  String.raw`\berror `,
].join('|');
const spelling = new RegExp(
  String.raw`\b(?<name>${ERRNO})\b|(?<words>\b(?:${anyOf(english)})\b|${anyOf(translated)})|` +
    String.raw`(?:${numbers})(?<number>\d{1,3})\b`,
  'i',
);

/** The name of an errno; null if it is not in the list above. */
export function errnoOf(number: number): string | null {
  return byNumber.get(number) ?? null;
}

/** The first errno in a text, and its index in the text. */
export function errnoIn(text: string): { readonly errno: string; readonly at: number } | null {
  const found = spelling.exec(text);
  if (found?.groups === undefined) return null;
  const { name, words: spoken, number } = found.groups;
  // A call that failed returns -1, which is no errno: it stands behind.
  if (number === '1' && found[0].endsWith('-1')) {
    const end = found.index + found[0].length;
    const behind = errnoIn(text.slice(end));
    if (behind !== null) return { ...behind, at: end + behind.at };
  }
  const errno =
    name?.toUpperCase() ?? byWords.get(spoken?.toLowerCase() ?? '') ?? errnoOf(Number(number));
  return errno === null ? null : { errno, at: found.index };
}
