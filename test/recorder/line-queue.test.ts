import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { LONGEST_LINE } from '../../evidence/source.ts';
import { openLedger } from '../../ledger.ts';
import { LineQueue } from '../../recorder/line-queue.ts';

const opened = (second: number, fd: number) =>
  `{"t":${second}000000000,"pid":7,"tid":7,"comm":"vmm","ev":"open","flags":2,"rc":${fd},` +
  `"file":"0xf${fd}","path":"/dev/iommu"}\n`;
const booted = '2026-01-01T00:00:00Z';

test('a line of many megabytes is cut, and the next one is whole', async () => {
  const stream = new PassThrough();
  const queue = new LineQueue(stream);
  for (let count = 0; count < 100; count++) stream.write('x'.repeat(100_000));
  stream.write('\r\nnext\n\nlast');
  stream.end();
  const lines: string[] = [];
  for await (const line of queue) lines.push(line);
  expect(lines.slice(1)).toEqual(['next', '', 'last']);
  expect(lines[0]?.length).toBeGreaterThan(LONGEST_LINE);
  expect(lines[0]?.length).toBeLessThan(2 * LONGEST_LINE);
});

test('the stream waits while much text waits', async () => {
  const stream = new PassThrough({ highWaterMark: 1 });
  const queue = new LineQueue(stream);
  const line = `${'x'.repeat(1_000_000)}\n`;
  let written = 0;
  for (let turn = 0; turn < 50; turn++) {
    for (; written < 1000 && !stream.writableNeedDrain; written++) stream.write(line);
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(stream.isPaused()).toBe(true);
  expect(written).toBeLessThan(100);
  stream.end();
  let read = 0;
  for await (const text of queue) read += text.length;
  expect(read).toBe(written * 1_000_000);
});

test('a recording rejects such a line, and goes on', async () => {
  const stream = new PassThrough();
  const ledger = await openLedger(':memory:');
  const followed = ledger.follow(new LineQueue(stream), { format: 'bpftrace', booted });
  stream.write(opened(10, 3));
  stream.write(`{"t":11000000000,"pid":7,${'x'.repeat(2 * LONGEST_LINE)}\n`);
  stream.end(opened(12, 4));
  const { read, rejected } = await followed;
  expect({ read, rejected }).toEqual({
    read: 3,
    rejected: [{ file: 'bpftrace', line: 2, reason: 'the line is longer than 1 MiB' }],
  });
  expect(ledger.events.at(-1)?.data).toMatchObject({ fd: 4 });
});
