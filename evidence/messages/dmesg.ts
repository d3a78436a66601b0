/**
 * The format `dmesg`: the kernel's log, from dmesg, a journal, or syslog.
 *
 * @module
 */
import type { Parser } from '../sighting.ts';
import { kernelReader } from './kernel.ts';
import { logParser } from './log.ts';
import { stamped } from './stamps.ts';

export function dmesgParser(): Parser {
  return logParser();
}

export function looksLikeDmesg(line: string): boolean {
  const { kernel, ident, message } = stamped(line.slice(0, 4096));
  if (kernel || ident !== null) return kernel;
  try {
    return kernelReader()(message, null).length > 0;
  } catch {
    return true;
  }
}
