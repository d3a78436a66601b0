/**
 * Notices that nobody reads standard output any more, also while nothing is written to it.
 *
 * Node cannot ask the kernel for that: it meets a closed pipe with the next write. `tail` of the GNU
 * coreutils polls the pipe that it was given, and dies of SIGPIPE. Where it is not installed, or standard
 * output is no pipe, the next write tells.
 *
 * @module
 */
import { spawn } from 'node:child_process';
import { fstatSync } from 'node:fs';

const STDOUT = 1;

/** Calls `gone` once if standard output is a pipe and its reader closes it. Returns what ends the watch. */
export function watchReader(gone: () => void): () => void {
  if (!fstatSync(STDOUT).isFIFO()) return () => {};
  const watcher = spawn('tail', ['-f', `--pid=${process.pid}`, '/dev/null'], {
    stdio: ['ignore', 'inherit', 'ignore'],
  });
  watcher.unref();
  watcher.on('error', () => {});
  watcher.on('exit', (_, signal) => {
    if (signal === 'SIGPIPE') gone();
  });
  return () => watcher.kill();
}
