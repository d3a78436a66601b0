import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { chooseCommandTracer, chooseHostTracer } from '../../recorder/choose-tracer.ts';
import { temporaryFolder } from '../log/folder.ts';

const folder = temporaryFolder();

/** An environment in whose `PATH` there are these programs, and a file that cannot be run. */
function withPrograms(...names: string[]) {
  const bin = join(folder, names.join('-') || 'none');
  mkdirSync(bin, { recursive: true });
  for (const name of names) writeFileSync(join(bin, name), '', { mode: 0o755 });
  const plain = join(folder, 'plain');
  mkdirSync(plain, { recursive: true });
  for (const name of ['strace', 'bpftrace']) writeFileSync(join(plain, name), '', { mode: 0o644 });
  return { bin, env: { PATH: `${plain}:${bin}` } };
}

function asUser(uid: number): void {
  vi.spyOn(process, 'getuid').mockReturnValue(uid);
}

test('a command is traced by strace, if not by bpftrace with every fork, for root alone', () => {
  asUser(0);
  const both = withPrograms('strace', 'bpftrace');
  const choose = (env: { readonly PATH: string }, name?: 'strace' | 'bpftrace') =>
    chooseCommandTracer({ name, line: undefined, env });
  expect(choose(both.env)).toEqual({ format: 'strace', command: [join(both.bin, 'strace')] });
  const second = withPrograms('bpftrace');
  const tracers = [choose(both.env, 'bpftrace'), choose(second.env)];
  for (const [index, { bin }] of [both, second].entries()) {
    expect(tracers[index]).toMatchObject({ format: 'bpftrace', showsProbes: true });
    const [program, ...args] = tracers[index]?.command ?? [];
    expect([program, ...args.slice(0, -1)]).toEqual([join(bin, 'bpftrace'), '-f', 'json', '-e']);
    expect(args.at(-1)).toContain('tracepoint:task:task_newtask');
  }
  expect(() => choose(second.env, 'strace')).toThrow('strace is not installed');
  expect(() => choose(withPrograms('strace').env, 'bpftrace')).toThrow('bpftrace is not installed');
  asUser(1000);
  expect(() => choose(second.env)).toThrow('needs root');
});

test('a host is traced by bpftrace, if not by ftrace, for root alone', () => {
  asUser(0);
  const { bin, env } = withPrograms('bpftrace');
  const none = withPrograms().env;
  const choose = (path: { readonly PATH: string }, name?: 'bpftrace' | 'ftrace') =>
    chooseHostTracer({ name, line: undefined, env: path });
  const [program, , , script = ''] = choose(env).command;
  expect(program).toBe(join(bin, 'bpftrace'));
  expect(readFileSync(script, 'utf8')).toMatch(/^#!.*bpftrace/);
  for (const ftrace of [choose(none), choose(env, 'ftrace')]) {
    const [sh, path = ''] = ftrace.command;
    expect([ftrace.format, sh]).toEqual(['ftrace', 'sh']);
    expect(readFileSync(path, 'utf8')).toContain('tracefs');
  }
  expect(() => choose(none, 'bpftrace')).toThrow(
    'bpftrace is not installed; ftrace needs only the kernel',
  );
  asUser(1000);
  expect(() => choose(env)).toThrow('needs root');
});

test('a line of its own takes the place of any, and is not asked whether it has attached', () => {
  asUser(1000);
  const { env } = withPrograms();
  const line = 'my-tracer --fast';
  expect(chooseHostTracer({ name: 'ftrace', line, env })).toEqual({
    name: 'the tracer',
    format: 'ftrace',
    command: ['sh', '-c', line],
    showsProbes: false,
  });
  expect(chooseCommandTracer({ name: 'bpftrace', line, env })).toEqual(
    chooseHostTracer({ name: undefined, line, env }),
  );
  expect(chooseCommandTracer({ name: undefined, line, env })).toEqual({
    format: 'strace',
    command: ['sh', '-c', `exec ${line} "$@"`, 'sh'],
  });
});
