import { describe, expect, test } from 'vitest';
import { EvidenceError } from '../../../evidence/importer.ts';
import { looksLikeStrace, straceParser } from '../../../evidence/strace/parser.ts';

/** A line for each sighting: who, when, what. */
function told(...lines: readonly string[]): readonly string[] {
  const parser = straceParser();
  return [...lines.flatMap((line) => parser.line(line)), ...parser.end()].map((sighting) => {
    const { tid, at, comm, did } = sighting;
    const what = {
      ...('on' in sighting && { on: sighting.on.fd }),
      ...('child' in sighting && { child: sighting.child, shares: sighting.shares }),
      ...('whole' in sighting && { whole: sighting.whole, signal: sighting.signal }),
      ...('program' in sighting && { program: sighting.program }),
      ...('done' in sighting && { done: sighting.done }),
    };
    const words = Object.entries(what).map(([key, value]) => `${key}=${value}`);
    const who = comm === null ? `${tid}` : `${tid}(${comm})`;
    return [who, at ?? '-', did, ...words].join(' ');
  });
}

describe('who and when', () => {
  test.each([
    ['close(3) = 0', 'none', 'null - close on=3'],
    ['4711 close(3) = 0', 'none', '4711 - close on=3'],
    ['4711  close(3) = 0', 'none', '4711 - close on=3'],
    ['[pid    47] close(3) = 0', 'none', '47 - close on=3'],
    ['[pid 47<qemu kvm>] close(3) = 0', 'none', '47(qemu kvm) - close on=3'],
    ['[pid 47 qemu] close(3) = 0', 'none', '47(qemu) - close on=3'],
    [String.raw`47<\x71\x65\x6d\x75> close(3) = 0`, 'none', '47(qemu) - close on=3'],
    [
      '47<CPU 0/KVM> 1795333480.105644 close(3) = 0',
      'wall',
      '47(CPU 0/KVM) 1795333480105644 close on=3',
    ],
    ['1795333480.105644 close(3) = 0 <0.000010>', 'wall', 'null 1795333480105644 close on=3'],
    ['1795333480.105644321 close(3) = 0', 'wall', 'null 1795333480105644 close on=3'],
    ['1795333480 close(3) = 0', 'wall', 'null 1795333480000000 close on=3'],
    [
      '47 1795333480.105644 (+     0.000041) close(3) = 0',
      'wall',
      '47 1795333480105644 close on=3',
    ],
    ['47 01:02:03 close(3) = 0', 'day', '47 3723000000 close on=3'],
    ['01:02:03.000004 close(3) = 0', 'day', 'null 3723000004 close on=3'],
    ['[pid 47] 01:02:03 (+     0.500000) close(3) = 0', 'day', '47 3723000000 close on=3'],
    ['01:02:03 [   3] [00007fde667abad7] close(3) = 0', 'day', 'null 3723000000 close on=3'],
    ['     0.000041 close(3) = 0', 'start', 'null 0 close on=3'],
    ['47      0.000041 close(3) = 0', 'start', '47 0 close on=3'],
  ])('%s', (line, clock, expected) => {
    const parser = straceParser();
    parser.line(line);
    expect(parser.clock).toBe(clock);
    expect(told(line)).toEqual([expected]);
    expect(looksLikeStrace(line)).toBe(true);
  });

  test('relative times add up, those of other calls too', () => {
    expect(
      told(
        '     0.000000 close(3) = 0',
        '     1.500000 read(0, "", 1) = 0',
        '     0.250000 close(4) = 0',
        '     0.000001 close(5) = 0',
      ),
    ).toEqual(['null 0 close on=3', 'null 1750000 close on=4', 'null 1750001 close on=5']);
  });

  test('past midnight a day is added; a step back is none', () => {
    expect(
      told(
        '1 23:59:59.000000 close(3) = 0',
        '1 00:00:01.000000 close(4) = 0',
        '2 00:00:00.500000 close(5) = 0',
        '1 23:59:59.000000 close(6) = 0',
        '1 00:00:00.000000 close(7) = 0',
      ).map((line) => line.split(' ')[1]),
    ).toEqual([86399, 86401, 86400.5, 172799, 172800].map((seconds) => `${seconds * 1e6}`));
  });
});

describe('calls that take their time', () => {
  test('are told of when they come back, each of its own thread', () => {
    expect(
      told(
        '7 1795333480.000001 close(3</dev/vfio/3> <unfinished ...>',
        '8 1795333480.000002 ioctl(4, VFIO_DEVICE_PCI_HOT_RESET or VFIO_IOMMU_MAP_DMA <unfinished ...>',
        '9 1795333480.000003 dup( <unfinished ...>',
        '8 1795333480.000004 <... ioctl resumed>, 0x7ffd) = 0 <0.1>',
        '9 1795333480.000005 <... dup resumed> 5) = 6',
        '7 1795333480.000006 <... close resumed>) = 0',
      ),
    ).toEqual([
      '8 1795333480000004 ioctl on=4',
      '9 1795333480000005 dup on=5',
      '7 1795333480000006 close on=3',
    ]);
  });

  test('may be those of a version that writes a blank, and of a trace without pids', () => {
    expect(
      told(
        '0.000041 ioctl(32, VFIO_DEVICE_RESET <unfinished ...>',
        '0.000041 <... ioctl resumed> , 0x7ffd) = 0 <55.1>',
      ),
    ).toEqual(['null 41 ioctl on=32']);
  });

  test('of no interest are forgotten', () => {
    expect(
      told(
        '7 ioctl(4, KVM_RUN <unfinished ...>',
        '8 futex(0x7f, FUTEX_WAIT_PRIVATE, 2, NULL <unfinished ...>',
        '9 write(1, "x", 1 <unfinished ...>',
        '7 <... ioctl resumed>, 0) = 0',
        '8 <... futex resumed>) = 0',
        '9 <... write resumed>) = 1',
        '9 <... write resumed>) = 1',
      ),
    ).toEqual([]);
  });

  test('may not come back', () => {
    expect(
      told(
        '7 close(3 <unfinished ...>',
        '8 close(4 <unfinished ...>',
        '9 close(5 <unfinished ...>',
        '8 <... close resumed> <unfinished ...>) = ?',
        '7 +++ killed by SIGKILL +++',
      ),
    ).toEqual(['7 - exit whole=true signal=SIGKILL']);
  });

  test('may be interrupted twice', () => {
    expect(
      told(
        '7 close(3 <unfinished ...>',
        '7 <... close resumed> <unfinished ...>',
        '7 <... close resumed>) = 0',
      ),
    ).toEqual(['7 - close on=3']);
  });

  test.each([
    [['7 <... close resumed>) = 0']],
    [['7 close(3 <unfinished ...>', '8 <... close resumed>) = 0']],
    [['7 close(3 <unfinished ...>', '7 <... dup resumed>) = 0']],
    [['7 close(3 <unfinished ...>', '7 +++ exited with 0 +++', '7 <... close resumed>) = 0']],
  ])('cannot come back without having begun: %j', (lines) => {
    expect(() => told(...lines)).toThrow(EvidenceError);
  });

  test('an unbind is told of when it begins and when it is done', () => {
    expect(
      told(
        '7 write(1</sys/bus/pci/drivers/vfio-pci/unbind>, "0000:06:0d.0", 12 <unfinished ...>',
        '8 close(4) = 0',
        '7 <... write resumed>) = 12',
      ),
    ).toEqual(['7 - unbind done=false', '8 - close on=4', '7 - unbind done=true']);
  });
});

describe('processes', () => {
  test('end once, when they are gone', () => {
    expect(
      told(
        '7 exit_group(0)                     = ?',
        '8 close(3) = 0',
        '7 +++ exited with 0 +++',
        '8 exit(0) = ?',
        '8 +++ exited with 0 +++',
        '9 exit_group(1 <unfinished ...>',
        '10 +++ exited with 1 +++',
        '9 <... exit_group resumed>) = ?',
        '9 +++ exited with 1 +++',
        '11 --- SIGSEGV {si_signo=SIGSEGV, si_code=SEGV_MAPERR, si_addr=NULL} ---',
        '11 +++ killed by SIGSEGV (core dumped) +++',
      ),
    ).toEqual([
      '8 - close on=3',
      '7 - exit whole=true signal=null',
      '8 - exit whole=false signal=null',
      '10 - exit whole=false signal=null',
      '9 - exit whole=true signal=null',
      '11 - exit whole=true signal=SIGSEGV',
    ]);
  });

  test('of a quiet trace end when the parent hears of it, or with the trace', () => {
    expect(
      told(
        '7 1795333480.000001 exit_group(0) = ?',
        '8 1795333480.000002 exit_group(0) = ?',
        '1 1795333480.000003 --- SIGCHLD {si_signo=SIGCHLD, si_code=CLD_EXITED, si_pid=8, si_uid=0} ---',
        '1 1795333480.000004 close(3) = 0',
      ),
    ).toEqual([
      '8 1795333480000003 exit whole=true signal=null',
      '1 1795333480000004 close on=3',
      '7 1795333480000001 exit whole=true signal=null',
    ]);
  });

  test('are told of before they do something, also where the fork has not come back', () => {
    expect(
      told(
        '7 clone(child_stack=NULL, flags=CLONE_CHILD_SETTID|SIGCHLD <unfinished ...>',
        '8 close(3) = 0',
        '7 <... clone resumed>, child_tidptr=0x7f) = 8',
        '7 clone3({flags=CLONE_VM|CLONE_FILES|CLONE_THREAD} <unfinished ...>',
        '8 close(4) = 0',
        '7 <... clone3 resumed> => {parent_tid=[9]}, 88) = 9',
        '9 close(5) = 0',
      ),
    ).toEqual([
      '7 - fork child=8 shares=false',
      '8 - close on=3',
      '8 - close on=4',
      '7 - fork child=9 shares=true',
      '9 - close on=5',
    ]);
  });

  test('of two forks under way nobody knows whose child somebody is', () => {
    expect(
      told(
        '8 read(0, "", 1) = 0',
        '7 vfork( <unfinished ...>',
        '8 fork( <unfinished ...>',
        '9 close(3) = 0',
        '8 <... fork resumed>) = 9',
        '7 <... vfork resumed>) = 10',
      ),
    ).toEqual([
      '9 - close on=3',
      '8 - fork child=9 shares=false',
      '7 - fork child=10 shares=false',
    ]);
  });

  test('take the number of one that is gone', () => {
    expect(
      told('7 fork() = 8', '8 exit_group(0) = ?', '7 fork() = 8', '8 +++ exited with 0 +++'),
    ).toEqual([
      '7 - fork child=8 shares=false',
      '8 - exit whole=true signal=null',
      '7 - fork child=8 shares=false',
      '8 - exit whole=false signal=null',
    ]);
  });

  test('a thread that executes a program goes on as the first', () => {
    expect(
      told(
        '7 futex(0x7f, FUTEX_WAIT, 2, NULL <unfinished ...>',
        '9 execve("/bin/true", ["true"], NULL <unfinished ...>',
        '7 <... futex resumed>) = ?',
        '7 +++ superseded by execve in pid 9 +++',
        '7 <... execve resumed>) = 0',
        '7 +++ exited with 0 +++',
      ),
    ).toEqual([
      '9 - exit whole=false signal=null',
      '7 - exec program=true',
      '7 - exit whole=false signal=null',
    ]);
  });
});

describe('lines that are numbered only while there are several threads', () => {
  test('the first has no number, ever', () => {
    expect(
      told(
        'execve("/bin/sh", ["sh"], NULL) = 0',
        'close(3) = 0',
        'vfork(strace: Process 8 attached',
        ' <unfinished ...>',
        '[pid     8] close(4) = 0',
        '[pid     8] execve("/bin/true", ["true"], NULL <unfinished ...>',
        '[pid     7] <... vfork resumed>) = 8',
        '[pid     8] <... execve resumed>) = 0',
        '[pid     7] wait4(-1,  <unfinished ...>',
        '[pid     8] exit_group(0)               = ?',
        '[pid     8] +++ exited with 0 +++',
        '<... wait4 resumed>[{WIFEXITED(s) && WEXITSTATUS(s) == 0}], 0, NULL) = 8',
        'close(5) = 0',
        '+++ exited with 0 +++',
      ),
    ).toEqual([
      'null - exec program=sh',
      'null - close on=3',
      'null - fork child=8 shares=false',
      '8 - close on=4',
      '8 - exec program=true',
      '8 - exit whole=true signal=null',
      'null - close on=5',
      'null - exit whole=false signal=null',
    ]);
  });

  test('what a message of strace stands in the middle of is one call', () => {
    expect(
      told(
        'clone(child_stack=NULL, flags=CLONE_CHILD_SETTID|SIGCHLDstrace: Process 8 attached',
        ', child_tidptr=0x7f) = 8',
        '[pid     7] clone(Process 9 attached',
        'child_stack=0, flags=CLONE_FILES|SIGCHLD, child_tidptr=0x7f) = 9',
        '[pid     9] close(3) = 0',
        '[pid     7] close(4) = 0',
      ),
    ).toEqual([
      'null - fork child=8 shares=false',
      'null - fork child=9 shares=true',
      '9 - close on=3',
      'null - close on=4',
    ]);
  });

  test('the last one that is left', () => {
    expect(
      told(
        'fork() = 8',
        '[pid     7] exit_group(0) = ?',
        '[pid     7] +++ exited with 0 +++',
        'close(3) = 0',
      ),
    ).toEqual([
      'null - fork child=8 shares=false',
      'null - exit whole=true signal=null',
      '8 - close on=3',
    ]);
  });

  test('the one that strace was attached to', () => {
    expect(told('strace: Process 8 attached', 'close(3) = 0')).toEqual(['8 - close on=3']);
  });
});

test.each([
  ['Process 12 attached', 'Process 12 detached'],
  ['Process 12 attached', '^Cstrace: Process 12 detached', ' <detached ...>'],
  ['Process 12 attached', 'ppoll([{fd=0}], 1, NULLstrace: Process 12 detached', ' <detached ...>'],
  ['12 ppoll([{fd=0}], 1, NULL <detached ...>'],
])('strace lets a thread go: %s', (...lines) => {
  expect(told(...lines)).toEqual(['12 - detach']);
});

test('what strace says of itself is nothing', () => {
  expect(
    told(
      '',
      '   ',
      'strace: Process 12 attached with 3 threads',
      'Process 13 attached',
      '[pid 13] Process 14 attached',
      'Process 999 detached',
      'Process 12 suspended',
      'strace: Could not attach to process 9',
      '[ Process PID=123 runs in 32 bit mode. ]',
      '13 --- SIGCHLD {si_signo=SIGCHLD, si_code=CLD_EXITED, si_pid=99, si_uid=0} ---',
      '13 --- stopped by SIGSTOP ---',
      ' > /usr/lib/x86_64-linux-gnu/libc.so.6(__open64+0xbf) [0xf8ebf]',
      'write(1, "hello\\n", 6hello',
      ') = 6',
      '% time     seconds  usecs/call     calls    errors syscall',
      '------ ----------- ----------- --------- --------- ----------------',
      ' 61.54    0.000016           5         3         1 openat',
      '------ ----------- ----------- --------- --------- ----------------',
      '100.00    0.000026           2         9         1 total',
    ),
  ).toEqual([]);
});

test.each([
  '',
  'Segmentation fault',
  '{"seq":"a","op":"open_group"}',
  '# tracer: nop',
  '[    3.141592] vfio-pci 0000:06:0d.0: enabling device (0000 -> 0002)',
  ' qemu-system-x86-812     [003] .....  3.141592: vfio_open: (vfio_group_fops_open+0x0/0x1e0)',
  'vfio_region_write  (0000:06:0d.0:region0+0x10, 0x1, 4)',
  'EAL: Cannot open /dev/vfio/26: Device or resource busy',
])('%s is not of strace', (line) => {
  expect(looksLikeStrace(line)).toBe(false);
});
