import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { countOf, someOf } from '../support/effort.ts';

const program = fileURLToPath(new URL('../../conformance/main.ts', import.meta.url));
const empty = mkdtempSync(join(tmpdir(), 'vfio-ledger-conformance-'));
afterAll(() => rmSync(empty, { recursive: true }));

/** Runs it where nothing is installed. */
function run(...args: string[]) {
  const { NODE_COMPILE_CACHE } = process.env;
  const env = { PATH: empty, VFIO_LEDGER_CONFORMANCE_CACHE: empty, NODE_COMPILE_CACHE };
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

test('a kernel of which a file is gone is missing, with what it takes to get it', () => {
  const folder = join(empty, 'kernels', 'linux-6.1');
  const said = () => run('--profile', 'linux-6.1').err;
  const missing =
    /missing: the kernel of linux-6.1\n +conformance\/kernels\/prepare.sh linux-6.1\n/;
  mkdirSync(join(folder, 'modules'), { recursive: true });
  writeFileSync(join(folder, 'vmlinuz'), '');
  expect(said()).toMatch(missing);
  expect(said()).toMatch(/ # .*make, binutils and xz-utils.*root:\n +# .*add-suites.sh\n/);
  writeFileSync(join(folder, 'modules.list'), 'vfio.ko\n');
  expect(said()).toMatch(missing);
  writeFileSync(join(folder, 'modules', 'vfio.ko'), '');
  expect(said()).not.toContain('the kernel of');
});

test('what the recorder needs in a guest is said as well', () => {
  const { code, out, err } = run('--recorder', 'linux-7.3');
  expect(code).toBe(4);
  expect(out).toBe('');
  expect(err).toContain('missing: the kernel of linux-7.3\n');
  expect(err).not.toContain('linux-6.1\n');
  expect(err).toContain('missing: a static busybox\n  conformance/recorder/busybox.sh\n');
});

const unwritable = [
  ['nowhere/x.jsonl', 'no such file or directory'],
  ['folder', 'illegal operation on a directory'],
] as const;

test.each(someOf(unwritable, 2))(
  'a recording that cannot be written to %s is no run',
  (path, reason) => {
    mkdirSync(join(empty, 'folder'), { recursive: true });
    const { code, err } = run('--profile', 'linux-6.1', '--record', join(empty, path));
    expect(err).toContain(`--record ${join(empty, path)}: `);
    expect(err).toContain(reason);
    expect(err).not.toContain('missing:');
    expect(code).toBe(4);
  },
);

test('an earlier recording stays where there is no run', () => {
  const folder = join(empty, 'earlier');
  mkdirSync(folder);
  writeFileSync(join(folder, 'x.jsonl'), 'earlier');
  const { err } = run('--profile', 'linux-6.1', '--record', join(folder, 'x.jsonl'));
  expect(err).toContain('missing:');
  expect(readFileSync(join(folder, 'x.jsonl'), 'utf8')).toBe('earlier');
  run('--profile', 'linux-6.1', '--record', join(folder, 'y.jsonl'));
  expect(readdirSync(folder)).toEqual(['x.jsonl']);
});

const unreadable = [
  ['{"topology":{}}\n{"seq":"s","p":"P1","op":', ':2: not JSON'],
  ['# nothing\nseq s\n', ': no operation in it'],
] as const;

test.each(someOf(unreadable, 2))('the scenario %j is a bad request', (text, reason) => {
  const path = join(empty, 'asked');
  writeFileSync(path, text);
  const { code, err } = run('--profile', 'linux-6.1', '--scenario', path);
  expect(err).toContain(`${path}${reason}`);
  expect(code).toBe(2);
});

const bad: readonly (readonly [args: readonly string[], reason: string])[] = [
  [[], '--profile is missing'],
  [['--profile', 'linux-9'], "no profile 'linux-9'; known are linux-5.10"],
  [['--profile', 'rfc-2021'], 'rfc-2021 is no kernel'],
  [['--profile', 'linux-6.1', '--operations', 'many'], "--operations takes a number, not 'many'"],
  [['--profile', 'linux-6.1', '--host', 'mine'], "no host 'mine'"],
  [['--profile', 'linux-6.1', '--scenario', 'nowhere'], 'nowhere'],
  [['--profile', 'linux-6.1', '--record', ''], '--record takes a file'],
  [['--repeat', 'linux-9'], "no profile 'linux-9'"],
  [['--unheard-of'], 'unheard-of'],
];

test.each(bad.slice(0, countOf('bad requests', { test: 1, soak: bad.length })))(
  '%j is a bad request',
  (args, reason) => {
    const { code, err } = run(...args);
    expect(err).toContain(reason);
    expect(code).toBe(2);
  },
);

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
    '--long-lived',
    '--repeat',
  ]) {
    expect(out).toContain(option);
  }
});
