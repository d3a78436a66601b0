/**
 * Reads numbers, flags and strings as the kernel's tracing prints them.
 *
 * @module
 */
import type { Result } from '../sighting.ts';
import { errnoName } from '../strace/errno.ts';

const LONGEST_COMM = 15;

/** Numbers of up to this many hexadecimal digits are exact. */
const MOST_EXACT = 13;

const hexadecimal = /^(?:0x)?([\da-f]{1,16})(?![\da-z])/i;

/**
 * An argument of a system call as a signed 64-bit number. It is hexadecimal, with or without `0x`. NaN
 * if it is not a number.
 */
export function wordIn(text: string): number {
  const digits = hexadecimal.exec(text)?.[1];
  if (digits === undefined) return Number.NaN;
  if (digits.length <= MOST_EXACT) return Number.parseInt(digits, 16);
  return Number(BigInt.asIntN(64, BigInt(`0x${digits}`)));
}

/** A field of a probe: hexadecimal if it begins with `0x`, else decimal. NaN for `(fault)`. */
export function numberIn(text: string): number {
  if (text.startsWith('0x')) return wordIn(text);
  return /^-?\d{1,20}$/.test(text) ? Number(text) : Number.NaN;
}

/** Whether a flag is set, in flags shown as a number or by names. */
export function hasFlag(text: string, bit: number, name: string): boolean {
  return text.includes(name) || (wordIn(text) & bit) !== 0;
}

const LAST_ERRNO = 4095;
const ENOIOCTLCMD = 515;
const ENOTTY = 25;

/** The result of a call, by its return value. */
export function resultOf(value: number): Result {
  if (value >= 0 || value < -LAST_ERRNO) return { rc: value };
  return { errno: errnoName(value === -ENOIOCTLCMD ? ENOTTY : -value) };
}

/** The value of an argument in `fd: 4, cmd: 3b76`; null if it is missing. */
export function argument(text: string, name: string): string | null {
  const key = `${name}: `;
  // Searched from the end: an earlier path may contain anything.
  const at = text.startsWith(key) ? 0 : text.lastIndexOf(`, ${key}`) + 2;
  if (at === 1) return null;
  const from = at + key.length;
  const comma = text.indexOf(',', from);
  return comma === -1 ? text.slice(from) : text.slice(from, comma);
}

/** The value of a field in `fd=3 file=0xff11`; null if it is missing. It has no blanks. */
export function field(text: string, name: string): string | null {
  const key = `${name}=`;
  const at = text.startsWith(key) ? 0 : text.indexOf(` ${key}`) + 1;
  if (at === 0 && !text.startsWith(key)) return null;
  const from = at + key.length;
  const blank = text.indexOf(' ', from);
  return blank === -1 ? text.slice(from) : text.slice(from, blank);
}

/** The value of a quoted field, which comes last and may contain anything. */
export function quotedField(text: string, name: string): string | null {
  const key = ` ${name}="`;
  const at = text.indexOf(key);
  const end = text.lastIndexOf('"');
  return at === -1 || end < at + key.length ? null : text.slice(at + key.length, end);
}

/** The `comm` of a process after it has executed a program. */
export function commOf(program: string): string {
  return program.slice(program.lastIndexOf('/') + 1).slice(0, LONGEST_COMM);
}

/** The device whose driver a write to this path unbinds; null if the path does not name it. */
export function deviceUnboundBy(path: string): string | null {
  if (!path.startsWith('/sys/')) return null;
  return /\/([^/]+)\/(?:driver\/unbind|remove)$/.exec(path)?.[1] ?? null;
}

const DEVICE =
  /^(?:[\da-f]{4,8}:[\da-f]{2}:[\da-f]{2}\.[0-7]|[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12})$/;

/** The device in a text written to a driver's file: a PCI or mediated device; null for other buses. */
export function deviceNamed(written: string): string | null {
  const name = written.trim().toLowerCase();
  return DEVICE.test(name) ? name : null;
}
