/**
 * `npm run goldens:prove [FAULT…]`: that the goldens are a net. Each fault of `faults/` is put into a
 * copy of the project, one after the other, and has to be told with log, verb and position.
 *
 * A fault is a patch whose first line says in which verbs it has to show.
 *
 * @module
 */
import { execFile, execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';

const root = join(import.meta.dirname, '../..');
const folder = join(import.meta.dirname, 'faults');
/** Sets that are read fast, and have all that a fault can be in. */
const SETS = ['corpus', 'unseen-hosts', 'evidence'];

interface Proof {
  readonly fault: string;
  /** The line of the difference that shows it; null where none does. */
  readonly shownBy: string | null;
  readonly said: string;
}

const isSource = (path: string) =>
  !/^(?:\.git|node_modules|dist|\.cache|found)$|\.ledger\.index$/.test(basename(path));

/** The names of the faults. */
export const faults = readdirSync(folder).map((name) => basename(name, '.patch'));

if (import.meta.main) await main(process.argv.slice(2));

async function main(asked: readonly string[]): Promise<void> {
  const unknown = asked.filter((name) => !faults.includes(name));
  if (unknown.length > 0) {
    throw new Error(`no fault ${unknown.join(', ')}; there is ${faults.join(', ')}`);
  }
  const some = asked.length > 0 ? asked : faults;
  let found = 0;
  for (const fault of some) {
    const { shownBy, said } = await prove(fault);
    if (shownBy !== null) found++;
    process.stdout.write(`${fault}: ${shownBy ?? `NOT FOUND\n${said}`}\n`);
  }
  process.stdout.write(`${found} of ${some.length} faults are found\n`);
  if (found < some.length) process.exitCode = 1;
}

/** The file of a fault. */
export function patchOf(fault: string): string {
  return join(folder, `${fault}.patch`);
}

/** Puts a fault into a copy of the project, and compares there. */
export async function prove(fault: string): Promise<Proof> {
  const patch = patchOf(fault);
  const [, verbs = ''] = /^shows in: (.+)$/m.exec(readFileSync(patch, 'utf8')) ?? [];
  const copy = mkdtempSync(join(tmpdir(), 'vfio-ledger-fault-'));
  try {
    copyProject(copy);
    execFileSync('git', ['apply', patch], { cwd: copy, stdio: 'pipe' });
    const args = ['test/goldens/main.ts', '--first', ...SETS];
    const stdout = await printed(args, copy);
    const shownBy = stdout.split('\n').find((line) => {
      const [, verb = ''] = /^\S+: (\S+).*: position \d+: /.exec(line) ?? [];
      return verbs.split(', ').includes(verb);
    });
    return { fault, shownBy: shownBy ?? null, said: stdout };
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

/** What the comparison prints; it ends with 1 where answers differ. */
function printed(args: readonly string[], cwd: string): Promise<string> {
  return new Promise((resolve) => {
    execFile(process.execPath, args, { cwd, encoding: 'utf8' }, (_, stdout, stderr) => {
      resolve(stdout === '' ? stderr : stdout);
    });
  });
}

function copyProject(copy: string): void {
  cpSync(root, copy, { recursive: true, filter: isSource, verbatimSymlinks: true });
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
}
