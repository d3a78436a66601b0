import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';

const program = fileURLToPath(new URL('../../conformance/main.ts', import.meta.url));
const empty = mkdtempSync(join(tmpdir(), 'vfio-ledger-conformance-'));
afterAll(() => rmSync(empty, { recursive: true }));

/** Runs it where nothing is installed. */
function run(...args: string[]) {
  const env = { PATH: empty, VFIO_LEDGER_CONFORMANCE_CACHE: empty };
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...args], {
    env,
    encoding: 'utf8',
  });
  return { code: status, out: stdout, err: stderr };
}

test('what is missing is said, with the command that gets it', () => {
  const { code, out, err } = run('--profile', 'linux-6.12');
  expect(code).toBe(4);
  expect(out).toBe('');
  expect(err).toMatch(/missing: qemu-system-x86_64\n +apt-get install .*qemu-system-x86/);
  expect(err).toMatch(/missing: gcc with a static C library\n +apt-get install .*gcc/);
  expect(err).toMatch(
    /missing: the kernel of linux-6.12\n +conformance\/kernels\/prepare.sh linux-6.12/,
  );
});

test.each([
  [[], '--profile is missing'],
  [['--profile', 'linux-9'], "no profile 'linux-9'; known are linux-6.1"],
  [['--profile', 'rfc-2021'], 'rfc-2021 is no kernel'],
  [['--profile', 'linux-6.1', '--operations', 'many'], "--operations takes a number, not 'many'"],
  [['--profile', 'linux-6.1', '--host', 'mine'], "no host 'mine'"],
  [['--profile', 'linux-6.1', '--scenario', 'nowhere'], 'nowhere'],
  [['--unheard-of'], 'unheard-of'],
])('%j is a bad request', (args, reason) => {
  const { code, err } = run(...args);
  expect(err).toContain(reason);
  expect(code).toBe(2);
});

test('--help says what there is', () => {
  const { code, out } = run('--help');
  expect(code).toBe(0);
  for (const option of [
    '--profile',
    '--operations',
    '--seed',
    '--scenario',
    '--record',
    '--report',
  ]) {
    expect(out).toContain(option);
  }
});
