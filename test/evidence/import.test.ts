import { describe, expect, test } from 'vitest';
import type { Source } from '../../evidence/source.ts';
import { openLedger, type ImportSettings, type Ledger } from '../../ledger.ts';

/** A line of strace, so many seconds after 05:06:07 on 4 March 2026. */
const at = (seconds: number, pid: number, call: string) =>
  `${pid} ${(1_772_600_767 + seconds).toFixed(6)} ${call}`;
const text = (...lines: readonly string[]) => lines.join('\n');
const opened = (group: number, fd: number) =>
  `openat(AT_FDCWD</>, "/dev/vfio/${group}", O_RDWR) = ${fd}</dev/vfio/${group}>`;
const closed = (group: number, fd: number) => `close(${fd}</dev/vfio/${group}>) = 0`;
const refused = (group: number) =>
  `openat(AT_FDCWD</>, "/dev/vfio/${group}", O_RDWR) = -1 EBUSY (Device or resource busy)`;

async function imported(evidence: string, settings: ImportSettings = {}): Promise<Ledger> {
  const ledger = await openLedger(':memory:');
  await ledger.import(evidence, settings);
  return ledger;
}

const times = (ledger: Ledger) => [...new Set(ledger.events.map(({ time }) => time))];
const typesOf = (ledger: Ledger, from = 0) =>
  ledger.events.slice(from).map(({ type, data }) => ('pid' in data ? `${type} ${data.pid}` : type));
const begunOf = (ledger: Ledger) =>
  [...ledger.each('evidence.begun')].flatMap(({ type, data }) =>
    type === 'evidence.begun' ? [data] : [],
  );

describe('lines that cannot be read', () => {
  const evidence = text(
    'Script started on Wednesday',
    at(1, 900, opened(33, 10)),
    'core dumped',
    at(2, 900, 'close(10</dev/vfio/33'),
    at(3, 900, closed(33, 10)),
  );

  test('are counted and listed, and the rest is taken', async () => {
    const ledger = await openLedger(':memory:');
    expect(await ledger.import(evidence)).toEqual({
      read: 5,
      appended: 6,
      skipped: 0,
      unknown: 1,
      passedOver: 2,
      seen: {},
      rejected: [
        { file: 'text', line: 1, reason: expect.stringContaining('not a line of strace') },
        { file: 'text', line: 3, reason: expect.stringContaining('core dumped') },
        { file: 'text', line: 4, reason: expect.stringContaining('breaks off') },
      ],
      rejectedCount: 3,
      judgedAs: [],
    });
  });

  test('end the import where it is strict, and nothing is appended', async () => {
    const ledger = await openLedger(':memory:');
    const strict = ledger.import(evidence, { strict: true });
    await expect(strict).rejects.toThrow(/^text:1: not a line of strace/);
    expect(ledger.events).toEqual([]);
    await ledger.import(text(at(1, 900, opened(33, 10)), at(2, 900, closed(33, 10))), {
      strict: true,
    });
    expect(ledger.length).toBe(6);
  });

  test('of a megabyte are passed over, and a little less is read', async () => {
    const write = (length: number) => at(1, 900, `write(1, "${'x'.repeat(length)}", 9) = 9`);
    const ledger = await openLedger(':memory:');
    const report = await ledger.import(
      text(
        at(1, 900, opened(33, 10)),
        write(1 << 20),
        write(1_000_000),
        at(3, 900, closed(33, 10)),
      ),
    );
    expect(report).toMatchObject({
      appended: 6,
      rejected: [{ line: 2, reason: 'the line is longer than 1 MiB' }],
    });
  });
});

describe('several sources', () => {
  const sources = (...texts: readonly string[]): Source[] =>
    texts.map((chunk, index) => ({ name: `s${index}`, chunks: [chunk] }));

  test('are merged by time; what has none at all comes first', async () => {
    const ledger = await openLedger(':memory:');
    await ledger.importSources(
      sources(
        text(at(1, 900, opened(33, 10)), at(3, 900, closed(33, 10))),
        text(at(2, 901, refused(33)), at(4, 901, opened(33, 10))),
        `902 ${opened(34, 10)}`,
      ),
    );
    const seen = typesOf(ledger).filter((type) => /^(group\.o|desc|oper)/.test(type));
    expect(seen).toEqual([
      'group.opened 902',
      'group.opened 900',
      'operation.refused 901',
      'descriptor.closed 900',
      'group.opened 901',
    ]);
    expect(begunOf(ledger).map(({ source, clock }) => [source, clock])).toEqual([
      ['s2', 'none'],
      ['s0', 'wall'],
      ['s1', 'wall'],
    ]);
    // The host is taken for granted once.
    expect([...ledger.each('host.booted')]).toHaveLength(1);
    expect(ledger.verify().faults).toEqual([]);
  });

  test('of which one cannot be read leave nothing', async () => {
    const ledger = await openLedger(':memory:');
    const both = ledger.importSources(
      sources(at(1, 900, opened(33, 10)), '{"topology":{"devices":[]}}'),
    );
    await expect(both).rejects.toThrow(/^s1:1: /);
    expect(ledger.events).toEqual([]);
  });

  test('of which one says nothing are read; if none says anything, nothing is', async () => {
    const ledger = await openLedger(':memory:');
    const both = ledger.importSources(sources(at(1, 900, opened(33, 10)), 'hello\n\nworld'));
    expect(await both).toMatchObject({ read: 4, passedOver: 3 });
    const none = openLedger(':memory:').then((other) => other.importSources(sources('a', 'b')));
    await expect(none).rejects.toThrow(/^s0, s1: no line says anything of VFIO/);
  });

  test('that are older than the log are refused', async () => {
    const ledger = await imported(at(9, 900, opened(33, 10)));
    const older = ledger.import(at(1, 901, opened(34, 10)));
    await expect(older).rejects.toThrow('import both into a new log');
  });
});

describe('clocks', () => {
  const alone = (data: object, certainty: string) => ({
    ...data,
    after: null,
    evidence: expect.objectContaining({ certainty }),
  });

  test.each([
    [{}, null, 'observed', [null]],
    [
      { booted: '2026-03-04T00:00:00+01:00' },
      '2026-03-03T23:00:00.000000Z',
      'observed',
      [null, '2026-03-03T23:00:03.500000Z'],
    ],
  ])('of the uptime, with %o', async (settings, zero, certainty, expected) => {
    const line =
      '[    3.500000] vfio-pci 0000:41:00.0: vfio-noiommu device opened by user (dpdk:77)';
    const ledger = await imported(line, settings);
    expect(begunOf(ledger)).toMatchObject([alone({ clock: 'uptime', zero }, certainty)]);
    expect(times(ledger)).toEqual(expected);
  });

  test.each([
    [{}, null, 'observed', [null]],
    [
      { day: '2026-03-04' },
      '2026-03-04T00:00:00.000000Z',
      'assumed',
      [null, '2026-03-04T23:59:59.000100Z', '2026-03-05T00:00:01.000000Z'],
    ],
    [
      { day: '2026-03-04', zone: '+01:00' },
      '2026-03-03T23:00:00.000000Z',
      'observed',
      [null, '2026-03-04T22:59:59.000100Z', '2026-03-04T23:00:01.000000Z'],
    ],
  ])('of the day, past midnight, with %o', async (settings, zero, certainty, expected) => {
    const lines = [`900 23:59:59.000100 ${opened(33, 10)}`, `900 00:00:01 ${closed(33, 10)}`];
    const ledger = await imported(text(...lines), settings);
    expect(begunOf(ledger)).toMatchObject([alone({ clock: 'day', zero }, certainty)]);
    expect(times(ledger)).toEqual(expected);
  });

  test.each([
    [{}, 'assumed', '2026-03-04T05:06:07.000000Z'],
    [{ zone: '-05:30' }, 'observed', '2026-03-04T10:36:07.000000Z'],
  ])('of a wall somewhere, with %o', async (settings, certainty, time) => {
    const line =
      '[Wed Mar  4 05:06:07 2026] vfio-pci 0000:41:00.0: vfio-noiommu device opened by user (dpdk:77)';
    const ledger = await imported(line, settings);
    expect(begunOf(ledger)).toMatchObject([alone({ clock: 'local' }, certainty)]);
    expect(times(ledger)).toEqual([null, time]);
  });

  test('that go back keep the order of the lines, and it is said', async () => {
    const ledger = await imported(
      text(at(9, 900, opened(33, 10)), at(1, 900, opened(34, 11)), at(20, 900, closed(33, 10))),
    );
    const [late, after] = ['2026-03-04T05:06:16.000000Z', '2026-03-04T05:06:27.000000Z'];
    expect(times(ledger)).toEqual([null, late, after]);
    const [, second] = [...ledger.each('group.opened')];
    expect(second).toMatchObject({ time: late, data: { evidence: { rule: 'clock-went-back' } } });
  });

  test('from a boot before now', async () => {
    const line = '[   60.000000] vfio-pci 0000:c4:00.0: Relaying device request to user (#0)';
    const clock = () => new Date('2026-03-04T12:00:00Z');
    const ledger = await openLedger(':memory:', { clock });
    await ledger.import(line, { booted: '-1h' });
    expect(ledger.log().at(-1)?.time).toBe('2026-03-04T11:01:00.000000Z');
  });

  test.each([
    [{ zone: 'CET' }, /^--zone takes an offset such as/],
    [{ booted: 'yesterday' }, /^--booted: 'yesterday' is not an ISO 8601 instant/],
    [{ booted: '5' }, /^--booted: '5' is not an ISO 8601 instant/],
    [{ booted: '2026-02-30' }, /^--booted: '2026-02-30' is not an ISO 8601 instant/],
    [{ day: '2026-13-01' }, /^--day: /],
    [{ day: '2026-02-30' }, /^--day: '2026-02-30' is not/],
    [{ day: 'monday' }, /^--day takes YYYY-MM-DD, not 'monday'/],
    [{ zone: '+99:00' }, /^--zone takes an offset/],
  ])('%o is nothing to set one by', async (settings, reason) => {
    await expect(imported(at(1, 900, opened(33, 10)), settings)).rejects.toThrow(reason);
  });
});

describe('evidence of a host that the log knows', () => {
  const first = at(1, 900, opened(33, 10));
  const later = text(
    at(2, 900, 'ioctl(10</dev/vfio/33>, VFIO_GROUP_GET_STATUS, 0x7ffd) = 0'),
    at(3, 901, refused(33)),
    at(4, 900, closed(33, 10)),
    at(5, 901, opened(33, 10)),
  );

  test('goes on from there: what is in use is what was opened', async () => {
    const ledger = await imported(first);
    const { length } = ledger;
    await ledger.import(later);
    expect(begunOf(ledger)).toMatchObject([{ after: null }, { after: length - 1 }]);
    expect(typesOf(ledger, length)).toEqual([
      'evidence.begun',
      'process.found 901',
      'operation.refused 901',
      'descriptor.closed 900',
      'group.opened 901',
    ]);
    expect(ledger.who('g33').holders).toMatchObject([{ pid: 901, fd: 10 }]);
    expect(ledger.verify().faults).toEqual([]);
  });

  test('adds nothing a second time, whatever else has come meanwhile', async () => {
    const ledger = await imported(first);
    await ledger.import(later);
    await ledger.import(at(9, 902, opened(34, 10)));
    const { head } = ledger;
    for (const again of [first, later]) {
      expect(await ledger.import(again)).toMatchObject({ appended: 0 });
    }
    expect(ledger.head).toEqual(head);
  });
});

describe('what was not seen', () => {
  test('a descriptor from nowhere is what its path says, and was open', async () => {
    const call = 'ioctl(10</dev/vfio/33>, VFIO_GROUP_GET_STATUS, 0x7ffd) = 0';
    const ledger = await imported(at(1, 900, call));
    const [found] = [...ledger.each('group.opened')];
    expect(found?.data).toMatchObject({ pid: 900, evidence: { rule: 'found-open' } });
    expect(ledger.at('end').group('33').owner).toMatchObject({ kind: 'unknown' });
    expect(ledger.who('g33').holders).toMatchObject([{ pid: 900, fd: 10 }]);
  });

  test('without a path nobody can say: of a use nothing, of an owner that all may be its', async () => {
    const ledger = await openLedger(':memory:');
    const use = at(1, 900, 'ioctl(10, VFIO_GROUP_GET_STATUS, 0x7ffd) = 0');
    expect(await ledger.import(use)).toMatchObject({ appended: 0, unknown: 0 });
    const set = at(2, 900, 'ioctl(10, VFIO_GROUP_SET_CONTAINER, 0x7ffd) = 0');
    expect(await ledger.import(text(at(2, 900, opened(33, 9)), set))).toMatchObject({ unknown: 1 });
    expect([...ledger.each('gap.noticed')]).toMatchObject([{ data: { group: null } }]);
  });

  test('a close without an open closes what was open', async () => {
    const ledger = await imported(at(1, 900, closed(33, 10)));
    expect(typesOf(ledger, 2)).toEqual([
      'group.found',
      'gap.noticed',
      'process.found 900',
      'group.opened 900',
      'descriptor.closed 900',
    ]);
    expect(ledger.who('g33').holders).toEqual([]);
  });

  test('a number that is given out anew is of another process, and the first had ended', async () => {
    const clone =
      'clone(child_stack=NULL, flags=CLONE_CHILD_SETTID|SIGCHLD, child_tidptr=0x1) = 900';
    const ledger = await imported(
      text(
        at(0, 800, 'execve("/usr/bin/vmm", ["vmm"], 0x7ffd /* 5 vars */) = 0'),
        at(1, 800, clone),
        at(2, 900, opened(33, 10)),
        at(3, 800, clone),
        at(4, 900, opened(33, 10)),
      ),
    );
    const [ended] = [...ledger.each('process.exited')];
    expect(ended?.data).toMatchObject({ pid: 900, evidence: { rule: 'pid-used-again' } });
    expect(ledger.who('g33').holders).toHaveLength(1);
    expect(ledger.verify().faults).toEqual([]);
  });

  test('after lost events nobody owns for sure, until somebody is seen to', async () => {
    const event = (second: number, words: string) =>
      `          P1-110     [000] .....     ${second}.000001: ${words}`;
    const open = (path: string, fd: number) => [
      event(fd, 'sys_openat(dfd: ffffff9c, filename: 49b0bd, flags: 2, mode: 0)'),
      event(fd, `open_path: (do_sys_openat2+0x0/0x170) path="${path}"`),
      event(fd, `fd_install: (fd_install+0x4/0x80) fd=${fd} file=0xff1${fd}`),
      event(fd, `sys_openat -> 0x${fd}`),
    ];
    const set = (fd: number) => [
      event(9, `sys_ioctl(fd: ${fd}, cmd: 3b68, arg: 7ffe7b76d510)`),
      event(
        9,
        `group_ioctl: (vfio_group_fops_unl_ioctl+0x4/0x7c0 [vfio]) file=0xff1${fd} cmd=0x3b68 word=3 name=""`,
      ),
      event(9, 'sys_ioctl -> 0x0'),
    ];
    const ledger = await imported(
      text(
        ...open('/dev/vfio/vfio', 3).concat(open('/dev/vfio/33', 4), set(4)),
        'CPU:0 [LOST 12 EVENTS]',
        ...open('/dev/vfio/34', 5).concat(set(5)),
      ),
    );
    const [gap] = [...ledger.each('gap.noticed')];
    expect(gap?.data).toMatchObject({ group: null, reason: '12 events of the trace were lost' });
    const owner = (when: number | 'end', group: string) => ledger.at(when).group(group).owner.kind;
    expect(owner((gap?.position ?? 0) - 1, '33')).toBe('container');
    expect(owner(gap?.position ?? 0, '33')).toBe('unknown');
    expect([owner('end', '33'), owner('end', '34')]).toEqual(['unknown', 'container']);
  });

  test('a kernel that no profile stands for is judged by the one that is asked for', async () => {
    const lines = text(
      '[    0.000000] Linux version 4.19.0-8-amd64 (builder@lab) #1 SMP',
      '[    3.500000] vfio-pci 0000:41:00.0: vfio-noiommu device opened by user (dpdk:77)',
    );
    await expect(imported(lines)).rejects.toThrow("no profile for kernel '4.19.0-8-amd64'");
    const [boot] = [...(await imported(lines, { profile: 'linux-6.1' })).each('host.booted')];
    expect(boot?.data).toMatchObject({ kernel: '4.19.0-8-amd64', profile: 'linux-6.1' });
  });
});
