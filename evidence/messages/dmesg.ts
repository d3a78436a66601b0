/**
 * The format `dmesg`: the kernel's log, from dmesg, a journal, or syslog.
 *
 * @module
 */
import type { Parser } from '../sighting.ts';
import { unwrapped } from '../wrappers/unwrap.ts';
import { kernelReader } from './kernel.ts';
import { logParser } from './log.ts';
import type { ToldAnywhere } from './told.ts';

export function dmesgParser(told?: ToldAnywhere): Parser {
  return logParser(told);
}

/** The name of the message in a record of several lines. */
const field = /^"?(?:MESSAGE|message|msg)"? ?[:=] ?"?/;

export function looksLikeDmesg(line: string): boolean {
  const { kernel, name, message } = unwrapped(line.slice(0, 4096));
  if (kernel) return true;
  try {
    const quoted = message.replace(field, '').replace(/",?$/, '');
    return kernelReader()(quoted, null, name !== null).length > 0;
  } catch {
    return true;
  }
}
