/**
 * A command in a terminal of its own: `script` (util-linux) makes the pseudo-terminal.
 *
 * @module
 */
import { spawn } from 'node:child_process';
import { root } from '../cli/program.ts';

export interface Shown {
  /** All bytes that the terminal got. */
  readonly bytes: Buffer;
  readonly code: number | null;
}

/** Runs a command to its end. Its standard input is the terminal, on which nobody types. */
export async function shownBy(
  command: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Shown> {
  const line = command.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(' ');
  const { VFIO_LEDGER_LOG: _, NO_COLOR: __, ...inherited } = process.env;
  const child = spawn('script', ['-qec', line, '/dev/null'], {
    cwd: root,
    env: { ...inherited, TERM: 'xterm-256color', ...env },
  });
  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => chunks.push(chunk));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject).on('close', resolve);
  });
  child.stdin.destroy();
  return { bytes: Buffer.concat(chunks), code };
}
