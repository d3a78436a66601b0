import { describe, expect, test } from 'vitest';
import { fdinfoParser, looksLikeFdinfo } from '../../../evidence/messages/fdinfo.ts';
import { openLedger } from '../../../ledger.ts';
import { lines, readLongLines, shownBy, surviveMutation } from './support.ts';

const UUID = '9c1f6f0e-54d7-4d6e-9a5b-0b1c2d3e4f50';
const device = (name: string | null, pid: number | null, fd: number | null) => ({
  did: 'find',
  fd,
  kind: 'device',
  device: name,
  group: null,
  ...(pid === null ? {} : { pid }),
});

const INFO = `
==> /proc/900/fdinfo/41 <==
pos:	0
flags:	02000002
mnt_id:	17
ino:	1113
vfio-device-syspath: /sys/devices/pci0000:40/0000:40:01.1/0000:41:00.0

==> /proc/900/fdinfo/42 <==
pos:	0
flags:	02000002
[root@lab ~]# cat /proc/901/fdinfo/7
pos:	0
vfio-device-syspath: /sys/devices/virtual/mtty/mtty/${UUID}
/proc/902/fdinfo/8:pos:	0
/proc/902/fdinfo/8:vfio-device-syspath: /sys/devices/pci0000:40/0000:42:00.0
$ cat /proc/"$SOME"/fdinfo/"$FD" | grep vfio
vfio-device-syspath: /sys/devices/pci0000:40/0000:43:00.0
`;

test('files of /proc, each under its name; an older kernel says nothing of the device', () => {
  const parser = fdinfoParser();
  expect(shownBy(parser, INFO)).toEqual([
    device('0000:41:00.0', 900, 41),
    device(UUID, 901, 7),
    device('0000:42:00.0', 902, 8),
    device('0000:43:00.0', null, null),
  ]);
  expect(parser.clock).toBe('none');
});

test('a second file under one name is of an unknown descriptor', () => {
  const path = 'vfio-device-syspath: /sys/devices/0000:41:00.0';
  const text = `# cat /proc/900/fdinfo/41 /proc/900/fdinfo/42\npos:\t0\n${path}\npos:\t0\n${path}`;
  expect(shownBy(fdinfoParser(), text)).toEqual([
    device('0000:41:00.0', 900, 41),
    device('0000:41:00.0', null, null),
  ]);
});

describe('lsof -F', () => {
  const group = { did: 'find', fd: 30, kind: 'group', device: null, group: '57' };
  const held = { ...group, pid: 4242, comm: 'kvm' };

  test.each([
    ['a field a line', 'p4242\nckvm\nfcwd\nn/\nf30\nn/dev/vfio/57'],
    ['more fields', 'p4242\ng4242\nR1\nckvm\nu0\nLroot\nf30\nau\nl \ntCHR\nn/dev/vfio/57'],
    ['a file that was deleted', 'p4242\nckvm\nf30\nn/dev/vfio/57 (deleted)'],
    ['-F0', 'p4242\0ckvm\0\nf30\0tCHR\0n/dev/vfio/57\0'],
    ['in Windows', 'p4242\r\nckvm\r\nf30\r\nn/dev/vfio/57\r'],
  ])('%s', (_, text) => {
    expect(shownBy(fdinfoParser(), text)).toEqual([held]);
  });

  test('each file is that of the process before it, and one without a number is of nobody', () => {
    const text = 'p7\ncone\nf3\nn/dev/vfio/57\np8\nf4\nn/dev/iommu\nfmem\nn/dev/vfio/58';
    expect(shownBy(fdinfoParser(), text)).toEqual([
      { ...group, fd: 3, pid: 7, comm: 'one' },
      { did: 'find', fd: 4, kind: 'iommufd', device: null, group: null, pid: 8 },
    ]);
  });

  test('another line ends the list', () => {
    expect(shownBy(fdinfoParser(), 'p7\ncone\nf3\n$ cat x\nn/dev/vfio/57')).toEqual([]);
    expect(shownBy(fdinfoParser(), 'n/dev/vfio/57')).toEqual([]);
  });

  test('in a paste, however far the process stands before', async () => {
    const ledger = await openLedger(':memory:');
    const files = Array.from({ length: 3000 }, (_, fd) => `f${fd + 100}\nn/tmp/${fd}`);
    await ledger.import(
      ['$ lsof -F', 'p4242', 'ckvm', ...files, 'f30', 'n/dev/vfio/57'].join('\n'),
    );
    expect(ledger.who('g57').holders).toMatchObject([{ pid: 4242, comm: 'kvm', fd: 30 }]);
  });
});

const LISTS = `
/proc/900/fd:
total 0
lrwx------ 1 root root 64 Mar  4 05:06 0 -> /dev/null
lrwx------ 1 root root 64 Mar  4 05:06 12 -> /dev/vfio/vfio
lrwx------ 1 root root 64 Mar  4 05:06 13 -> /dev/vfio/33
lrwx------ 1 root root 64 Mar  4 05:06 14 -> 'anon_inode:[vfio-device]'
/proc/901/fd:
lrwx------ 1 root root 64 Mar  4 05:06 15 -> /dev/vfio/devices/vfio3
lrwx------ 1 root root 64 Mar  4 05:06 16 -> /dev/iommu
lrwx------ 1 root root 64 Mar  4 05:06 /proc/902/fd/17 -> /dev/vfio/noiommu-4 (deleted)
`;

test('lists of descriptors', () => {
  const found = { did: 'find', device: null, group: null };
  expect(shownBy(fdinfoParser(), LISTS)).toEqual([
    { ...found, kind: 'container', fd: 12, pid: 900 },
    { ...found, kind: 'group', group: '33', fd: 13, pid: 900 },
    { ...found, kind: 'device', fd: 14, pid: 900 },
    { ...found, kind: 'device', device: 'vfio3', fd: 15, pid: 901 },
    { ...found, kind: 'iommufd', fd: 16, pid: 901 },
    { ...found, kind: 'group', group: 'noiommu-4', fd: 17, pid: 902 },
  ]);
});

const USERS = `
COMMAND    PID USER   FD      TYPE DEVICE SIZE/OFF NODE NAME
qemu-syst 1234 root  mem       CHR 10,196      0t0  512 /dev/vfio/vfio
qemu-syst 1234 root   12u      CHR 10,196      0t0  512 /dev/vfio/vfio
qemu-syst 1234 root   30u  a_inode   0,14        0   10 [vfio-device]
                     USER        PID ACCESS COMMAND
/dev/vfio/33:        root       1234 F.... qemu-system-x86
                     root       5678 F.... vpp main
/dev/nvidia0:
                     root         99 F.... nvidia-persiste
/dev/vfio/34:         1234  5678m
PID 77 holds /dev/vfio/35
`;

test('lsof and fuser', () => {
  const found = { did: 'find', fd: null, device: null, group: null };
  const group = (name: string) => ({ ...found, kind: 'group', group: name });
  expect(shownBy(fdinfoParser(), USERS)).toEqual([
    { ...found, kind: 'container', fd: 12, pid: 1234, comm: 'qemu-syst' },
    { ...found, kind: 'device', fd: 30, pid: 1234, comm: 'qemu-syst' },
    { ...group('33'), pid: 1234, comm: 'qemu-system-x86' },
    { ...group('33'), pid: 5678, comm: 'vpp main' },
    { ...group('34'), pid: 1234 },
    { ...group('34'), pid: 5678 },
    { ...group('35'), pid: 77 },
  ]);
});

describe('recognized', () => {
  test.each([
    '==> /proc/900/fdinfo/41 <==',
    'vfio-device-syspath: /sys/devices/0000:41:00.0',
    'lrwx------ 1 root root 64 Mar  4 05:06 13 -> /dev/vfio/33',
    'qemu-syst 1234 root   12u      CHR 10,196      0t0  512 /dev/vfio/vfio',
    '/dev/vfio/33:        root       1234 F.... qemu-system-x86',
    '/dev/vfio/34:         1234  5678m',
  ])('%s', (line) => {
    expect(looksLikeFdinfo(line)).toBe(true);
  });

  test.each([
    '',
    'lrwx------ 1 root root 64 Mar  4 05:06 13 -> /dev/null',
    '/dev/vfio/33: Permission denied',
    '/dev/nvidia0:',
    'EAL: Cannot open /dev/vfio/33: Device or resource busy',
    '1234  5678',
  ])('not: %s', (line) => {
    expect(looksLikeFdinfo(line)).toBe(false);
  });
});

test('a device that is no path of /sys is rejected', () => {
  expect(() => fdinfoParser().line('vfio-device-syspath: ?')).toThrow('not the path of a device');
});

const samples = lines(INFO + LISTS + USERS);

test('however it is changed, it is read or rejected', () => {
  surviveMutation(fdinfoParser, looksLikeFdinfo, samples);
});

test('long lines take no long time', () => {
  readLongLines(fdinfoParser, looksLikeFdinfo, samples);
});
