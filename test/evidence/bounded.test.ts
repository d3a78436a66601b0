/** However much evidence there is, and however it is packed, the memory that reading it takes is bounded. */
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { afterAll, describe, expect, test } from 'vitest';
import { hostTopology } from '../cli/program.ts';
import { temporaryFolder } from '../log/folder.ts';
import { countOf, inCampaigns, isCampaign } from '../support/effort.ts';
import { peakOf, type Measured } from '../support/peak-memory.ts';

/** In MB. */
const MOST = 300;
const MB = countOf('megabytes of evidence', { test: 512, soak: 512, full: 4096 });

const folder = temporaryFolder();
const log = join(folder, 'log.ledger');
const peaks: string[] = [];
afterAll(() => {
  if (isCampaign) process.stdout.write(`peaks in MB: ${peaks.join(', ')}\n`);
});

/** Imports what is more than fits into the memory that it may take. */
async function imported(
  args: readonly string[],
  chunks?: Iterable<Uint8Array | string>,
): Promise<Measured> {
  const given = args.includes('--log') ? args : ['--log', log, ...args];
  const measured = await peakOf(['import', ...given], chunks);
  peaks.push(`${Math.round(measured.peak)} of ${expect.getState().currentTestName}`);
  expect(measured.peak, measured.err).toBeLessThan(MOST);
  return measured;
}

function file(name: string, content: Uint8Array): string {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
}

const million = Buffer.alloc(1e6);
/** Zeros, compressed a thousand times: so many frames, or members, of 64 MB. */
const packed = (pack: (bytes: Uint8Array) => Uint8Array) => {
  const piece = pack(Buffer.alloc(64e6));
  return Buffer.concat(Array.from({ length: Math.ceil(MB / 64) }, () => piece));
};
const zstd = () => file('zeros.zst', packed(zstdCompressSync));
function* times(count: number, chunk: (index: number) => Uint8Array | string) {
  for (let index = 0; index < count; index++) yield chunk(index);
}
const TOO_LONG = ':1: the line is longer than 1 MiB; no other line says anything of VFIO';

/** Lines of almost 1 MiB. */
const long = (count: number, line: (index: number, pad: string) => string) => {
  const pad = 'x'.repeat(1e6);
  return times(count, (index) => `${line(index, pad)}\n`);
};
const at = (seconds: number) => (1_772_600_767 + seconds).toFixed(6);

describe('at most 300 MB are taken by', () => {
  test('zeros in zstd', async () => {
    const zeros = zstd();
    const { code, err } = await imported([zeros]);
    expect({ code, err }).toEqual({ code: 2, err: `vfio-ledger: ${zeros}${TOO_LONG}\n` });
    expect(existsSync(log)).toBe(false);
  });
});

describe.each(inCampaigns)('at most 300 MB are taken by, %s', () => {
  test('zeros in gzip', async () => {
    const { code, err } = await imported([file('zeros.gz', packed(gzipSync))]);
    expect({ code, err }).toMatchObject({ code: 2, err: expect.stringContaining(TOO_LONG) });
  });

  test('one line', async () => {
    const { code, err } = await imported(
      ['-'],
      times(MB, () => million),
    );
    expect({ code, err }).toMatchObject({ code: 2, err: expect.stringContaining(TOO_LONG) });
    const strict = await imported(
      ['--strict', '--format', 'strace', '-'],
      times(MB, () => million),
    );
    expect(strict).toMatchObject({ code: 2, err: expect.stringMatching(/stdin:1: .* 1 MiB\n$/) });
  });

  test('several files at once, and standard input', async () => {
    const files = [zstd(), file('zeros.gz', packed(gzipSync)), zstd(), zstd()];
    const { code, err } = await imported(
      [...files, '-'],
      times(MB, () => million),
    );
    expect({ code, err }).toMatchObject({ code: 2, err: expect.stringContaining(TOO_LONG) });
  });

  test('a topology, and a scenario', async () => {
    const zeros = zstd();
    const topology = await imported(['--topology', zeros, '-']);
    expect(topology).toMatchObject({ code: 2, err: expect.stringContaining('longer than 16 MiB') });
    const scenario = await peakOf(['simulate', '--topology', hostTopology, zeros]);
    expect(scenario).toMatchObject({ code: 2, err: expect.stringContaining('longer than 16 MiB') });
    expect(scenario.peak).toBeLessThan(MOST);
  });

  test('long lines of which each says something', async () => {
    const opened = (index: number, pad: string) =>
      `900 ${at(index)} openat(AT_FDCWD</${pad}>, "/dev/vfio/devices/vfio1234", O_RDWR) = -1 EBUSY (Device or resource busy)`;
    const own = join(folder, 'own.ledger');
    const { code, out } = await imported(['--log', own, '-'], long(MB, opened));
    expect({ code, out }).toEqual({
      code: 0,
      out: expect.stringContaining(`read ${MB} lines: ${MB + 4} events`),
    });
  });

  test('long lines before the first one that is recognized', async () => {
    const { code, err } = await imported(
      ['-'],
      long(MB, (index, pad) => `${index} ${pad}`),
    );
    expect({ code, err }).toMatchObject({ code: 2, err: expect.stringContaining('no line says') });
  });

  test('long lines that are rejected', async () => {
    const first = `900 ${at(1)} close(3</dev/vfio/33>) = 0`;
    const lines = long(MB, (index, pad) => (index === 0 ? first : `?${index} ${pad}`));
    const { code, out } = await imported(['--json', '--log', join(folder, 'r.ledger'), '-'], lines);
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ read: MB, unknown: 0, passedOver: MB - 1 });
  });

  test('very many lines that are rejected', async () => {
    const first = `900 ${at(1)} close(3</dev/vfio/33>) = 0\n`;
    const reason = `oops ${'x'.repeat(300)}\n`;
    const block = reason.repeat(3000);
    // More than are listed: each costs an error.
    const lines = times(50, (index) => (index === 0 ? first : block));
    const { code, out } = await imported(['--json', '--log', join(folder, 'm.ledger'), '-'], lines);
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ rejectedCount: 3000 * 49 });
  });

  test('long calls that do not end', async () => {
    const begun = (index: number, pad: string) =>
      `${900 + index} ${at(index)} execve("/bin/${pad}", ["x"], NULL <unfinished ...>`;
    const { code } = await imported(['-'], long(MB, begun));
    expect(code).toBe(2);
  });

  test('records of long lines', async () => {
    const entry = (index: number, pad: string) =>
      index % 1000 === 0
        ? 'Wed 2026-03-04 12:00:00.123456 UTC [s=0f3c;i=2a;b=9d;m=1;t=2;x=3]'
        : `    MESSAGE${index}=${pad}`;
    const { code } = await imported(['-'], long(MB, entry));
    expect(code).toBe(2);
  });

  test('an export of long lines, which breaks off', async () => {
    const event = (index: number, pad: string) => {
      const data = { pid: 7, comm: pad, cgroup: null };
      const time = '2026-03-04T12:00:00.000000Z';
      return JSON.stringify({
        position: index,
        id: `e${index}`,
        time,
        schema: 1,
        type: 'process.found',
        data,
      });
    };
    const { code, err } = await imported(['-'], long(MB, event));
    expect({ code, err }).toMatchObject({ code: 2, err: expect.stringContaining('it breaks off') });
  });

  test('a listing without an end', async () => {
    const row = 'l2fwd   2718 root   47u   CHR  243,0      0t0  812 /dev/vfio/57\n';
    const { code, err } = await imported(
      ['-'],
      times(MB, () => row.repeat(16_000)),
    );
    expect({ code, err }).toMatchObject({ code: 2, err: expect.stringContaining('of listings') });
  });
});
