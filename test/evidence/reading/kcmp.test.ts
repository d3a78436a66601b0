import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { interpreters, kcmp, type Comparison } from '../../../evidence/reading/kcmp.ts';

let fds: readonly number[] = [];
let child: ChildProcess | undefined;

beforeAll(() => {
  fds = [openSync('/dev/null', 'r'), openSync('/dev/null', 'r')];
  // Its descriptors 3 and 4 are the first file, 5 is the second.
  child = spawn('sleep', ['60'], { stdio: ['ignore', 'ignore', 'ignore', fds[0], fds[0], fds[1]] });
});

afterAll(() => {
  child?.kill();
  fds.forEach((fd) => closeSync(fd));
});

/** Why an answer tells nothing of the kernel: it may not be asked here. */
const obstacle = (answer: Comparison | undefined): string | null =>
  typeof answer === 'object' && !['EBADF', 'ESRCH'].includes(answer.failed)
    ? `kcmp: ${answer.failed}`
    : null;

const isHere = (program: string) => spawnSync(program, ['--version']).error === undefined;

test.for(['perl', 'python'])('%s tells a file held twice from two', (language, { skip }) => {
  const found = interpreters.find(([name]) => name.includes(language) && isHere(name));
  if (found === undefined) return skip(`no ${language} here`);
  const [program, ...rest] = found;
  const there = (fd: number) => ({ pid: child?.pid ?? 0, fd });
  const ours = (index: number) => ({ pid: process.pid, fd: fds[index] ?? -1 });
  const answers = kcmp(
    [
      [there(3), there(4)],
      [there(3), ours(0)],
      [there(3), there(5)],
      [ours(0), ours(1)],
      [ours(1), there(5)],
      [there(3), there(99)],
      [there(3), { pid: 2 ** 22 + 1, fd: 3 }],
    ],
    [[program, ...rest]],
  );
  const reason = obstacle(answers[0]);
  if (reason !== null) return skip(reason);
  expect(answers).toEqual([
    'same',
    'same',
    'different',
    'different',
    'same',
    { failed: 'EBADF' },
    { failed: 'ESRCH' },
  ]);
});

test('of nothing it starts nothing', () => {
  expect(kcmp([], [['false']])).toEqual([]);
});

test('an interpreter that is missing or breaks leaves the rest to the next', ({ skip }) => {
  const self = { pid: process.pid, fd: fds[0] ?? -1 };
  const answers = kcmp([[self, self]], [['/nowhere/perl'], ['false'], ...interpreters]);
  const reason = obstacle(answers[0]);
  if (reason !== null) return skip(reason);
  expect(answers).toEqual(['same']);
});

test('without one it says why there is no answer', () => {
  const pair = [
    { pid: 1, fd: 0 },
    { pid: 1, fd: 1 },
  ] as const;
  const failed = 'there is neither Perl nor Python to call it';
  expect(kcmp([pair, pair], [['/nowhere/perl']])).toEqual([{ failed }, { failed }]);
  expect(kcmp([pair], [['sh', '-c', 'echo no such call >&2']])).toEqual([
    { failed: 'sh: no such call' },
  ]);
});
