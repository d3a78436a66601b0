import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, test, vi } from 'vitest';
import { openLedger, readEvidence } from '../../ledger.ts';
import { root, run } from '../cli/program.ts';
import { temporaryFolder } from '../log/folder.ts';
import { inCampaigns } from '../support/effort.ts';

const folder = temporaryFolder();
const logAt = (name: string) => join(folder, `${name}.ledger`);

/** A line of strace, so many seconds after 05:06:07 on 4 March 2026. */
const at = (seconds: number, pid: number, call: string) =>
  `${pid} ${(1_772_600_767 + seconds).toFixed(6)} ${call}`;
const text = (...lines: readonly string[]) => lines.join('\n');
const opened = (group: number, fd: number) =>
  `openat(AT_FDCWD</>, "/dev/vfio/${group}", O_RDWR) = ${fd}</dev/vfio/${group}>`;
const closed = (group: number, fd: number) => `close(${fd}</dev/vfio/${group}>) = 0`;
const some = text(at(1, 900, opened(33, 10)), at(2, 900, closed(33, 10)));

describe.concurrent('the program', () => {
  test('reads a trace from files, from standard input, and compressed', async () => {
    const report = { read: 2, appended: 6, rejected: [] };
    for (const [index, input] of [some, gzipSync(some), zstdCompressSync(some)].entries()) {
      const file = join(folder, `trace-${index}`);
      writeFileSync(file, input);
      for (const [given, surroundings] of [
        [file, {}],
        ['-', { input }],
      ] as const) {
        const log = logAt(`read-${index}-${given.length}`);
        const { code, out } = await run(['import', '--json', '--log', log, given], surroundings);
        expect({ code, report: JSON.parse(out) as object }).toMatchObject({ code: 0, report });
      }
    }
  });

  test('shows lines that it could not read; with --strict they end it, and no log is made', async () => {
    const input = `${some}\noops\n`;
    const told = await run(['import', '--log', logAt('told'), '-'], { input });
    expect(told).toEqual({
      code: 0,
      out:
        `read 3 lines: 6 events appended to ${logAt('told')}, 0 were there already\n` +
        '1 line passed over\nstdin:3: not a line of strace: "oops"\n',
      err: '',
    });
    const log = logAt('strict');
    const strict = await run(['import', '--strict', '--log', log, '-'], { input });
    expect(strict).toMatchObject({ code: 2, out: '' });
    expect(strict.err).toContain('stdin:3: not a line of strace: "oops"');
    expect(existsSync(log)).toBe(false);
  });

  test('says which kernel the rules of another release judge', async () => {
    const booted = (kernel: string) =>
      `[    0.000000] Linux version ${kernel} (b@h) #1 SMP\n` +
      '[    1.500000] pci 0000:41:00.0: Adding to iommu group 33\n';
    const importing = async (kernel: string, ...args: readonly string[]) => {
      const input = booted(kernel);
      const log = logAt(`kernel-${kernel}-${args.length}`);
      const { code, out, err } = await run(['import', '--json', '--log', log, ...args, '-'], {
        input,
      });
      const { judgedAs } = JSON.parse(out) as { judgedAs: unknown };
      return { code, judgedAs, err };
    };
    const rhel = '5.14.0-427.13.1.el9_4.x86_64';
    for (const kernel of ['6.8.0-45-generic', rhel]) {
      const { code, judgedAs, err } = await importing(kernel);
      expect({ code, judgedAs }).toEqual({
        code: 0,
        judgedAs: [{ kernel, profile: 'linux-6.12' }],
      });
      expect(err).toBe(
        `kernel ${kernel} is judged by the rules of linux-6.12, the nearest that there are; ` +
          '--profile names others\n',
      );
    }
    const known = { code: 0, judgedAs: [], err: '' };
    expect(await importing('6.12.57+deb13-amd64')).toEqual(known);
    expect(await importing('6.8.0-45-generic', '--profile', 'linux-6.1')).toEqual(known);
  });

  test('a log is no evidence: what export prints of it is', async () => {
    const [log, other] = [logAt('is-a-log'), logAt('of-a-log')];
    await run(['import', '--log', log, `${root}examples/second-test.strace`]);
    const { code, err } = await run(['import', '--log', other, log]);
    expect(code).toBe(2);
    expect(err).toContain('it is an SQLite file; of a log, import what export prints');
    expect(existsSync(other)).toBe(false);
  });

  test('with a format, only that reader reads; what says nothing to it makes no log', async () => {
    const input = 'vmm: Cannot open /dev/vfio/57: Device or resource busy\n';
    for (const format of [
      'strace',
      'bpftrace',
      'ftrace',
      'qemu-trace',
      'dmesg',
      'libvirt-audit',
      'fdinfo',
    ]) {
      const log = logAt(`format-${format}`);
      const { code, out, err } = await run(['import', '--format', format, '--log', log, '-'], {
        input,
      });
      expect({ format, code, out }).toEqual({ format, code: 2, out: '' });
      expect(err).toContain('no line says anything of VFIO');
      expect(existsSync(log)).toBe(false);
    }
    const read = await run(['import', '--json', '--format', 'text', '--log', logAt('text'), '-'], {
      input,
    });
    expect(JSON.parse(read.out)).toMatchObject({ seen: { refusal: 1 } });
  });

  test('says in one line what it saw in a paste', async () => {
    const input = [
      '$ ./vmm',
      'vmm: Cannot open /dev/vfio/57: Device or resource busy',
      '$ lsof /dev/vfio/57',
      'COMMAND  PID USER   FD   TYPE DEVICE SIZE/OFF NODE NAME',
      'l2fwd   2718 root   46u   CHR 10,196      0t0  512 /dev/vfio/vfio',
      'l2fwd   2718 root   47u   CHR  243,0      0t0  812 /dev/vfio/57',
      '[   12.345678] pci 0000:c4:00.0: Adding to iommu group 57',
    ].join('\n');
    const { code, out } = await run(['import', '--log', logAt('paste'), '-'], { input });
    expect({ code, said: out.split('\n')[1] }).toEqual({
      code: 0,
      said: '1 refusal, 2 holders (lsof), 1 kernel message; 3 lines passed over',
    });
    const json = await run(['import', '--json', '--log', logAt('paste-2'), '-'], { input });
    expect(JSON.parse(json.out)).toMatchObject({
      passedOver: 3,
      seen: { refusal: 1, lsof: 2, kernel: 1 },
    });
  });

  test('of what says nothing of VFIO makes no log', async () => {
    const log = logAt('nothing');
    const input = 'My GPU is broken.\n';
    const { code, err } = await run(['import', '--log', log, '-'], { input });
    expect(code).toBe(2);
    expect(err).toContain('no line says anything of VFIO');
    expect(existsSync(log)).toBe(false);
  });

  test('keeps hosts apart in one log', async () => {
    const log = logAt('hosts');
    const other = at(0, 77, opened(44, 5));
    await run(['import', '--log', log, '--host', 'a', '-'], { input: some });
    // What is older than the events of one host is not older than those of another.
    const { code } = await run(['import', '--log', log, '--host', 'b', '-'], { input: other });
    expect(code).toBe(0);
    const groups = async (host: string) => {
      const { out } = await run(['table', '--json', '--log', log, '--host', host]);
      return (JSON.parse(out) as { groups: { group: string }[] }).groups.map(({ group }) => group);
    };
    expect([await groups('a'), await groups('b')]).toEqual([['33'], ['44']]);
    const unnamed = await run(['import', '--log', log, '-'], { input: some });
    expect(unnamed).toMatchObject({ code: 2, err: expect.stringContaining('name one: a, b') });
    const again = await run(['import', '--json', '--log', log, '--host', 'a', '-'], {
      input: some,
    });
    // But for the boot, which the log does not have to be told again.
    expect(JSON.parse(again.out)).toMatchObject({ appended: 0, skipped: 5 });
  });

  test('puts times on a clock', async () => {
    const line = `900 23:59:59.5 ${opened(33, 10)}\n`;
    const log = logAt('clocks');
    const clock = ['--day', '2026-03-04', '--zone', '+01:00'];
    await run(['import', ...clock, '--log', log, '-'], { input: line });
    const { out } = await run(['log', '--json', '--log', log]);
    const times = (JSON.parse(out) as { time: string | null }[]).map(({ time }) => time);
    expect(times.at(-1)).toBe('2026-03-04T22:59:59.500000Z');
    const odd = await run(['import', '--zone', 'CET', '--log', log, '-'], { input: line });
    expect(odd).toMatchObject({ code: 2, err: expect.stringContaining('--zone') });
  });
});

describe.each(inCampaigns)('much of it, %s', () => {
  const noise = Array.from({ length: 9000 }, (_, index) =>
    at(index / 1e4, 900 + (index % 4), 'ioctl(25<anon_inode:kvm-vcpu:0>, KVM_RUN, 0) = 0'),
  );
  const piece = `${text(...noise, at(1, 900, opened(33, 10)), at(1, 900, closed(33, 10)))}\n`;
  const count = Math.ceil(300e6 / piece.length);

  test.each(inCampaigns)(
    '300 MB go through without staying, %s',
    async () => {
      setFlagsFromString('--expose-gc');
      const collectGarbage = runInNewContext('gc') as () => void;
      const heap: number[] = [];
      async function* chunks() {
        for (let done = 0; done < count; done++) {
          if (done % (count >> 2) === 0) {
            collectGarbage();
            heap.push(process.memoryUsage().heapUsed);
          }
          yield piece;
        }
      }
      const { read, events } = await readEvidence([{ name: 'big', chunks: chunks() }]);
      await events.discard();
      expect(read).toBe(count * 9002);
      expect(events.length).toBeGreaterThan(2 * count);
      const [begin = 0, , , end = 0] = heap;
      expect((end - begin) / 2 ** 20).toBeLessThan(16);
    },
    60_000,
  );

  test.each(inCampaigns)(
    'more events than fit wait in a file that goes with them, %s',
    async () => {
      const place = temporaryFolder();
      vi.stubEnv('TMPDIR', place);
      const pairs = Array.from({ length: 33_000 }, (_, index) =>
        text(at(index, 900, opened(33, 10)), at(index, 900, closed(33, 10))),
      );
      const ledger = await openLedger(':memory:');
      const waiting = await readEvidence([
        { name: 'text', chunks: pairs.map((pair) => `${pair}\n`) },
      ]);
      expect(readdirSync(place)).toHaveLength(1);
      expect(await ledger.record(waiting)).toMatchObject({ appended: 66_004, skipped: 0 });
      expect(readdirSync(place)).toEqual([]);
      expect(await ledger.import(pairs.join('\n'))).toMatchObject({ appended: 0 });
      const broken = ledger.import(`${pairs.join('\n')}\noops`, { strict: true });
      await expect(broken).rejects.toThrow('text:66001: ');
      expect(readdirSync(place)).toEqual([]);
      expect(ledger.length).toBe(66_004);
      vi.unstubAllEnvs();
    },
    60_000,
  );
});
