import { describe, expect, test } from 'vitest';
import {
  libvirtAuditParser,
  looksLikeLibvirtAudit,
} from '../../../evidence/messages/libvirt-audit.ts';
import { lines, readLongLines, shownBy, surviveMutation } from './support.ts';

const UUID = '9c1f6f0e-54d7-4d6e-9a5b-0b1c2d3e4f50';
const before = (serial: number) =>
  `type=VIRT_RESOURCE msg=audit(1772600767.${serial}:77): pid=9 uid=0 auid=4294967295 ses=4294967295 subj=unconfined`;
const after = (result: string) =>
  `exe="/usr/sbin/libvirtd" hostname=? addr=? terminal=? res=${result}'`;

const STORY = `
type=SERVICE_START msg=audit(1772600767.001:70): pid=1 uid=0 msg='unit=libvirtd exe="/usr/lib/systemd" res=success'
${before(100)} msg='virt=kvm resrc=disk reason=start vm="win" uuid=${UUID} old-disk="?" new-disk="/a.img" ${after('success')}
${before(101)} msg='virt=kvm resrc=dev reason=start vm="win" uuid=${UUID} bus=pci device="0000:41:00.0" ${after('success')}
${before(102)} msg='virt=kvm resrc=dev reason=start vm="win" uuid=${UUID} bus=usb device="001.004" ${after('success')}
${before(103)} msg='virt=kvm resrc=dev reason=attach vm="win" uuid=${UUID} bus=pci device="0000:42:00.0" ${after('failed')}
${before(104)} msg='virt=kvm resrc=dev reason=detach vm="win" uuid=${UUID} bus=pci device="0000:41:00.0" ${after('failed')}
${before(105)} msg='virt=kvm resrc=dev reason=detach vm="win" uuid=${UUID} bus=pci device="0000:41:00.0" ${after('success')}
${before(106)} msg='virt=kvm op=stop reason=shutdown vm="win" uuid=${UUID} vm-pid=-1 ${after('success')}
`;

const claim = {
  did: 'claim',
  claimant: { name: 'win', uuid: UUID },
  manager: 'libvirt',
};

test('the trail of a domain: what it was given, was not, and what was taken back', () => {
  const parser = libvirtAuditParser();
  const at = (serial: number) => 1_772_600_767_000_000 + serial * 1000;
  expect(shownBy(parser, STORY)).toEqual([
    { ...claim, outcome: 'granted', device: '0000:41:00.0', reason: 'start', at: at(101) },
    { ...claim, outcome: 'refused', device: '0000:42:00.0', reason: 'attach', at: at(103) },
    { ...claim, outcome: 'released', device: '0000:41:00.0', reason: 'detach', at: at(105) },
    { ...claim, outcome: 'released', device: null, reason: 'shutdown', at: at(106) },
  ]);
  expect(parser.clock).toBe('wall');
});

describe('spellings', () => {
  const granted = { ...claim, outcome: 'granted', device: '0000:41:00.0', reason: 'start' };
  test.each([
    [
      'without quotes and with a colon, as it was once',
      `type=VIRT_RESOURCE msg=audit(1772600767.100:77): user pid=9 uid=0 msg='virt=kvm resrc=dev reason=start vm=win uuid=${UUID} bus=pci device=0000:41:00.0: exe="/usr/sbin/libvirtd" (hostname=?, addr=?, terminal=? res=success)'`,
    ],
    [
      "in libvirt's own log",
      `2026-03-04 05:06:07.100+0000: 9: info : virAuditSend:136 : success=yes virt=kvm resrc=dev reason=start vm="win" uuid=${UUID} bus=pci device="0000:41:00.0"`,
    ],
    [
      'by its number, in the log of the kernel',
      `2026-03-04T05:06:07.9Z lab kernel: audit: type=2501 audit(1772600767.100:77): pid=9 msg='virt=kvm resrc=dev reason=start vm="win" uuid=${UUID} bus=pci device="0000:41:00.0" ${after('success')}`,
    ],
    [
      'of another node, enriched',
      `node=lab ${before(100)} msg='virt=kvm resrc=dev reason=start vm="win" uuid=${UUID} bus=pci device="0000:41:00.0" ${after('success')}\u001dUID="root" AUID="unset"`,
    ],
  ])('%s', (_name, line) => {
    expect(looksLikeLibvirtAudit(line)).toBe(true);
    expect(shownBy(libvirtAuditParser(), line)).toEqual([
      { ...granted, at: 1_772_600_767_100_000 },
    ]);
  });

  test('ausearch -i gives local time', () => {
    const parser = libvirtAuditParser();
    const line = `type=VIRT_RESOURCE msg=audit(03/04/2026 05:06:07.100:77) : pid=9 uid=root msg='virt=kvm resrc=dev reason=start vm=win uuid=${UUID} bus=pci device=0000:41:00.0 exe=/usr/sbin/libvirtd res=success'`;
    expect(shownBy(parser, line)).toEqual([{ ...granted, at: 1_772_600_767_100_000 }]);
    expect(parser.clock).toBe('local');
  });

  test('a journal without a year has times of its first day', () => {
    const line = `Mar 04 05:06:07 lab audit[9]: VIRT_RESOURCE pid=9 uid=0 msg='virt=kvm resrc=dev reason=start vm="win" uuid=${UUID} bus=pci device="0000:41:00.0" ${after('success')}`;
    expect(shownBy(libvirtAuditParser(), line)).toMatchObject([{ ...granted, at: 18_367e6 }]);
  });

  test.each([
    ['"my vm"', 'my vm'],
    ['6D7920766D', 'my vm'],
    ['CAFE', 'CAFE'],
    ['66C3BC72', 'für'],
  ])('vm=%s is %s', (vm, name) => {
    const line = `${before(100)} msg='virt=kvm resrc=dev reason=start vm=${vm} uuid=${UUID} bus=pci device="0000:41:00.0" ${after('success')}`;
    expect(libvirtAuditParser().line(line)).toMatchObject([{ claimant: { name } }]);
  });

  test('a mediated device goes by its UUID', () => {
    const line = `${before(100)} msg='virt=kvm resrc=dev reason=start vm="win" uuid=${UUID} bus=mdev device="${UUID}" ${after('success')}`;
    expect(libvirtAuditParser().line(line)).toMatchObject([{ outcome: 'granted', device: UUID }]);
  });
});

test('a start names the process of the domain, which is not that of libvirt', () => {
  const line = `${before(100)} msg='virt=kvm op=start reason=booted vm="win" uuid=${UUID} vm-pid=4711 ${after('success')}`;
  expect(shownBy(libvirtAuditParser(), line)).toEqual([
    { did: 'run-vm', vm: { name: 'win', uuid: UUID }, pid: 4711, at: 1_772_600_767_100_000 },
  ]);
});

test('a start that failed takes back what was granted for it', () => {
  const start = (result: string) =>
    `${before(100)} msg='virt=kvm op=start reason=booted vm="win" uuid=${UUID} vm-pid=0 ${after(result)}`;
  expect(shownBy(libvirtAuditParser(), start('success'))).toEqual([]);
  expect(libvirtAuditParser().line(start('failed'))).toMatchObject([
    { outcome: 'released', device: null, reason: 'start failed' },
  ]);
});

test.each([
  [
    `${before(1)} msg='virt=kvm resrc=dev reason=start vm="win" uuid=${UUID} bus=pci device="0000:4`,
    'is not a device',
  ],
  [
    `${before(1)} msg='virt=kvm resrc=dev reason=start vm="win" uuid=${UUID} bus=pci device="0000:41:00.0" exe=`,
    'result',
  ],
  [
    `${before(1)} msg='virt=kvm op=stop reason=destroyed uuid=${UUID} res=success'`,
    "'vm' is missing",
  ],
])('rejected: %#', (line, reason) => {
  expect(() => libvirtAuditParser().line(line)).toThrow(reason);
});

test('however it is changed, it is read or rejected', () => {
  surviveMutation(libvirtAuditParser, looksLikeLibvirtAudit, lines(STORY));
});

test('long lines take no long time', () => {
  readLongLines(libvirtAuditParser, looksLikeLibvirtAudit, lines(STORY));
});
