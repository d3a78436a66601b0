/**
 * Asks the kernel with kcmp(2) whether two descriptors share one `struct file`. Node cannot make system
 * calls, so one run of Perl or Python compares all pairs.
 *
 * @module
 */
import { getSystemErrorName } from 'node:util';

/** A descriptor of a living process. */
export interface ProcessDescriptor {
  readonly pid: number;
  readonly fd: number;
}

/** `failed`: why there is no answer, an errno or a sentence. */
export type Comparison = 'same' | 'different' | { readonly failed: string };

/** Compares pairs of descriptors. The answers are in the order of the pairs. */
export type Compare = (
  pairs: readonly (readonly [ProcessDescriptor, ProcessDescriptor])[],
) => readonly Comparison[];

/** The number of the system call, by `process.arch`. */
const NUMBERS: Readonly<Partial<Record<NodeJS.Architecture, number>>> = {
  x64: 312,
  arm64: 272,
  riscv64: 272,
  loong64: 272,
  ppc64: 354,
  s390x: 343,
};

/* Both read lines `PID PID FD FD` and print the result of each, or the negative errno. */

const PERL = `
my $number = 0 + shift;
while (<STDIN>) {
  my ($one, $other, $fd, $other_fd) = map { 0 + $_ } split;
  my $result = syscall($number, $one, $other, 0, $fd, $other_fd);
  print $result < 0 ? -(0 + $!) : $result, "\\n";
}`;

const PYTHON = `
import ctypes, sys
libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long
number = int(sys.argv[1])
for line in sys.stdin:
    one, other, fd, other_fd = map(int, line.split())
    words = [ctypes.c_long(word) for word in (number, one, other, 0, fd, other_fd)]
    result = libc.syscall(*words)
    print(-ctypes.get_errno() if result < 0 else result)
`;

/** A command that calls kcmp(2); the number of the system call is appended. */
export type Interpreter = readonly [program: string, ...options: string[]];

export const interpreters: readonly Interpreter[] = [
  ['perl', '-e', PERL],
  ['python3', '-c', PYTHON],
  ['/usr/libexec/platform-python', '-c', PYTHON],
];

const MOST_OUTPUT = 2 ** 28;
const TIMEOUT_MS = 30_000;

/** Compares descriptors with kcmp(2) (kernel/kcmp.c). Never throws: failures are answers. */
export function kcmp(
  pairs: Parameters<Compare>[0],
  candidates: readonly Interpreter[] = interpreters,
): readonly Comparison[] {
  if (pairs.length === 0) return [];
  const none = (failed: string) => pairs.map((): Comparison => ({ failed }));
  const number = NUMBERS[process.arch];
  if (number === undefined) return none(`its number on ${process.arch} is not known`);
  const input = pairs.map(([a, b]) => `${a.pid} ${b.pid} ${a.fd} ${b.fd}\n`).join('');
  // It is loaded here because most runs compare nothing, and it takes 5 ms.
  const { spawnSync } = process.getBuiltinModule('node:child_process');
  let reason = 'there is neither Perl nor Python to call it';
  for (const [program, ...options] of candidates) {
    const { error, stdout, stderr } = spawnSync(program, [...options, String(number)], {
      input,
      encoding: 'utf8',
      maxBuffer: MOST_OUTPUT,
      timeout: TIMEOUT_MS,
    });
    const answers = error === undefined ? stdout.trimEnd().split('\n') : [];
    if (answers.length === pairs.length && answers.every((answer) => /^-?\d+$/.test(answer))) {
      return answers.map((answer) => comparison(Number(answer)));
    }
    if (isMissing(error)) continue;
    const said = (stderr || '').trim().split('\n').at(-1);
    reason = `${program}: ${said || (error?.message ?? 'it gave no answers')}`;
  }
  return none(reason);
}

function comparison(result: number): Comparison {
  if (result < 0) return { failed: getSystemErrorName(result) };
  return result === 0 ? 'same' : 'different';
}

function isMissing(error: Error | undefined): boolean {
  return error !== undefined && 'code' in error && error.code === 'ENOENT';
}
