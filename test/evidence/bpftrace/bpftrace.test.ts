import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { bpftraceParser, looksLikeBpftrace } from '../../../evidence/bpftrace/parser.ts';
import { EvidenceError } from '../../../evidence/importer.ts';
import type { Deed, Sighting } from '../../../evidence/sighting.ts';

function sightings(lines: readonly string[]): readonly Sighting[] {
  const parser = bpftraceParser();
  return [...lines.flatMap((line) => parser.line(line)), ...parser.end()];
}

function deed({ tid: _tid, pid: _pid, comm: _comm, at: _at, ...rest }: Sighting): Deed {
  return rest as Deed;
}

const record = (rest: string, comm = 'qemu') =>
  `{"t":32645340508,"pid":154,"tid":155,"comm":"${comm}",${rest}}`;
const printed = (data: string) => JSON.stringify({ type: 'printf', data });

const on = (fd: number) => ({ fd, path: null });
const by = { tid: 155, pid: 154, comm: 'qemu', at: 32_645_340 };
const nobody = { tid: null, pid: null, comm: null, at: null };
const closed = { did: 'close', on: on(3), result: { rc: 0 } } as const;
const close = '"ev":"close","fd":3,"rc":0';
const done = { rc: 0 };
const file = '0xff11';

describe('records', () => {
  const ioctl = (request: number, words: object, more: object = {}) => ({
    did: 'ioctl',
    on: on(4),
    requests: [request],
    words,
    result: done,
    file: null,
    ...more,
  });
  const bdf = '0000:00:04.0';
  it.each<readonly [string, object | null]>([
    [
      '"ev":"openat","path":"/dev/vfio/3","rc":-16',
      {
        did: 'open',
        path: '/dev/vfio/3',
        cloexec: false,
        result: { errno: 'EBUSY' },
        file: null,
      },
    ],
    [
      '"ev":"open","flags":524290,"rc":3,"file":"0xff11","path":"/dev/iommu"',
      { did: 'open', path: '/dev/iommu', cloexec: true, result: { rc: 3 }, file },
    ],
    [
      '"ev":"open","flags":2,"rc":3,"file":"0x0","path":"/dev/vfio/a","rc":7,"b"',
      {
        did: 'open',
        path: '/dev/vfio/a","rc":7,"b',
        cloexec: false,
        result: { rc: 3 },
        file: null,
      },
    ],
    ['"ev":"ioctl","fd":4,"cmd":"0x3b76","word":3,"dev":"","rc":0', ioctl(0x3b76, { iommufd: 3 })],
    ['"ev":"ioctl","fd":4,"cmd":"0x3b77","word":2,"dev":"","rc":0', ioctl(0x3b77, { pt: 2 })],
    [
      '"ev":"ioctl","fd":4,"cmd":"0x3b68","word":3,"dev":"","rc":0',
      ioctl(0x3b68, { container: 3 }),
    ],
    [
      `"ev":"ioctl","fd":4,"cmd":"0x3b6a","word":0,"dev":"${bdf}","rc":5`,
      ioctl(0x3b6a, { device: bdf }, { result: { rc: 5 } }),
    ],
    ['"ev":"ioctl","fd":4,"cmd":"0x3b6b","word":0,"dev":"","rc":0', ioctl(0x3b6b, {})],
    [
      '"ev":"ioctl","fd":4,"cmd":"0x3b76","argsz":16,"flags":0,"iommufd":3,"id":1,"rc":0',
      ioctl(0x3b76, { argsz: 16, flags: 0, iommufd: 3, id: 1 }),
    ],
    [
      '"ev":"ioctl","fd":4,"cmd":"0x3b77","argsz":16,"flags":0,"pt":2,"rc":-22',
      ioctl(0x3b77, { argsz: 16, flags: 0, pt: 2 }, { result: { errno: 'EINVAL' } }),
    ],
    [
      '"ev":"ioctl","fd":4,"cmd":"0x3b78","argsz":12,"flags":1,"pasid":7,"rc":0',
      ioctl(0x3b78, { argsz: 12, flags: 1, pasid: 7 }),
    ],
    [
      '"ev":"ioctl","fd":4,"cmd":"0x3b88","ioas":2,"op":1,"rc":0',
      ioctl(0x3b88, { ioas: 2, op: 1 }),
    ],
    ['"ev":"ioctl","fd":4,"cmd":"0x3b68","container":3,"rc":0', ioctl(0x3b68, { container: 3 })],
    ['"ev":"ioctl","fd":4,"cmd":"0x3b66","value":3,"rc":0', ioctl(0x3b66, { value: 3 })],
    ['"ev":"ioctl","fd":4,"cmd":"0x3b81","id":2,"rc":0', ioctl(0x3b81, { id: 2 })],
    ['"ev":"ioctl","fd":4,"cmd":"0x3b80","object":2,"rc":0', ioctl(0x3b80, { object: 2 })],
    [
      `"ev":"ioctl","fd":4,"cmd":"0x3b6a","rc":5,"file":"0xff11","dev":"${bdf}"`,
      ioctl(0x3b6a, { device: bdf }, { result: { rc: 5 }, file }),
    ],
    [close, closed],
    ['"ev":"close","fd":-1,"rc":-9', { ...closed, on: on(-1), result: { errno: 'EBADF' } }],
    [
      '"ev":"close_range","first":3,"last":4294967295,"flags":0,"rc":0',
      { did: 'close-range', first: 3, last: 0xffff_ffff },
    ],
    ['"ev":"close_range","first":3,"last":9,"flags":4,"rc":0', null],
    ['"ev":"close_range","first":3,"last":2,"flags":0,"rc":-22', null],
    [
      '"ev":"dup","fd":4,"rc":5',
      { did: 'dup', on: on(4), to: null, cloexec: false, result: { rc: 5 } },
    ],
    [
      '"ev":"dup","fd":4,"to":5,"cloexec":1,"rc":5',
      { did: 'dup', on: on(4), to: 5, cloexec: true, result: { rc: 5 } },
    ],
    ['"ev":"dup","fd":4,"to":4,"cloexec":0,"rc":4', null],
    ['"ev":"cloexec","fd":4,"cloexec":1', { did: 'cloexec', on: on(4), cloexec: true }],
    ['"ev":"install","fd":5,"file":"0xff11"', { did: 'install', fd: 5, file }],
    ['"ev":"fork","child":160', { did: 'fork', child: 160, childComm: null, shares: null }],
    [
      '"ev":"fork","child":160,"flags":18874368',
      { did: 'fork', child: 160, childComm: null, shares: false },
    ],
    [
      '"ev":"fork","child":160,"flags":4001536',
      { did: 'fork', child: 160, childComm: null, shares: true },
    ],
    [
      '"ev":"exec","path":"/usr/bin/qemu-system-x86_64"',
      { did: 'exec', program: 'qemu-system-x86' },
    ],
    ['"ev":"exit"', { did: 'exit', whole: false, signal: null }],
    ['"ev":"device_release","file":"0xff11"', { did: 'release', kind: 'device', file }],
    ['"ev":"group_release","file":"0xff11"', { did: 'release', kind: 'group', file }],
    ['"ev":"iommufd_release","file":"0xff11"', { did: 'release', kind: 'iommufd', file }],
    ['"ev":"container_release","file":"0xff11"', { did: 'release', kind: 'container', file }],
    [
      '"ev":"mmap","fd":4,"addr":"0x7f1200000000","len":16384,"rc":0',
      { did: 'mmap', on: on(4), address: 0x7f12_0000_0000, length: 16_384, result: done },
    ],
    [
      '"ev":"munmap","addr":"0x7f1200000000","len":16384',
      { did: 'munmap', address: 0x7f12_0000_0000, length: 16_384 },
    ],
    [
      `"ev":"unbind","done":0,"path":"/sys/bus/pci/devices/${bdf}/driver/unbind"`,
      { did: 'unbind', device: bdf, driver: null, done: false },
    ],
    [
      `"ev":"unbind","done":1,"path":"/sys/bus/pci/devices/${bdf}/remove"`,
      { did: 'unbind', device: bdf, driver: null, done: true },
    ],
    [
      `"ev":"unbind","done":1,"driver":"vfio-pci","dev":"${bdf}\n"`,
      { did: 'unbind', device: bdf, driver: 'vfio-pci', done: true },
    ],
    ['"ev":"unbind","done":1,"driver":"usb","dev":"1-1:1.0"', null],
    [
      `"ev":"bind_driver","rc":-16,"driver":"e1000e","dev":"${bdf}"`,
      { did: 'bind-driver', device: bdf, driver: 'e1000e', result: { errno: 'EBUSY' } },
    ],
    ['"ev":"unbind","done":0,"path":"/sys/bus/pci/drivers/vfio-pci/unbind"', null],
    ['"ev":"unbind","done":0,"path":""', null],
    ['"ev":"tick"', null],
    ['"ev":"else","what":"ever"', null],
  ])('%s', (rest, expected) => {
    const shown = expected === null ? [] : [{ ...expected, ...by }];
    expect(sightings(record(rest).split('\n'))).toEqual(shown);
    expect(sightings([printed(`${record(rest)}\n`)])).toEqual(shown);
  });

  it.each([
    'a"b',
    '\\',
    '"',
    '","ev":"exit"}',
    'a\tb',
    '\u{1}\u{7f}',
    '","tid":9,"a":"',
    '',
    '\u{fffd}',
  ])('with %j for a name', (comm) => {
    const shown = [{ ...closed, ...by, comm }];
    expect(sightings([record(close, comm)])).toEqual(shown);
    expect(sightings([printed(`${record(close, comm)}\n`)])).toEqual(shown);
  });

  it('with a line feed in a name', () => {
    const torn = `${record(close, 'a\nb')}\n`;
    expect(sightings(torn.split('\n'))).toEqual([{ ...closed, ...by, comm: 'a\nb' }]);
    expect(sightings([printed(torn)])).toEqual([{ ...closed, ...by, comm: 'a\nb' }]);
    expect(sightings([printed(torn + torn)])).toHaveLength(2);
  });

  it.each([
    '"ev":"close","rc":0',
    '"ev":"close","fd":3',
    '"ev":"openat","rc":3',
    '"ev":"openat","path":"/dev',
    '"ev":"install","fd":3',
    '"ev":"device_release"',
    '"ev":"fork"',
    '"ev":"mmap","fd":3,"rc":0',
  ])('rejects %s', (rest) => {
    expect(() => sightings([record(rest)])).toThrow(EvidenceError);
  });
});

describe('lines', () => {
  it('may hold several records, or a part of one', () => {
    const two = `${record(close)}\n${record(close)}\n`;
    expect(sightings([printed(two)])).toHaveLength(2);
    for (let at = 1; at < two.length; at++) {
      const parts = [two.slice(0, at), two.slice(at)];
      // Where the second begins like a record, the first is not a part of it.
      expect(sightings(parts.map(printed))).toEqual([
        { ...closed, ...by },
        { ...closed, ...by },
      ]);
    }
  });

  it('tells of what was lost', () => {
    const lost = { did: 'lose', ...nobody };
    const lines = [
      '{"type": "lost_events", "data": {"events": 12}}',
      'Lost 7 events',
      '{"type": "lost_events", "data": {}}',
      printed(record(close).slice(0, 50)),
      printed(`${record(close)}\n`),
      record(close).slice(0, 50),
      record(close),
      record(close).slice(0, 50),
    ];
    expect(sightings(lines)).toEqual([
      { ...lost, count: 12 },
      { ...lost, count: 7 },
      { ...lost, count: null },
      { ...lost, count: null },
      { ...closed, ...by },
      { ...lost, count: null },
      { ...closed, ...by },
      { ...lost, count: null },
    ]);
  });

  it('leaves out what is not printed by the probes', () => {
    expect(
      sightings([
        'Attaching 20 probes...',
        'Attached 20 probes',
        '{"type": "attached_probes", "data": {"probes": 13}}',
        '{"type": "map", "data": {"@ours": {"154": 1}}}',
        '{"type": "time", "data": "12:00:00\\n"}',
        '@ours[154]: 1',
        '',
      ]),
    ).toEqual([]);
  });

  it('finds the clock', () => {
    const parser = bpftraceParser();
    parser.line('Attaching 20 probes...');
    expect(parser.clock).toBe('none');
    parser.line(record('"ev":"tick"'));
    expect(parser.clock).toBe('uptime');
  });

  it.each([
    'hello',
    '{}',
    '[]',
    '{"seq":"a","op":"b"}',
    printed('hello\n'),
    printed('hello'),
    `{"t":${'1'.repeat(5000)}`,
    printed('{"a":1}\n'),
    printed(`{"t":${'1'.repeat(70_000)}`),
    '{"type": "printf", "data": "{\\"t\\":1',
  ])('rejects %.40s', (line) => {
    expect(() => sightings([line])).toThrow(EvidenceError);
  });

  it.each([
    ['{"type": "attached_probes", "data": {"probes": 13}}', true],
    [printed(`${record(close)}\n`), true],
    [record(close), true],
    ['Attaching 13 probes...', true],
    ['Lost 12 events', true],
    ['{"type":"device.opened","data":{}}', false],
    ['{"seq":"a","op":"b"}', false],
    ['# tracer: nop', false],
    ['hello', false],
  ])('recognizes %.40s: %j', (line, is) => expect(looksLikeBpftrace(line)).toBe(is));

  it('takes long lines without ado', () => {
    for (const part of [' ', 'a', '"', '\n', '","', ',"a":1', '{"t":', '}\n', '"ev":"']) {
      const long = part.repeat(1_000_000 / part.length);
      const lines = [long, record(`"ev":"close"${long}`), record(`"ev":"open","path":"${long}`)];
      for (const line of [
        ...lines,
        printed(long),
        printed(`{"t":${long}`),
        printed(`${lines[1]}\n`),
      ]) {
        try {
          bpftraceParser().line(line);
        } catch (error) {
          expect(error).toBeInstanceOf(EvidenceError);
        }
      }
    }
  });
});

describe('the probes that come with it', () => {
  const script = readFileSync(new URL('../../../recorder/vfio.bt', import.meta.url), 'utf8');
  const formats = [...script.matchAll(/printf\("(.*)\\n",/g)].map(([, format = '']) =>
    format.replaceAll('\\"', '"'),
  );

  it('print what is understood', () => {
    const lines = formats.map((format) =>
      format
        .replaceAll(/%ll[ux]|%[du]/g, '3')
        .replace('"comm":"%s"', '"comm":"qemu"')
        .replaceAll('"dev":"%s"', '"dev":"0000:00:02.0"')
        .replaceAll('%s', '/sys/bus/pci/devices/0000:00:02.0/remove'),
    );
    const kinds = new Set(sightings(lines).map(({ did }) => did));
    const silent = lines.filter((line) => sightings([line]).length === 0);
    expect([...kinds].toSorted()).toEqual(
      (
        'bind-driver cloexec close close-range dup exec exit fork install ioctl mmap open release ' +
        'unbind'
      ).split(' '),
    );
    // A descriptor that is duplicated onto itself here.
    expect(new Set(silent.map((line) => /"ev":"(\w+)"/.exec(line)?.[1]))).toEqual(
      new Set(['dup', 'tick']),
    );
  });
});

describe('the trace of a real kernel', () => {
  const sample = readFileSync(
    new URL('../guest/bpftrace-7.3.jsonl', import.meta.url),
    'utf8',
  ).split('\n');

  it('is read as a whole', () => {
    const kinds = Map.groupBy(sightings(sample), ({ did }) => did);
    expect(Object.fromEntries([...kinds].map(([kind, all]) => [kind, all.length]))).toEqual({
      close: 247,
      dup: 5,
      exit: 13,
      fork: 13,
      ioctl: 20,
      open: 21,
      release: 12,
    });
  });

  it('tells of one process from its beginning to its end', () => {
    const open = { did: 'open', cloexec: false, file: null } as const;
    const ioctl = { did: 'ioctl', result: done, file: null } as const;
    const first = sightings(sample).filter(({ tid }) => tid === 154);
    expect(first.map(deed)).toEqual([
      { ...open, path: '/dev/iommu', result: { rc: 3 } },
      { ...open, path: '/dev/vfio/devices/vfio2', result: { rc: 4 } },
      { ...ioctl, on: on(4), requests: [0x3b76], words: { iommufd: 3 } },
      { ...ioctl, on: on(3), requests: [0x3b81], words: {} },
      { ...ioctl, on: on(4), requests: [0x3b77], words: { pt: 2 } },
      { ...ioctl, on: on(4), requests: [0x3b6b], words: {} },
      { did: 'release', kind: 'device', file: '0xff11000014475180' },
      { did: 'close', on: on(4), result: done },
      { did: 'close', on: on(3), result: done },
      { did: 'exit', whole: false, signal: null },
    ]);
  });

  it('is taken whatever becomes of its lines', () => {
    const mutated = fc
      .tuple(fc.constantFrom(...sample), fc.nat(200), fc.nat(20), fc.string({ maxLength: 8 }))
      .map(([line, from, length, text]) => line.slice(0, from) + text + line.slice(from + length));
    fc.assert(
      fc.property(fc.array(mutated, { maxLength: 12 }), (some) => {
        const parser = bpftraceParser();
        for (const line of some) {
          try {
            for (const { did } of parser.line(line)) expect(typeof did).toBe('string');
          } catch (error) {
            expect(error).toBeInstanceOf(EvidenceError);
          }
        }
        parser.end();
      }),
    );
  });
});
