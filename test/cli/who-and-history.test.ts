import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Fact, LedgerEvent } from '../../events/vocabulary.ts';
import { openLedger, type Ledger } from '../../ledger.ts';
import { temporaryFolder } from '../log/folder.ts';
import { hostTopology, run, twoContexts } from './program.ts';

const folder = temporaryFolder();
const demo = join(folder, 'demo.ledger');
const odd = join(folder, 'odd.ledger');
const claimed = join(folder, 'claimed.ledger');

const ask = (log: string, ...args: readonly string[]) => run([...args, '--log', log]);

/** What an odd host was seen to do: an unbind that waited, and a second owner beside the first. */
const scenario = `seq odd
open_iommufd I
open_cdev A gpu
bind A I
@P2 open_iommufd J
@P2 open_cdev B gpu-audio
@P2 open_cdev C nvme
set_driver nvme none
@P2 close C
`;

const qemu = String.raw`/machine.slice/machine-qemu\x2d3\x2dvm3.scope`;

const seen: Fact[] = [
  { type: 'process.started', data: { pid: 300, comm: 'qemu-system-x86', cgroup: qemu } },
  { type: 'descriptor.passed', data: { pid: 101, fd: 3, to: 300, as: 9 } },
  { type: 'device.bound', data: { pid: 102, fd: 4, iommufd: 3, id: 1 } },
  { type: 'process.exited', data: { pid: 102, signal: null } },
];

/** What a manager says of a device, with the seconds of its events. */
const card = '0000:3b:00.0';
const claim = (claimant: string) => {
  return { device: card, claimant, uuid: null, manager: 'libvirt', reason: null };
};
const booted = { boot: 'b', kernel: '7.3.4', profile: null, iommufd: true, simulated: false };
const plugged = { device: card, name: null, group: '26', driver: 'vfio-pci', model: null };
const claims: (Fact & { readonly at: number })[] = [
  { at: 0, type: 'host.booted', data: booted },
  { at: 1, type: 'device.added', data: { ...plugged, cdev: null } },
  { at: 2, type: 'claim.granted', data: claim('vm1') },
  { at: 5, type: 'claim.released', data: claim('vm1') },
  { at: 9, type: 'claim.granted', data: claim('vm2') },
];

async function append(
  ledger: Ledger,
  facts: readonly (Fact & { readonly at?: number })[],
): Promise<void> {
  const events = facts.map(({ at, ...fact }, index): LedgerEvent => {
    const time = at === undefined ? null : `2026-01-01T00:00:0${at}.000000Z`;
    return { ...fact, id: `x${index}`, time } as LedgerEvent;
  });
  await ledger.append(ledger.head.position, events);
}

beforeAll(async () => {
  await run(['simulate', '--topology', hostTopology, '--log', demo, twoContexts]);
  await run(['simulate', '--topology', hostTopology, '--log', odd, '-'], { input: scenario });
  const ledger = await openLedger(odd);
  await append(ledger, seen);
  await ledger.close();
  const other = await openLedger(claimed);
  await append(other, claims);
  await other.close();
});

describe.concurrent('for people', () => {
  test('history --by names whose hands were in it, from when to when', async () => {
    expect(await ask(demo, 'history', '26', '--by', 'P2')).toEqual({
      code: 0,
      err: '',
      out: `FROM  TO  OWNER                   ENDED WHEN
10    25  iommufd f8              P2[102] was killed by SIGKILL
17    25    held by P2[102] fd 5  P2[102] was killed by SIGKILL
18    25    held by P2[102] fd 4  P2[102] was killed by SIGKILL
Seen: all processes of the host, from position 0 to 38
`,
    });
    expect(await ask(demo, 'history', '--by', 'pid:104')).toMatchObject({
      out: `GROUP  FROM  TO  OWNER                        ENDED WHEN
41     30    -   container of group file f29  -
41     30    33    held by P4[104] fd 4       P4[104] closed fd 4
41     32    -     held by P4[104] fd 5       -
Seen: all processes of the host, from position 0 to 38
`,
    });
  });

  test('history --by shows the control groups that were found', async () => {
    const { out, code } = await ask(odd, 'history', 'gpu', '--by', 'vm3');
    expect(code).toBe(0);
    expect(out).toMatch(/^FROM +TO +OWNER +CONTROL GROUP +ENDED WHEN$/m);
    expect(out).toMatch(/^\d+ +\d+ +held by qemu-system-x86\[300\] fd 9 +\/machine\.slice/m);
    // What followed the second owner is not known of anybody.
    expect(out).toMatch(/^\d+ +- +unknown +- +-$/m);
  });

  test('history --by is 1 where it never was theirs, and 2 where nobody is called that', async () => {
    expect(await ask(demo, 'history', '41', '--by', 'pid:101')).toEqual({
      code: 1,
      err: '',
      out: 'pid:101 never kept an owner of 41 alive\nSeen: all processes of the host, from position 0 to 38\n',
    });
    expect(await ask(demo, 'history', '--by', 'P7')).toEqual({
      code: 2,
      err: "vfio-ledger: this log has no process and no control group 'P7'; nearest are P5, P4 and P3\n",
      out: '',
    });
  });

  test('history --waiters names who waited, and for whom', async () => {
    expect(await ask(odd, 'history', 'nvme', '--waiters')).toMatchObject({
      code: 0,
      out: expect.stringMatching(
        /^DEVICE +FROM +TO +WAITER +WAITED FOR +ENDED WHEN\n0000:5e:00\.0 +\d+ +\d+ +\S.* +P2\[102\] fd 5 +P2\[102\] closed fd 5\nSeen: all processes .*\n$/,
      ),
    });
    expect(await ask(odd, 'history', 'gpu', '--waiters')).toMatchObject({
      code: 0,
      out: expect.stringMatching(
        /^none seen: nobody was seen to wait for gpu\nNot all was seen: 0000:3b:00\.0, from .*\n$/,
      ),
    });
  });

  test('history --overlaps is 1 where there are two owners, and names them', async () => {
    const { code, out } = await ask(odd, 'history', '--overlaps');
    expect(code).toBe(1);
    const [heading, row] = out.split('\n');
    expect(heading).toMatch(/^GROUP +FROM +TO +OWNERS +BEGAN WHEN +ENDED WHEN$/);
    expect(row).toMatch(
      /iommufd f\d+ by P1\[101\] fd 3, 4; .*and iommufd f\d+ by P2\[102\] fd 3, 4/,
    );
    expect(row).toMatch(/P2\[102\] bound the device of fd 4.* {2}P2\[102\] exited$/);
    expect(await ask(demo, 'history', '--overlaps')).toEqual({
      code: 0,
      err: '',
      out: `no group ever had two owners at a time\nSeen: all processes of the host, from position 0 to 38\n`,
    });
    expect(await ask(odd, 'history', 'nvme', '--overlaps')).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^nvme never had two owners at a time\nSeen: all processes .*\n$/),
    });
  });

  test('claims are marked as claims, from when to when, and own nothing', async () => {
    const { out: told } = await ask(claimed, 'history', '26');
    expect(told)
      .toBe(`FROM   TIME                         TO  TIME                         FOR  OWNER                       ENDED WHEN
start  -                            -   -                            -    nobody                      -
2      2026-01-01T00:00:02.000000Z  3   2026-01-01T00:00:05.000000Z  3 s    claimed by vm1 (libvirt)  libvirt took 0000:3b:00.0 back from vm1
4      2026-01-01T00:00:09.000000Z  -   -                            -      claimed by vm2 (libvirt)  -
`);
    const line =
      '0000:3b:00.0  claimed by vm2 (libvirt), since position 4, 2026-01-01T00:00:09.000000Z';
    for (const asked of [['table'], ['who', '26'], ['who', '0000:3b:00.0']]) {
      const { out } = await ask(claimed, ...asked);
      expect(out).toContain(`Claims of managers, unknown to the kernel:\n  ${line}\n`);
    }
    const ledger = await openLedger(claimed, { readOnly: true });
    const claimants = [expect.objectContaining({ claimant: 'vm2', manager: 'libvirt', since: 4 })];
    const { groups, devices } = ledger.at().table();
    expect([groups[0]?.claimants, devices[0]?.claimants, ledger.who('26').claimants]).toEqual([
      claimants,
      claimants,
      claimants,
    ]);
    await ledger.close();
  });

  test('table shows who was seen to hold the files of a group whose owner is unknown', async () => {
    const { out } = await ask(odd, 'table');
    expect(out).toMatch(/^26 +unknown +\d+ +- +\S.* +seen: f\d+ by P1\[101\] fd 4$/m);
  });

  test('who --holdings goes on from who', async () => {
    expect(await ask(demo, 'who', 'gpu', '--at', '19', '--holdings')).toMatchObject({
      code: 0,
      out: `At position 19:
PROCESS  BY    FILE  KIND     GROUP  DEVICE        KEEPS OWNER OF
P2[102]  fd 3  f14   iommufd  -      -             -
P2[102]  fd 4  f15   device   26     0000:3b:00.1  26
P2[102]  fd 5  f8    iommufd  -      -             26
`,
    });
    expect((await ask(demo, 'who', '12', '--holdings')).out).toBe(
      'At position 38:\nNobody holds it or keeps its owner alive.\n',
    );
  });

  test('who --orphans has what nobody can name, and who keeps it', async () => {
    expect(await ask(demo, 'who', '--orphans')).toMatchObject({
      code: 0,
      out: `At position 38:
FILE  KIND   GROUP  OWNER                        KEPT BY   DEVICE        HELD BY
f29   group  41     container of group file f29  file f32  0000:5e:00.0  P4[104] fd 5
Seen: all processes of the host, at position 38
`,
    });
    expect((await ask(demo, 'who', '--orphans', '--at', 'start')).out).toBe(
      'Before the first event:\nNo orphaned file: each open file has a descriptor or a mapping in a process.\n' +
        'Seen: all processes of the host, at position 0\n',
    );
  });
});

test('as JSON the answers are those of the library', async () => {
  const json = async (log: string, ...args: readonly string[]) => {
    return JSON.parse((await ask(log, ...args, '--json')).out) as unknown;
  };
  const ledger = await openLedger(odd, { readOnly: true });
  expect(await json(odd, 'history', 'gpu', '--by', 'vm3')).toEqual(
    ledger.everOwned('vm3', { subject: 'gpu' }),
  );
  expect(await json(odd, 'history', '--by', 'P1')).toEqual(ledger.everOwned('P1'));
  expect(await json(odd, 'history', '--waiters')).toEqual(ledger.waits());
  expect(await json(odd, 'history', '26', '--overlaps')).toEqual(ledger.overlaps('26'));
  expect(await json(odd, 'who', 'pid:102', '--at', '9', '--holdings')).toEqual(
    ledger.at(9).holdings('pid:102'),
  );
  await ledger.close();
  const other = await openLedger(demo, { readOnly: true });
  expect(await json(demo, 'who', '--orphans')).toEqual(other.at().orphans());
  expect(await json(demo, 'history', '--overlaps')).toEqual([]);
  expect(await json(demo, 'history', '--overlaps', '--coverage')).toEqual({
    answer: [],
    coverage: other.coverage(),
    logEnds: null,
  });
  expect(await json(demo, 'who', '--orphans', '--at', '9', '--coverage')).toEqual({
    answer: other.at(9).orphans(),
    coverage: other.coverage({ from: 9, to: 9 }),
    logEnds: null,
  });
  expect(await json(demo, 'history', 'gpu', '--coverage')).toEqual({
    answer: other.history('gpu'),
    coverage: other.coverage({ subject: 'gpu' }),
    logEnds: null,
  });
  expect(await json(demo, 'history', '41', '--by', 'P1')).toEqual([]);
  await other.close();
});

test.each([
  [['history'], /^history: an operand is missing; usage: vfio-ledger history SUBJECT/],
  [['history', 'gpu', '41'], /^history: too many operands/],
  [['history', '--by', 'P1', '--waiters'], /^history: --by and --waiters cannot be combined/],
  [['history', '99', '--overlaps'], /^this log has no group '99'/],
  [['history', '99', '--by', 'P1'], /^this log has no group '99'/],
  [['history', 'pid:101', '--waiters'], /^'pid:101' is a process: expected a device or a group/],
  [['history', '--by'], /^option '--by' needs a value/],
  [['history', '--orphans'], /^unknown option '--orphans'/],
  [['who'], /^who: an operand is missing; usage: vfio-ledger who SUBJECT\|--orphans/],
  [
    ['who', 'gpu', '--orphans'],
    /^who: --orphans is about the whole host and cannot be combined with a subject/,
  ],
  [['who', '--orphans', '--holdings'], /^who: --orphans .* cannot be combined with --holdings/],
  [['who', '--holdings'], /^who: an operand is missing/],
  [['who', 'gpu', '--coverage'], /^who: --coverage needs --orphans/],
  [['who', 'pid:9', '--holdings'], /^this log has no process 'pid:9'/],
])('%j is a bad request', async (args, message) => {
  const { code, out, err } = await ask(demo, ...args);
  expect({ code, out }).toEqual({ code: 2, out: '' });
  expect(err.replace(/^vfio-ledger: /, '')).toMatch(message);
});
