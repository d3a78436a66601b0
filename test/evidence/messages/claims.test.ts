/**
 * Who has a device, and who was refused it, by the words of managers.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { nameAt } from '../../../evidence/messages/quoted-name.ts';
import { looksLikeText, textParser } from '../../../evidence/messages/text.ts';
import { openLedger } from '../../../ledger.ts';
import { readLongLines, shownBy, surviveMutation } from './support.ts';

const device = '0000:c4:00.0';
const UUID = '5d0d1c5e-3f1b-4c2a-9b7e-2f6a4f1d9c33';
const GUEST = '1b4e28ba-2fa1-4d2f-883f-b9a761bde3fb';

const INVALID = 'Requested operation is not valid: ';
const taken = (by: string, of = `PCI device ${device}`) =>
  `${INVALID}${of} is in use by driver QEMU, domain ${by}`;

async function pasted(...lines: readonly string[]) {
  const ledger = await openLedger(':memory:');
  const report = await ledger.import(lines.join('\n'));
  return { ledger, report };
}

/** The claims of a paste: outcome, manager, claimant, device, reason. */
const claimsOf = (text: string) =>
  shownBy(textParser(), text).flatMap((shown) => {
    const said = shown as Record<string, unknown> & { claimant?: { name: string } | null };
    if (said['did'] !== 'claim') return [];
    const { outcome, manager, claimant = null, device: of, reason } = said;
    return [[outcome, manager, claimant?.name ?? null, of, reason]];
  });

/** The claims in a message that says who has the device: theirs, and the one that is refused. */
const both = (manager: string, holder: string, requester: string | null = null, of = device) => [
  ['granted', manager, holder, of, null],
  ['refused', manager, requester, of, `in use by ${holder}`],
];

describe('libvirt', () => {
  const started = (name: string) => `error: Failed to start domain ${name}\nerror: `;
  test.each([
    [`error: ${taken('alpha')}`, 'alpha', null],
    [`${started(`'beta'`)}${taken('alpha')}`, 'alpha', 'beta'],
    [`${started('beta')}${taken('alpha')}`, 'alpha', 'beta'],
    [`${started(`'win 11 pro'`)}${taken('Windows 10')}`, 'Windows 10', 'win 11 pro'],
    [`${started('win 11 pro')}${taken('Windows 10 (old)')}`, 'Windows 10 (old)', 'win 11 pro'],
    [`${started(`"Bob's VM"`)}${taken(`'Al's VM'`)}`, `Al's VM`, `Bob's VM`],
    [`error: Failed to start domain beta: ${taken('alpha')}`, 'alpha', 'beta'],
    [`Error starting domain: ${taken('win10 gpu')}`, 'win10 gpu', null],
    [`libvirt.libvirtError: ${taken('instance-0000002a')}`, 'instance-0000002a', null],
    [`ERROR    ${taken('alpha')}`, 'alpha', null],
    [
      `2026-03-04 05:06:07.123+0000: 812: error : virHostdevPreparePCIDevices:1010 : ${taken('alpha')}`,
      'alpha',
      null,
    ],
    [
      `{"level":"error","msg":"sync","reason":"virError(Code=55, Message='${taken('ns_a b')}')"}`,
      'ns_a b',
      null,
    ],
    [
      `server error. command SyncVMI failed: "LibvirtError(Code=55, Message='${taken('ns_vm')}')"`,
      'ns_vm',
      null,
    ],
    [`could not start (${taken('Windows 10')})`, 'Windows 10', null],
    [`${INVALID}PCI device ${device} is in use by domain alpha`, 'alpha', null],
    [`$ virsh -c qemu:///system start "beta 2"\nerror: ${taken('alpha')}`, 'alpha', 'beta 2'],
    [`$ virsh attach-device beta gpu.xml --live\nerror: ${taken('alpha')}`, 'alpha', 'beta'],
    [`error: ${taken('alpha', `PCI device '${device}'`)}`, 'alpha', null],
  ])('%s', (text, holder, requester) => {
    expect(claimsOf(text)).toEqual(both('libvirt', holder, requester));
    expect(text.split('\n').some((line) => looksLikeText(line))).toBe(true);
  });

  test.each([
    UUID,
    `/sys/bus/mdev/devices/${UUID}`,
    `mdev_${UUID.replaceAll('-', '_')}_0000_c4_00_0`,
  ])('a mediated device: %s', (spelled) => {
    const text = taken('alpha', `mediated device ${spelled}`);
    expect(claimsOf(text)).toEqual(both('libvirt', 'alpha', null, UUID));
  });

  test.each([
    [`${INVALID}PCI device ${device} is in use`, 'in use'],
    [`${INVALID}PCI device ${device} is already in use`, 'in use'],
    [`internal error: Not detaching active device ${device}`, 'in use'],
    [`internal error: Not reattaching active device ${device}`, 'in use'],
    [`${INVALID}PCI device ${device} is not assignable`, 'not assignable'],
    [
      `${INVALID}Unmanaged PCI device ${device} must be manually detached from the host`,
      'not detached from the host',
    ],
  ])('names nobody who has it: %s', (text, reason) => {
    expect(claimsOf(`error: Failed to start domain 'beta 2'\nerror: ${text}`)).toEqual([
      ['refused', 'libvirt', 'beta 2', device, reason],
    ]);
  });

  test('who asked is named just before, and before no other command', () => {
    const far = ['error: Failed to start domain beta', '', 'So', 'then', taken('alpha')];
    expect(claimsOf(far.map((line) => line || '-').join('\n'))).toEqual(both('libvirt', 'alpha'));
    const other = [
      'error: Failed to start domain beta',
      '$ virsh nodedev-detach x',
      taken('alpha'),
    ];
    expect(claimsOf(other.join('\n'))).toEqual(both('libvirt', 'alpha'));
  });
});

describe('other managers', () => {
  const inUse = `PCI device '${device}' already in use by VMID '100'`;
  test.each([
    [inUse, 'proxmox', '100', null],
    [`TASK ERROR: ${inUse}`, 'proxmox', '100', null],
    [`starting VM 101\nTASK ERROR: start failed: ${inUse}`, 'proxmox', '100', '101'],
    [
      `Mar 04 05:06:07 lab pvedaemon[812]: end task UPID:lab:0000A1B2:00C3D4E5:65E5A1B2:qmstart:101:root@pam: ${inUse}`,
      'proxmox',
      '100',
      '101',
    ],
    [`root@lab:~# qm start 101\n${inUse}`, 'proxmox', '100', '101'],
    [`PCI device '${device}' is currently reserved for use by VMID '100'`, 'proxmox', '100', null],
    [`PCI device 'c4:00.0' already in use by VMID '100'`, 'proxmox', '100', null],
    [
      `nova.exception.PciDeviceInvalidOwner: PCI device 1:${device} is owned by ${UUID} instead of ${GUEST}`,
      'nova',
      UUID,
      GUEST,
    ],
    [
      `2026-03-04 05:06:07.123 812 ERROR nova.virt.libvirt.driver [instance: ${GUEST}] ${taken('instance-0000002a')}`,
      'libvirt',
      'instance-0000002a',
      GUEST,
    ],
    [
      `incusd[812]: Failed to start device "gpu": PCI device "${device}" is already in use by instance "web 1"`,
      'incus',
      'web 1',
      null,
    ],
    [
      `$ incus start db\nError: Failed to start device "gpu": PCI device ${device} already in use by instance "web 1"`,
      'incus',
      'web 1',
      'db',
    ],
    [
      `lxd: failed to start instance "db": device ${device} already attached to instance "web"`,
      'lxd',
      'web',
      'db',
    ],
    [
      `libxl: error: libxl_pci.c:812:device_pci_add: PCI device ${device} already assigned to domain 3`,
      'xen',
      '3',
      null,
    ],
    [`harvester: device ${device} is already claimed by VM ns/vm-1`, 'kubevirt', 'ns/vm-1', null],
  ])('%s', (text, manager, holder, requester) => {
    expect(claimsOf(text)).toEqual(both(manager, holder, requester));
  });

  test.each([
    [`PCI device 3:${device} is allocated instead of available`, 'not available', null],
    [`Failed to prepare PCI device ${device} for instance ${GUEST}: busy`, 'not prepared', GUEST],
  ])('Nova: %s', (text, reason, requester) => {
    expect(claimsOf(`nova-compute: ${text}`)).toEqual([
      ['refused', 'nova', requester, device, reason],
    ]);
  });

  test('SPDK names the process that has locked a device', () => {
    const text = `Cannot create lock on device /var/tmp/spdk_pci_lock_${device}, probably process 4242 has claimed it`;
    expect(claimsOf(text)).toEqual(both('spdk', 'pid 4242'));
  });

  test.each([
    'RuntimeError: The TPU is already in use by process with pid 4711. Not attempting to load libtpu.so in this process.',
    `RuntimeError: Unable to initialize backend 'tpu': ABORTED: The TPU is already in use by process with pid 4711.`,
    'libtpu.so already in use by process with pid 4711. Not attempting to load libtpu.so in this process.',
    'E0304 05:06:07.123456 812 tpu_init.cc:81] ABORTED: The TPU is already in use by process with pid 4711.',
    '(Worker pid=81) RuntimeError: The TPU is already in use by process with pid 4711',
    'jaxlib.xla_extension.XlaRuntimeError: ABORTED: TPU is already in use by process with pid 4711.',
  ])('libtpu names a process, and no device: %s', async (text) => {
    const { ledger } = await pasted(text);
    const [granted, refused] = [...ledger.each('claim.granted'), ...ledger.each('claim.refused')];
    expect(granted?.data).toMatchObject({ device: null, claimant: 'pid 4711', manager: 'libtpu' });
    expect(refused?.data).toMatchObject({ device: null, reason: 'in use by pid 4711' });
    expect(ledger.at('end').table()).toMatchObject({ devices: [], groups: [], files: [] });
    expect(ledger.verify().faults).toEqual([]);
  });

  test('a group is named in place of the device', async () => {
    const { ledger } = await pasted(
      'RuntimeError: open(/dev/vfio/57): Device or resource busy; the TPU is already in use by process with pid 4711',
    );
    expect(ledger.claimants('g57')).toMatchObject([
      { claimant: 'pid 4711', manager: 'libtpu', device: null },
    ]);
    expect(ledger.who('g57').holders).toEqual([]);
  });
});

test.each([
  `PCI device ${device} is not in use by any domain`,
  `driver of ${device} is used by nvidia_drm`,
  `device ${device} was assigned to VM web`,
  `PCI device ${device} assigned`,
  'port 80 is already in use by process with pid 4711',
  'VM 100 started',
])('no claim: %s', (text) => {
  expect(claimsOf(text)).toEqual([]);
});

describe('a name ends where the statement ends', () => {
  test.each([
    [`'a b' and more`, 'a b'],
    [`"it's"`, `it's`],
    [`'it's'`, `it's`],
    ['a b', 'a b'],
    ['a b.', 'a b'],
    ['a b\nTraceback', 'a b'],
    ['a b: no', 'a b'],
    ['a b; no', 'a b'],
    ['a b (c)', 'a b (c)'],
    ['a b) no', 'a b'],
    ['(a b) no', 'a b'],
    [`a b')`, 'a b'],
    ['a b at /usr/share/perl5/x.pm line 3.', 'a b'],
    ['“a b”', 'a b'],
    ['', null],
    [`''`, null],
  ])('%j', (text, name) => {
    expect(nameAt(`x ${text}`, 2)).toBe(name);
  });
});

test('whatever the name is, it is read: in quotes, at the end of a line, in a parenthesis', () => {
  const name = fc.stringMatching(/^[A-Za-z\d_-]([A-Za-z\d _-]{0,30}[A-Za-z\d_-])?$/);
  const around = fc.constantFrom(
    "'$'",
    '"$"',
    '“$”',
    '$',
    '$\n',
    '$)',
    "$')",
    '($)',
    '$: no',
    '$.',
  );
  fc.assert(
    fc.property(name, around, (one, form) => {
      const text = `error: ${taken(form.replace('$', one))}`;
      expect(claimsOf(text)).toEqual(both('libvirt', one));
    }),
  );
});

describe('in the log', () => {
  test('a claim is no owner, and has no errno', async () => {
    const { ledger, report } = await pasted(
      `error: Failed to start domain 'win 11 pro'`,
      `error: ${taken('Windows 10')}`,
    );
    expect(report.seen).toEqual({ claim: 2 });
    expect(ledger.claimants(device)).toMatchObject([
      { claimant: 'Windows 10', manager: 'libvirt' },
    ]);
    expect(ledger.who(device)).toMatchObject({ owner: { kind: 'unknown' }, holders: [] });
    expect(ledger.log({ refused: true })).toEqual([]);
    expect([...ledger.each('claim.granted')]).toMatchObject([
      { data: { evidence: { certainty: 'inferred', rule: 'named-as-the-claimant' } } },
    ]);
    const texts = ledger.events.map((event) => ledger.describe(event));
    expect(texts).toContain(`libvirt says that Windows 10 has ${device}`);
    expect(texts).toContain(`libvirt could not give ${device} to win 11 pro`);
  });

  test('it is granted once, however often the manager says so', async () => {
    const at = (second: number) => `2026-03-04T05:06:0${second}Z error: ${taken('alpha')}`;
    const { ledger } = await pasted(at(1), at(2), at(3));
    expect([...ledger.each('claim.granted')]).toHaveLength(1);
    expect([...ledger.each('claim.refused')]).toHaveLength(3);
  });

  test('another claimant in the book says that the last one has it no more', async () => {
    const at = (second: number, by: string) => `2026-03-04T05:06:0${second}Z error: ${taken(by)}`;
    const { ledger } = await pasted(at(1, 'alpha'), at(2, 'gamma'));
    expect(ledger.claimants(device)).toMatchObject([{ claimant: 'gamma' }]);
    expect([...ledger.each('claim.released')]).toMatchObject([{ data: { claimant: 'alpha' } }]);
  });

  test('what a record of audit releases is what the manager has said before, and the reverse', async () => {
    const audit = (second: number, text: string) =>
      `type=VIRT_RESOURCE msg=audit(177260076${second}.100:77): pid=9 uid=0 msg='virt=kvm ${text} res=success'`;
    const dev = `vm="alpha" uuid=${GUEST} bus=pci device="${device}"`;
    const said = `2026-03-04T05:06:06Z error: ${taken('alpha')}`;
    const { ledger } = await pasted(said, audit(8, `resrc=dev reason=detach ${dev}`));
    expect(ledger.claimants(device, { at: 'end' })).toEqual([]);
    const other = await pasted(audit(5, `resrc=dev reason=start ${dev}`), said);
    expect([...other.ledger.each('claim.granted')]).toHaveLength(1);
    expect(other.ledger.claimants(device)).toMatchObject([{ claimant: 'alpha', uuid: GUEST }]);
  });
});

const samples = [
  taken('Windows 10'),
  `error: Failed to start domain 'a b'`,
  `PCI device '${device}' already in use by VMID '100'`,
  'The TPU is already in use by process with pid 4711.',
  `incusd: device "${device}" is already in use by instance "web 1"`,
];

test('however it is changed, it is read or rejected', () => {
  surviveMutation(textParser, looksLikeText, samples);
});

test('long lines take no long time', () => {
  readLongLines(textParser, looksLikeText, samples);
});
