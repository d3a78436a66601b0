import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { EvidenceError } from '../../../evidence/importer.ts';
import type { Sighting } from '../../../evidence/sighting.ts';
import { looksLikeStrace, straceParser } from '../../../evidence/strace/parser.ts';
import { countOf } from '../../support/effort.ts';

const calls: readonly (readonly [call: string, result: string])[] = [
  ['openat(AT_FDCWD</>, "/dev/vfio/3", O_RDWR|O_CLOEXEC)', '3</dev/vfio/3>'],
  ['openat(AT_FDCWD, "/dev/iommu", O_RDWR)', '-1 EACCES (Permission denied)'],
  ['ioctl(3</dev/vfio/3>, VFIO_GROUP_SET_CONTAINER, [4</dev/vfio/vfio>])', '0'],
  ['ioctl(5, VFIO_DEVICE_BIND_IOMMUFD or VFIO_IOMMU_SPAPR_UNREGISTER_MEMORY, 0x7ffc)', '0'],
  ['ioctl(5, _IOC(_IOC_NONE, 0x3b, 0x81, 0), {argsz=12, flags=0})', '-1 EINVAL (Invalid argument)'],
  ['ioctl(9, KVM_RUN, 0)', '0'],
  ['close(3</dev/vfio/3>)', '0'],
  ['dup3(3, 9, O_CLOEXEC)', '9'],
  ['fcntl(3, F_DUPFD_CLOEXEC, 10)', '10'],
  ['mmap(NULL, 4096, PROT_READ, MAP_SHARED, 6, 0)', '0x7f0000000000'],
  ['munmap(0x7f0000000000, 4096)', '0'],
  ['read(7, "ioctl(3, \\"x\\"", 20)', '13'],
  ['execve("/usr/bin/qemu", ["qemu", "a,b"], 0x7ffd /* 5 vars */)', '0'],
  ['prctl(PR_SET_NAME, "io,(1")', '0'],
  [
    'sendmsg(5<UNIX-STREAM:[1->2]>, {msg_name=NULL, msg_control=[{cmsg_len=20, ' +
      'cmsg_level=SOL_SOCKET, cmsg_type=SCM_RIGHTS, cmsg_data=[3</dev/null>, 4]}]}, 0)',
    '1',
  ],
  [
    'recvmsg(5, {msg_control=[{cmsg_len=20, cmsg_level=SOL_SOCKET, cmsg_type=SCM_RIGHTS, ' +
      'cmsg_data=[8]}]}, MSG_CMSG_CLOEXEC)',
    '1',
  ],
  ['write(1</sys/bus/pci/drivers/e1000/bind>, "0000:06:0d.0\\n", 13)', '13'],
];

const leaders = ['', '7 ', '[pid     7] ', '7<io> ', '7 1795333480.105644 ', '     0.000041 '];
const others = [
  '+++ exited with 0 +++',
  '--- SIGCHLD {si_signo=SIGCHLD, si_code=CLD_EXITED, si_pid=8} ---',
  '<... ioctl resumed>, 0) = 0',
  'clone(child_stack=NULL, flags=SIGCHLDstrace: Process 8 attached',
  'clone3({flags=CLONE_VM|CLONE_FILES} => {parent_tid=[9]}, 88) = 9',
  'write(1</sys/bus/pci/drivers/e1000/unbind>, "0000:06:0d.0", 12 <unfinished ...>',
];

const line = fc
  .tuple(
    fc.constantFrom(...leaders),
    fc.constantFrom(...others, ...calls.map(([call, result]) => `${call} = ${result}`)),
  )
  .map((parts) => parts.join(''));

/** Pieces of the grammar, put where they do not belong. */
const scrap = fc.oneof(
  fc.constantFrom(
    ...'( ) [ ] { } < > " , \\ = \0 \n ? - + \' |'.split(' '),
    ' ',
    '/*',
    '*/',
    '...',
    ' = ',
    '->',
    ' <unfinished ...>',
  ),
  fc.string({ maxLength: 5 }),
  fc.bigInt({ min: 0n, max: 10n ** 40n }).map(String),
);

const mutated = fc
  .tuple(line, fc.array(fc.tuple(fc.nat(), fc.nat({ max: 8 }), scrap), { maxLength: 4 }))
  .map(([text, cuts]) => {
    let changed = text;
    for (const [place, length, piece] of cuts) {
      const at = place % (changed.length + 1);
      changed = changed.slice(0, at) + piece + changed.slice(at + length);
    }
    return changed;
  });

test('any line is read, or refused in words', () => {
  fc.assert(
    fc.property(fc.array(mutated, { maxLength: 8 }), (lines) => {
      const parser = straceParser();
      for (const text of lines) {
        looksLikeStrace(text);
        try {
          for (const { at, tid } of parser.line(text)) {
            expect(at === null || Number.isSafeInteger(at)).toBe(true);
            expect(tid === null || Number.isSafeInteger(tid)).toBe(true);
          }
        } catch (error) {
          expect(error).toBeInstanceOf(EvidenceError);
          expect((error as Error).message.length).toBeLessThan(400);
        }
      }
      parser.end();
    }),
    { numRuns: countOf('lines of strace', { test: 100, soak: 3000, full: 100_000 }) },
  );
});

test('calls told in two halves, among those of others, are those told at once', () => {
  const planned = fc.array(
    fc.record({
      tid: fc.integer({ min: 11, max: 15 }),
      call: fc.constantFrom(...calls),
      isSplit: fc.boolean(),
      earlier: fc.nat({ max: 12 }),
      cut: fc.nat(),
      isOld: fc.boolean(),
    }),
    { maxLength: 30 },
  );
  fc.assert(
    fc.property(planned, (plan) => {
      const free = new Map<number, number>();
      const halves = plan.map(() => [] as string[]);
      const whole: string[] = [];
      for (const [slot, { tid, call, isSplit, earlier, cut, isOld }] of plan.entries()) {
        const [text, result] = call;
        whole.push(`${tid} ${text} = ${result}`);
        const begin = Math.max(free.get(tid) ?? 0, slot - earlier);
        free.set(tid, slot + 1);
        if (isSplit) {
          const name = text.slice(0, text.indexOf('('));
          // Between arguments, where strace itself would stop.
          const stops = [...text.matchAll(/, |\)$/g)].map(({ index }) => index);
          const stop = stops[cut % stops.length] ?? text.length - 1;
          halves[begin]?.push(`${tid} ${text.slice(0, stop)} <unfinished ...>`);
          const rest = `${isOld ? ' ' : ''}${text.slice(stop)}`;
          halves[slot]?.push(`${tid} <... ${name} resumed>${rest} = ${result}`);
        } else halves[slot]?.push(`${tid} ${text} = ${result}`);
      }
      expect(read(halves.flat())).toEqual(read(whole));
    }),
    { numRuns: countOf('calls in two halves', { test: 20, soak: 500, full: 20_000 }) },
  );
});

function read(lines: readonly string[]): readonly Sighting[] {
  const parser = straceParser();
  const sightings = ['11', '12', '13', '14', '15', ...lines].flatMap((text, index) =>
    parser.line(index < 5 ? `${text} getpid() = ${text}` : text),
  );
  return [...sightings, ...parser.end()];
}

describe('a line of a million characters', () => {
  const long = (piece: string) => piece.repeat(Math.ceil(2 ** 20 / piece.length));
  const pieces = `( " < [ { ) , = \\" 3< 3<["\\" ' /* |0x1 9 =( a= \0 ... {cmsg_type=`.split(' ');
  test.each([...pieces, ' ', '[1] ', ' => {', ' = ', '1 ', ' or ', '[pid 1] '])(
    'of %j is dealt with at once',
    (piece) => {
      const parser = straceParser();
      const tries = [
        '',
        'close(3',
        'ioctl(3, 0x3b76, {',
        'sendmsg(3, {cmsg_',
        'openat(3, "/dev/vfio/',
      ];
      for (const head of [...tries, '7 <... close resumed>', 'clone(flags=', '--- SIGCHLD ']) {
        for (const tail of ['', ') = 0', ' <unfinished ...>', 'Process 8 attached']) {
          const text = head + long(piece) + tail;
          looksLikeStrace(text);
          try {
            parser.line(text);
          } catch (error) {
            expect(error).toBeInstanceOf(EvidenceError);
          }
        }
      }
    },
  );
});
