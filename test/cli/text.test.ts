import { expect, test } from 'vitest';
import { zstdCompressSync } from 'node:zlib';
import { failureOf } from '../../cli/failure.ts';
import { paintFor } from '../../cli/paint.ts';
import { progressOn } from '../../cli/progress.ts';
import { unzstd } from '../../cli/zstd.ts';

test('colour is for terminals that want it', () => {
  for (const env of [{ NO_COLOR: '1' }, { TERM: 'dumb' }]) {
    expect(paintFor({ isTTY: true }, env)('no', 'refusal')).toBe('no');
  }
  expect(paintFor({ isTTY: false }, {})('no', 'refusal')).toBe('no');
  expect(paintFor({ isTTY: true }, { NO_COLOR: '' })('no', 'refusal')).not.toBe('no');
});

test('an error of no known kind is called a bug, with its stack', () => {
  const { code, message, stack } = failureOf(new TypeError('x is\nundefined'));
  expect(code).toBe(4);
  expect(message).toBe('this is a bug in vfio-ledger: TypeError: x is\nundefined');
  expect(stack?.[0]).toMatch(/^ +at .+text\.test\.ts/);
});

test('progress is for terminals, and for what takes long', () => {
  let [seconds, said] = [0.9, ''];
  const write = (text: string | Uint8Array) => (said += String(text)) !== '';
  const told = (isTTY: boolean) => {
    said = '';
    const progress = progressOn({ isTTY, write }, () => seconds);
    progress.tell('1 line read');
    progress.clear();
    return said;
  };
  expect(told(true)).toBe('');
  seconds = 1.1;
  expect(told(true)).toBe('\r1 line read\r           \r');
  expect(told(false)).toBe('');
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
