import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { bootMicros } from '../../evidence/live.ts';
import { openLedger } from '../../ledger.ts';

/** Lines that arrive when they are pushed. */
class Pushed implements AsyncIterable<string> {
  readonly #lines: string[] = [];
  #isOver = false;
  #wake: () => void = () => {};

  push(...lines: readonly string[]): void {
    this.#lines.push(...lines);
    this.#wake();
  }

  end(): void {
    this.#isOver = true;
    this.#wake();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<string> {
    for (;;) {
      for (let line = this.#lines.shift(); line !== undefined; line = this.#lines.shift()) {
        yield line;
      }
      if (this.#isOver) return;
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }
}

const line = (seconds: number, ev: string, rest: string) =>
  `{"t":${seconds}000000000,"pid":7,"tid":7,"comm":"vmm","ev":"${ev}",${rest}}`;
const open = (seconds: number, fd: number) =>
  line(seconds, 'open', `"flags":2,"rc":${fd},"file":"0xf${fd}","path":"/dev/iommu"`);
const booted = '2026-01-01T00:00:00Z';

test('what arrives is in the log soon, though the stream goes on', async () => {
  const ledger = await openLedger(':memory:');
  const lines = new Pushed();
  const told: number[] = [];
  const progress = ({ appended }: { readonly appended: number }) => void told.push(appended);
  const followed = ledger.follow(lines, { format: 'bpftrace', booted, flushMs: 20, progress });
  lines.push(open(10, 3));
  for (let waited = 0; waited < 100 && ledger.length === 0; waited++) await sleep(20);
  const { length } = ledger;
  expect(ledger.events.at(-1)).toMatchObject({
    type: 'iommufd.opened',
    time: '2026-01-01T00:00:10.000000Z',
    data: { evidence: { source: 'bpftrace', line: 1 } },
  });
  lines.push(open(11, 4), 'no line of bpftrace', open(12, 5));
  lines.end();
  const report = await followed;
  // The line that cannot be read is a gap.
  expect(report).toMatchObject({ read: 4, appended: length + 3, skipped: 0, rejectedCount: 1 });
  expect(report.rejected).toMatchObject([{ file: 'bpftrace', line: 3 }]);
  expect(told).toEqual([length, length + 3]);
});

test('two recordings of the same lines are two', async () => {
  const ledger = await openLedger(':memory:');
  const settings = { format: 'bpftrace', booted };
  const record = async (...given: readonly string[]) => {
    const lines = new Pushed();
    lines.push(...given);
    lines.end();
    return ledger.follow(lines, settings);
  };
  const first = await record(open(10, 3));
  const second = await record(open(10, 3));
  expect([first.skipped, second.skipped, second.appended > 0]).toEqual([0, 0, true]);
  // The second knew that the number was in use.
  expect(ledger.events.map(({ type }) => type).slice(first.appended)).toEqual([
    'evidence.begun',
    'descriptor.closed',
    'iommufd.opened',
  ]);
});

test('a clock behind the log does not make it older than that', async () => {
  const ledger = await openLedger(':memory:');
  const follow = async (seconds: number) => {
    const lines = new Pushed();
    lines.push(open(seconds, 3), open(seconds + 1, 4));
    lines.end();
    await ledger.follow(lines, { format: 'bpftrace', booted });
  };
  await follow(100);
  await follow(99);
  await ledger.noticeGap('the end');
  const times = ledger.events.flatMap(({ time }) => time ?? []);
  expect(times).toEqual(times.toSorted());
  expect(ledger.events.at(-1)).toMatchObject({
    type: 'gap.noticed',
    data: { reason: 'the end', group: null },
  });
});

test('a log that fails ends it at once, though no line comes any more', async () => {
  const ledger = await openLedger(':memory:');
  const lines = new Pushed();
  ledger.append = async () => Promise.reject(new Error('no space left'));
  const followed = ledger.follow(lines, { format: 'bpftrace', booted, flushMs: 5 });
  lines.push(open(10, 3));
  await expect(followed).rejects.toThrow('no space left');
});

test('many lines at once are appended in between, and the clock of this host is known', async () => {
  const ledger = await openLedger(':memory:');
  const lines = new Pushed();
  const count = 6000;
  const uptime = Math.floor(Number(process.hrtime.bigint()) / 1e9);
  for (let fd = 3; fd < count + 3; fd++) lines.push(open(uptime, fd));
  lines.end();
  const appends: number[] = [];
  const { appended } = await ledger.follow(lines, {
    format: 'bpftrace',
    flushMs: 60_000,
    progress: (so) => void appends.push(so.appended),
  });
  expect(appended).toBeGreaterThan(count);
  expect(appends.length).toBeGreaterThan(1);
  const last = Date.parse(ledger.events.at(-1)?.time ?? '');
  expect(Math.abs(Date.now() - last)).toBeLessThan(60_000);
  expect(Math.abs(bootMicros() - bootMicros())).toBeLessThan(5000);
});

test('a format that nobody knows is refused', async () => {
  const ledger = await openLedger(':memory:');
  await expect(ledger.follow(new Pushed(), { format: 'dtrace' })).rejects.toThrow("no format 'dtr");
});
