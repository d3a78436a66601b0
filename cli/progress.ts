/**
 * Progress of what takes more than a second, on one line of a terminal.
 *
 * @module
 */

const PATIENCE_MS = 1000;
const INTERVAL_MS = 200;

export interface Progress {
  readonly tell: (text: string) => void;
  /** Takes the line away again. */
  readonly clear: () => void;
}

/** Says nothing where standard error is no terminal. */
export function progressOn(stderr: NodeJS.WriteStream): Progress {
  let last = PATIENCE_MS - INTERVAL_MS;
  let length = 0;
  return {
    tell(text) {
      if (!stderr.isTTY) return;
      const now = process.uptime() * 1000;
      if (now - last < INTERVAL_MS) return;
      last = now;
      stderr.write(`\r${text.padEnd(length)}`);
      length = text.length;
    },
    clear() {
      if (length > 0) stderr.write(`\r${' '.repeat(length)}\r`);
      length = 0;
    },
  };
}
