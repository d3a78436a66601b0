/**
 * Shows progress on one line of a terminal, for work that takes more than a second.
 *
 * @module
 */
import { printable } from '../words/printable.ts';

const PATIENCE_MS = 1000;
const INTERVAL_MS = 200;

export interface Progress {
  readonly tell: (text: string) => void;
  /** Clears the line. */
  readonly clear: () => void;
}

/**
 * Progress on standard error; prints nothing if that is not a terminal. `uptime` returns the seconds
 * since the program was started.
 */
export function progressOn(
  stderr: Pick<NodeJS.WriteStream, 'isTTY' | 'write'>,
  uptime = () => process.uptime(),
): Progress {
  let last = PATIENCE_MS - INTERVAL_MS;
  let length = 0;
  return {
    tell(text) {
      if (!stderr.isTTY) return;
      const now = uptime() * 1000;
      if (now - last < INTERVAL_MS) return;
      last = now;
      const shown = printable(text);
      stderr.write(`\r${shown.padEnd(length)}`);
      length = shown.length;
    },
    clear() {
      if (length > 0) stderr.write(`\r${' '.repeat(length)}\r`);
      length = 0;
    },
  };
}
