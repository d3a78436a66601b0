/**
 * The format `dmesg`: the kernel's log, from dmesg, a journal, or syslog.
 *
 * @module
 */
import type { Zero } from '../instants.ts';
import type { Parser } from '../sighting.ts';
import { unwrapped } from '../wrappers/unwrap.ts';
import { kernelReader } from './kernel.ts';
import { logParser } from './log.ts';

export function dmesgParser(zero?: Zero): Parser {
  return logParser('kernel', looksLikeDmesg, zero);
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
