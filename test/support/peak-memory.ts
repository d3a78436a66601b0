/**
 * The program as a child process that says how much memory it has used.
 *
 * @module
 */
import { spawn } from 'node:child_process';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { inject } from 'vitest';
import { root, type Ended } from '../cli/program.ts';

export interface Measured extends Ended {
  /** The most resident memory at any time, in MB. */
  readonly peak: number;
}

/** The peak of a process itself: `getrusage` would count that of its parent before the exec, too. */
const tell = `
import { readFileSync } from 'node:fs';
process.on('exit', () => {
  const status = readFileSync('/proc/self/status', 'latin1');
  process.stderr.write('\\npeak ' + /VmHWM:\\s*(\\d+) kB/.exec(status)[1]);
});`;

/** Runs `vfio-ledger` with chunks as its standard input, which it may leave unread. */
export async function peakOf(
  args: readonly string[],
  chunks: Iterable<Uint8Array | string> = [],
): Promise<Measured> {
  const measured = [
    '--import',
    `data:text/javascript,${encodeURIComponent(tell)}`,
    inject('program'),
    ...args,
  ];
  const child = spawn(process.execPath, measured, { cwd: root });
  let [out, err] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text));
  const fed = pipeline(Readable.from(chunks, { objectMode: true }), child.stdin).catch(() => {});
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject).on('close', resolve);
  });
  await fed;
  const [said = '', kilobytes] = err.split('\npeak ');
  return { code, out, err: said, peak: (Number(kilobytes) * 1024) / 1e6 };
}
