import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openLedger } from '../../ledger.ts';
import { during, runRecorded } from '../../recorder/recorder.ts';
import '../../testing/vitest.ts';
import { temporaryFolder } from '../log/folder.ts';
import { copiedHost, type CopiedHost } from '../support/copied-host.ts';
import { closing, leaving, straceScript } from './tracer-scripts.ts';

const folder = temporaryFolder();
const topology = readFileSync(
  join(import.meta.dirname, '../../examples/host.topology.json'),
  'utf8',
);

const devices = [{ device: '0000:3b:00.0', group: '26', driver: 'vfio-pci', cdev: 'vfio0' }];
const vmm = { pid: 101, comm: 'vmm', descriptors: { 4: '/dev/vfio/26' } };

/** A host of which each reading finds what was put there last. */
function hostWith(name: string, host: Partial<CopiedHost> = {}) {
  const root = join(folder, name);
  const put = (others: Partial<CopiedHost>) => {
    rmSync(root, { recursive: true, force: true });
    copiedHost(root, { devices, bootedAt: 1_700_000_000, ...others });
  };
  put(host);
  return { root, put };
}

test('of a simulation, the events that a function appends', async () => {
  const ledger = await openLedger(':memory:');
  await ledger.simulate('open_cdev B gpu-audio\n', { topology });
  const activity = await during(ledger, () =>
    ledger.simulate('open_cdev A gpu\nclose A\n', { topology }),
  );
  expect(activity.opened).toMatchObject([{ device: '0000:3b:00.0' }]);
  expect(activity).toReleaseEverything();
});

test('of a running host, what two readings show', async () => {
  const { root, put } = hostWith('read');
  const ledger = await openLedger(':memory:');
  const leaking = await during(ledger, () => put({ processes: [vmm] }), { root });
  expect(leaking.leaks).toMatchObject([{ kind: 'group', group: '26', pid: 101, isSeen: false }]);
  expect(leaking).not.toReleaseEverything();
  const clean = await during(ledger, () => put({}), { root });
  expect(clean.opened).toEqual([]);
  expect(clean).toReleaseEverything();
  // What was held before is no leak of what came after.
  put({ processes: [vmm] });
  expect(await during(ledger, () => {}, { root })).toReleaseEverything();
});

test('what the function throws is thrown', async () => {
  const ledger = await openLedger(':memory:');
  const { root } = hostWith('thrown');
  const thrown = during(ledger, () => Promise.reject(new Error('no such guest')), { root });
  await expect(thrown).rejects.toThrow('no such guest');
});

test('after a command that was run under strace, the host says who holds what', async () => {
  const run = async (name: string, lines: readonly string[], readsAfter: boolean) => {
    const { root } = hostWith(name);
    const tracer = {
      format: 'strace',
      command: straceScript(join(folder, `${name}.sh`), lines),
    } as const;
    const ledger = await openLedger(':memory:');
    return runRecorded(ledger, ['true'], { tracer, patienceMs: 200, root, readsAfter });
  };
  expect(await run('closing', closing, true)).toReleaseEverything();
  // strace shows no other process, which may have got a file.
  const unread = await run('unread', closing, false);
  expect(unread).toReleaseEverything({ unknown: 'allow' });
  expect(() => expect(unread).toReleaseEverything()).toThrow('not known: who holds what');
  const leaking = await run('leaking', leaving, false);
  expect(() => expect(leaking).toReleaseEverything({ unknown: 'allow' })).toThrow('vmm[101] fd 4');
});
