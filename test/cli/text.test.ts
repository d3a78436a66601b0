import { expect, test } from 'vitest';
import { zstdCompressSync } from 'node:zlib';
import { columns } from '../../words/columns.ts';
import { failureOf } from '../../cli/failure.ts';
import { holdersWords } from '../../words/owners.ts';
import { paintFor } from '../../cli/paint.ts';
import { printable, word } from '../../words/printable.ts';
import { progressOn } from '../../cli/progress.ts';
import { unzstd } from '../../cli/zstd.ts';

test('columns are as wide as what stands in them, colour aside, and lines end where they end', () => {
  const rows = [
    ['1', { text: 'unknown', tone: 'unknown' }, 'x'],
    ['1234', 'a', ''],
  ] as const;
  const bright = paintFor({ isTTY: true }, {});
  expect(columns(rows, paintFor({}, {}), ['N', 'OWNER'])).toEqual([
    'N     OWNER',
    '1     unknown  x',
    '1234  a',
  ]);
  expect(columns(rows, bright)[0]).toBe('1     \u001b[33munknown\u001b[39m  x');
});

test('colour is for terminals that want it', () => {
  for (const env of [{ NO_COLOR: '1' }, { TERM: 'dumb' }]) {
    expect(paintFor({ isTTY: true }, env)('no', 'refusal')).toBe('no');
  }
  expect(paintFor({ isTTY: false }, {})('no', 'refusal')).toBe('no');
  expect(paintFor({ isTTY: true }, { NO_COLOR: '' })('no', 'refusal')).not.toBe('no');
});

test('what others have named cannot steer the terminal, nor look like something else', () => {
  expect(printable('a\u001b[31mb\u009b\u202ec\n')).toBe('a\\u{1b}[31mb\\u{9b}\\u{202e}c\\u{a}');
  expect(['plain/été', 'two words', 'null', 'a=b', '', null, 7].map(word)).toEqual([
    'plain/été',
    '"two words"',
    '"null"',
    '"a=b"',
    '""',
    'null',
    '7',
  ]);
});

test('holders are listed by process', () => {
  const holder = { cgroup: null, file: 'f1' };
  const held = [
    { ...holder, pid: 7, comm: 'qemu', via: 'fd', fd: 3 },
    { ...holder, pid: 7, comm: 'qemu', via: 'fd', fd: 5 },
    { ...holder, pid: 7, comm: 'qemu', via: 'mapping', fd: null },
    { ...holder, pid: 8, comm: 'pid 8', via: 'fd', fd: 3 },
    { ...holder, pid: null, comm: null, via: 'kernel', fd: null },
  ] as const;
  expect(holdersWords(held)).toBe('qemu[7] fd 3, 5, mapping; pid 8 fd 3; file f1');
  expect(holdersWords([])).toBe('-');
});

test('an error of no known kind is called a bug, with its stack', () => {
  const { code, message } = failureOf(new TypeError('x is undefined'));
  expect(code).toBe(4);
  expect(message).toMatch(/^this is a bug in vfio-ledger: TypeError: x is undefined\n +at /);
});

test('progress is for terminals, and for what takes long', () => {
  const said: string[] = [];
  const stderr = { isTTY: true, write: (text: string) => said.push(text) };
  const progress = progressOn(stderr as unknown as NodeJS.WriteStream);
  progress.tell('1 line read');
  progress.clear();
  expect(said).toEqual([]);
});

test('zstd frames that begin and end anywhere are all read', async () => {
  const texts = ['first', '', 'x'.repeat(300_000), 'last'];
  const whole = Buffer.concat(texts.map((text) => zstdCompressSync(text)));
  for (const size of [1, 7, whole.length]) {
    const pieces = function* () {
      for (let at = 0; at < whole.length; at += size) yield whole.subarray(at, at + size);
    };
    expect(await textOf(unzstd(asyncOf(pieces())))).toBe(texts.join(''));
  }
  const cut = asyncOf([whole.subarray(0, -3)]);
  await expect(textOf(unzstd(cut))).rejects.toThrow('unexpected end of file');
});

async function textOf(chunks: AsyncIterable<Uint8Array>): Promise<string> {
  const read: Uint8Array[] = [];
  for await (const chunk of chunks) read.push(chunk);
  return Buffer.concat(read).toString();
}

async function* asyncOf<T>(items: Iterable<T>): AsyncGenerator<T> {
  yield* items;
}
