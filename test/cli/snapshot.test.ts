import { mkdirSync, mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { copiedHost, type CopiedHost } from '../support/copied-host.ts';
import { temporaryFolder } from '../log/folder.ts';
import { run } from './program.ts';

const folder = temporaryFolder();
const copy = (host: CopiedHost) => copiedHost(mkdtempSync(join(folder, 'host-')), host);
const gpu = { device: '0000:3b:00.0', group: '26', driver: 'vfio-pci', cdev: 'vfio2' };
const disk = { device: '0000:01:00.0', group: '7', driver: 'nvme' };
const vm = {
  pid: 4711,
  cgroup: '/machine.slice/machine-qemu\\x2d1\\x2dguest.scope',
  descriptors: {
    20: '/dev/vfio/vfio',
    21: '/dev/vfio/26',
    22: 'anon_inode:[vfio-device]',
  },
};
const held = copy({ devices: [gpu, disk], processes: [vm] });
const idle = copy({ devices: [gpu, disk] });
const spdk = copy({
  devices: [gpu, disk],
  processes: [{ pid: 300, comm: 'spdk_tgt', descriptors: { 9: '/dev/vfio/26' } }],
});

test('a snapshot says who has what and what has changed, and its log is as it should be', async () => {
  const log = join(folder, 'host.ledger');
  const first = await run(['snapshot', '--root', held, '--log', log]);
  expect(first).toMatchObject({ code: 0, err: '' });
  expect(first.out).toMatch(/^26 +container of group file f\d+ \(inferred\) +qemu.*VM guest$/m);
  const again = await run(['snapshot', '--root', held, '--log', log, '--json']);
  expect(JSON.parse(again.out)).toEqual({
    at: { position: expect.any(Number), time: expect.any(String) },
    appended: 1,
    changed: [],
    unseen: [],
    complete: true,
  });
  const { out } = await run(['snapshot', '--root', idle, '--log', log, '--json']);
  expect(JSON.parse(out)).toMatchObject({ appended: 2, changed: [{ type: 'process.exited' }] });
  expect(await run(['verify', '--log', log])).toMatchObject({ code: 0 });
});

test('what is not known is said with its reason', async () => {
  const reason = 'its file is open in spdk_tgt[300], in a container or not';
  const log = join(folder, 'spdk.ledger');
  const { out } = await run(['snapshot', '--root', spdk, '--log', log]);
  expect(out).toContain(`the owner of group 26 is unknown: ${reason}`);
  const { out: text } = await run(['who', gpu.device, '--log', log]);
  expect(text).toMatch(
    /^The owner of 0000:3b:00\.0 is unknown since position \d+, .*: its file is open/m,
  );
  expect(text).toContain(`: ${reason}.`);
});

test('log says below the events what the rules say that inferred some of them, each once', async () => {
  const log = join(folder, 'third.ledger');
  await run(['import', '--log', log, 'examples/second-test.strace']);
  const { out } = await run(['log', '--log', log]);
  const [events = '', rules = ''] = out.split('\n\n');
  const named = [...events.matchAll(/(?:assumed|inferred): (\S+)\]$/gm)].map(([, name]) => name);
  const told = rules
    .trimEnd()
    .split('\n')
    .map((line) => line.split(' ')[0]);
  expect(told).toHaveLength(new Set(named).size);
  expect(new Set(told)).toEqual(new Set(named));
  expect(rules).toMatch(
    /^has-a-node +its node is there, so a VFIO driver is bound to the device, or to one of the group$/m,
  );
});

test('before a group is found its owner is unknown, in text as well', async () => {
  const log = join(folder, 'second.ledger');
  await run(['import', '--log', log, 'examples/second-test.strace']);
  const { code, out } = await run(['who', '0', '--at', '1', '--log', log]);
  expect(code).toBe(0);
  expect(out).toContain('The owner of group 0 is unknown: the evidence has a gap.');
});

test('who has it now is answered without a log', async () => {
  const { code, out } = await run(['who', '/dev/vfio/26', '--now', '--root', held, '--json']);
  expect(code).toBe(0);
  expect(JSON.parse(out)).toMatchObject({
    subject: '26',
    owner: { kind: 'container', certainty: 'inferred', holders: [{ fd: 21 }, { fd: 22 }] },
    unseen: [],
  });
  const none = await run(['who', '/dev/vfio/0', '--now', '--root', held]);
  expect(none).toMatchObject({ code: 2, err: expect.stringContaining('7, 26') });
});

test('who has it now says what could not be seen', async () => {
  const descriptors = { 10: 'anon_inode:[vfio-device]' };
  const nic = { device: '0000:5e:00.0', group: '41', driver: 'vfio-pci' };
  const root = copy({ devices: [gpu, nic], processes: [{ pid: 300, descriptors }] });
  const what = 'which device descriptor 10 of qemu-system-x86[300] is of';
  const { out } = await run(['who', '26', '--now', '--root', root, '--json']);
  expect(JSON.parse(out)).toMatchObject({ owner: { kind: 'unknown' }, unseen: [what] });
  const { out: text } = await run(['who', '26', '--now', '--root', root]);
  expect(text).toContain(what);
});

test('where there is nothing to read no log comes to be', async () => {
  const log = join(folder, 'none.ledger');
  const bare = mkdtempSync(join(folder, 'bare-'));
  expect(await run(['snapshot', '--root', bare, '--log', log])).toMatchObject({ code: 2 });
  mkdirSync(join(bare, 'proc'));
  const empty = await run(['snapshot', '--root', bare, '--log', log]);
  expect(empty).toMatchObject({ code: 4, err: expect.stringContaining('no process can be read') });
  expect(await run(['table', '--log', log])).not.toMatchObject({ code: 0 });
});
