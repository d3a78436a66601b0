import { copyFileSync, mkdtempSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { openLedger } from '../../ledger.ts';
import type { Cause } from '../../machines/causes.ts';
import { causeTable, operationsOf, ruleTable, type CauseRow } from '../../machines/operations.ts';
import { causeWords } from '../../words/causes.ts';
import { temporaryFolder } from '../log/folder.ts';
import { hostTopology, jsonLines, root, run, twoContexts } from './program.ts';

const folder = temporaryFolder();
const log = join(folder, 'log.ledger');

/** The answer to a question, without its exit code, which has to be 0. */
async function ask(...args: string[]): Promise<string> {
  const { code, out, err } = await run([...args, '--log', log]);
  expect(err).toBe('');
  expect(code).toBe(0);
  return out;
}

/** Of the log of `twoContexts`. */
const seen = 'Seen: all processes of the host, from position 0 to 38';

async function askJson(...args: string[]): Promise<unknown> {
  const out = await ask(...args, '--json');
  expect(out.split('\n')).toHaveLength(2);
  return JSON.parse(out);
}

beforeAll(async () => {
  await run(['simulate', '--topology', hostTopology, '--log', log, twoContexts]);
});

describe.concurrent('for people', () => {
  test('table shows what is owned, who holds it, and what no process can name', async () => {
    expect(await ask('table')).toBe(`at position 38

GROUP  OWNER                        SINCE  OPENER  DEVICES         HELD BY
26     iommufd f22                  26     -       gpu, gpu-audio  P3[103] fd 3, 4
41     container of group file f29  30     f29     nvme            P4[104] fd 5

DEVICE        NAME       GROUP  DRIVER    STATE  OPEN FILES
0000:3b:00.0  gpu        26     vfio-pci  bound  f23 by P3[103] fd 4
0000:3b:00.1  gpu-audio  26     vfio-pci  idle   -
0000:5e:00.0  nvme       41     vfio-pci  open   f32 by P4[104] fd 5; f36 by P5[105] fd 3

ORPHANED FILE  KIND   KEPT BY
f29            group  file f32

3 groups without a VFIO driver are not shown (--all)
`);
  });

  test('table --all leaves nothing out, and nobody owns anything at the start', async () => {
    expect(await ask('table', '--all')).toMatch(/^12 +kernel drivers +4 +- +nic +-$/m);
    expect(await ask('table', '--at', 'start')).toBe('before the first event\n');
  });

  test('table shows a group of which no device is known: nobody says that it has no VFIO driver', async () => {
    const copy = ['--log', join(folder, 'no-device.ledger')];
    await run(['import', ...copy, `${root}examples/second-test.strace`]);
    const { out } = await run(['table', ...copy]);
    expect(out).toMatch(/^0 +nobody/m);
    // strace of some processes does not show that a process, or nobody else, holds nothing.
    const early = ['--at', '3', ...copy];
    expect((await run(['who', 'pid:4102', ...early])).out).toContain(
      'pid:4102 was not seen to keep an owner alive.\nIt was not seen to hold anything.\n',
    );
    expect((await run(['who', '0', ...copy])).out).toContain('Nobody was seen to hold it.');
    expect((await run(['who', '0', '--holdings', ...copy])).out).toContain(
      'Nobody was seen to hold it or to keep its owner alive.',
    );
  });

  test('who says it in sentences', async () => {
    expect(await ask('who', 'gpu', '--at', '19')).toBe(`At position 19:
gpu (0000:3b:00.0) is owned by iommufd f8 since position 10.
The owner is kept alive by:
  P2[102]  fd 4  file f15
  P2[102]  fd 5  file f8
Nobody holds it.
`);
    expect(await ask('who', 'pid:104')).toContain(
      'pid:104 keeps the container of group file f29 alive since position 30.',
    );
    expect(await ask('who', 'pid:102')).toBe(`At position 38:
pid:102 keeps no owner alive.
It was killed by SIGKILL at position 25.
Until position 25 it held:
  P2[102]  fd 3  file f14
  P2[102]  fd 4  file f15
  P2[102]  fd 5  file f8
`);
  });

  test('history is a line an interval, and a line for each hand in it', async () => {
    expect(await ask('history', 'gpu')).toBe(`FROM   TO  OWNER                      ENDED WHEN
start  10  nobody                     P1[101] bound the device of fd 4 to the iommufd of fd 3
10     25  iommufd f8                 P2[102] was killed by SIGKILL
10     19    held by P1[101] fd 3, 4  P1[101] was killed by SIGKILL
17     25    held by P2[102] fd 5     P2[102] was killed by SIGKILL
18     25    held by P2[102] fd 4     P2[102] was killed by SIGKILL
25     26  nobody                     P3[103] bound the device of fd 4 to the iommufd of fd 3
26     -   iommufd f22                -
26     -     held by P3[103] fd 3, 4  -
`);
  });

  test('why names the cause, who is in the way, the reason, and what lets it through', async () => {
    expect(await ask('why', '24'))
      .toBe(`position 24: P3[103] tried bind fd=4 iommufd=3 and got EPERM
cause: owned-by-other-iommufd (another iommufd owns the DMA of the group)
in the way: iommufd f8, kept alive by
  P2[102]  fd 4  file f15
  P2[102]  fd 5  file f8
because of:
  18  P2[102] bound the device of fd 4 to the iommufd of fd 5
it would pass after 25: P2[102] was killed by SIGKILL
`);
    expect(await ask('why', 'g41')).toContain(
      'it would not pass at any later position of this log',
    );
  });

  test('the library explains and describes in the words of the command line', async () => {
    const ledger = await openLedger(log, { readOnly: true });
    for (const { position } of ledger.log({ refused: true })) {
      expect(`${ledger.explain(ledger.why(position))}\n`).toBe(await ask('why', `${position}`));
    }
    const [attempt] = ledger.log({ from: 24, to: 24 }).map((event) => ledger.describe(event));
    expect(attempt).toBe('P3[103] tried bind fd=4 iommufd=3 and got EPERM');
    await ledger.close();
  });

  test('log is a line an event, and --refused, --from and --to choose among them', async () => {
    expect(await ask('log', 'gpu', '--from', '12', '--to', '24')).toBe(
      `12  -  device.attached    pid=101 fd=4 pt=2 hwpt=3
23  -  device.opened      pid=103 fd=4 device=0000:3b:00.0 cloexec=false
24  -  operation.refused  bind pid=103 fd=4 iommufd=3 EPERM
`,
    );
    expect((await ask('log', '--refused')).split('\n')).toHaveLength(6);
  });

  test('diff is a line a change', async () => {
    expect(await ask('diff', '10', '26')).toBe(`POSITION  GROUP  BEFORE      AFTER        WHEN
25        26     iommufd f8  nobody       P2[102] was killed by SIGKILL
26        26     nobody      iommufd f22  P3[103] bound the device of fd 4 to the iommufd of fd 3
`);
    expect(await ask('diff', '11', '12')).toMatch(/^no group changed owner/);
  });

  test('replay is a count and a line a difference', async () => {
    expect(await ask('replay', '--profile', 'rfc-2021'))
      .toBe(`4 of 23 attempts would end differently by rfc-2021

POSITION  ATTEMPT                                           RECORDED                           BY rfc-2021
16        P2[102] tried bind fd=4 iommufd=3 and got EPERM   EPERM owned-by-other-iommufd       EBUSY owned-by-other-iommufd
20        P2[102] tried bind fd=4 iommufd=3 and got EINVAL  EINVAL file-already-bound          EBUSY file-already-bound
24        P3[103] tried bind fd=4 iommufd=3 and got EPERM   EPERM owned-by-other-iommufd       EBUSY owned-by-other-iommufd
38        P5[105] tried bind fd=3 iommufd=4 and got EBUSY   EBUSY group-pinned-by-device-file  ENOTTY opened-through-group
${seen}
`);
    const own = await ask('replay', '--profile', 'linux-6.12');
    expect(own).toBe(`none of 23 attempts would end differently by linux-6.12\n${seen}\n`);
    const older = await ask('replay', '--profile', 'linux-6.1');
    expect(older).toMatch(/^8 +P1\[101\] opened an iommufd as fd 3 +passed +ENOENT no-such-node$/m);
  });

  test('rules is a line a check, in order, or a line an operation', async () => {
    const [heading, ...checks] = (await ask('rules', 'open_group')).trimEnd().split('\n');
    expect(heading).toMatch(/^N +ERRNO +CAUSE +CHECK +ASKS +PROFILES +SOURCE$/);
    expect(checks.map((line) => line.split(/ {2,}/).slice(0, 3).join(' '))).toEqual([
      '1 ENOENT no-such-node',
      '2 ENOENT no-such-node',
      '3 EPERM needs-cap-sys-rawio',
      '4 EBUSY cdev-bound-in-group',
      '5 EBUSY group-pinned-by-device-file',
      '6 EBUSY group-already-open',
    ]);
    const older = await ask('rules', 'open_group', '--profile', 'linux-6.1');
    expect(older).toMatch(/^4 +EBUSY +group-pinned-by-device-file /m);
    expect(await ask('rules', 'exec')).toBe('exec is never refused\n');
    const [, ...operations] = (await ask('rules')).trimEnd().split('\n');
    expect(operations).toHaveLength(Object.keys(operationsOf(null)).length);
    expect(operations).toContainEqual(expect.stringMatching(/^open_group +6 +group\.opened$/));
  });

  test('machine is a picture', async () => {
    const newest = await ask('machine', 'deviceFile');
    expect(newest).toBe(await ask('machine', 'deviceFile', '--profile', 'linux-7.3'));
    expect(newest).toMatch(/^stateDiagram-v2\n {2}\[\*\] --> unbound\n/);
    const proposed = await ask('machine', 'device', '--profile', 'rfc-2021');
    expect(proposed).toContain('device.attached [notAttached]');
  });

  test('verify prints the head, which serves as witness', async () => {
    const out = await ask('verify');
    const [, head = ''] =
      /^events {2}39\nhead {4}(38:[\da-f]{64})\nfaults {2}none\nseen {4}all .*\nhost {4}host\n$/.exec(
        out,
      ) ?? [];
    expect(await ask('verify', '--head', head)).toBe(out);
  });

  test('causes is a table', async () => {
    const [heading, ...rows] = (await ask('causes')).trimEnd().split('\n');
    expect(heading).toMatch(/^CAUSE +OPERATION +ERRNO +PROFILES +SOURCE +SUMMARY$/);
    expect(rows).toHaveLength(causeTable().length);
  });
});

describe.concurrent('as JSON', () => {
  const withSummaries = (rows: readonly { readonly cause: Cause }[]) =>
    rows.map((row) => ({ ...row, summary: causeWords(row.cause) }));
  const ofOperations = (rows: readonly CauseRow[]) =>
    rows.map((row) => ({ ...row, summary: causeWords(row.cause, row.operation) }));

  test('the answers are those of the library', async () => {
    const ledger = await openLedger(log, { readOnly: true });
    const [table, who, history, why, diff, replay, verify, causes, rules, bind] = await Promise.all(
      [
        askJson('table', '--at', '33'),
        askJson('who', '41', '--at', '33'),
        askJson('history', 'gpu'),
        askJson('why', 'gpu-audio'),
        askJson('diff', 'start', 'end'),
        askJson('replay', '--profile', 'rfc-2021'),
        askJson('verify'),
        askJson('causes'),
        askJson('rules'),
        askJson('rules', 'bind', '--profile', 'rfc-2021'),
      ],
    );
    expect(table).toEqual(ledger.at(33).table());
    expect(who).toEqual(ledger.who('41', { at: 33 }));
    expect(history).toEqual(ledger.history('gpu'));
    expect(why).toEqual(ledger.why('gpu-audio'));
    expect(diff).toEqual(ledger.diff('start', 'end'));
    expect(replay).toEqual(ledger.replay({ profile: 'rfc-2021' }));
    expect(verify).toEqual(ledger.verify());
    expect(causes).toEqual(ofOperations(causeTable()));
    expect(rules).toEqual(withSummaries(ruleTable()));
    const bindRows = ruleTable('rfc-2021').filter(({ operation }) => operation === 'bind');
    expect(bind).toEqual(withSummaries(bindRows));
    await ledger.close();
  });

  test('replay has the keys that were promised, and nothing where nothing differs', async () => {
    const [first] = (await askJson('replay', '--profile', 'rfc-2021')) as object[];
    expect(JSON.stringify(first)).toBe(
      '{"position":16,"time":null,"operation":"bind",' +
        '"recorded":{"errno":"EPERM","cause":"owned-by-other-iommufd"},' +
        '"other":{"errno":"EBUSY","cause":"owned-by-other-iommufd"}}',
    );
    expect(await askJson('replay', '--profile', 'linux-6.12')).toEqual([]);
  });

  test('machine is a config, in one line or to be read', async () => {
    const config = await askJson('machine', 'container');
    expect(config).toEqual(JSON.parse(await ask('machine', 'container', '--format', 'json')));
    expect(config).toMatchObject({
      id: 'container',
      initial: 'empty',
      context: { groups: 0 },
      states: { empty: { on: { 'container.set': [{ target: 'joined', actions: 'record' }] } } },
    });
  });

  test('log is an array of events with their keys in order', async () => {
    const events = (await askJson('log', '--to', '9')) as object[];
    expect(events).toHaveLength(10);
    const order = ['position', 'time', 'id', 'schema', 'type', 'data', 'hash'];
    for (const event of events) expect(Object.keys(event)).toEqual(order);
    expect(await askJson('log', '--to', 'start')).toEqual([]);
  });

  test('export ends with the head, and comes back as the same log', async () => {
    const text = await ask('export', '--format', 'events');
    const lines = jsonLines(text);
    const { head } = (await askJson('verify')) as { head: string };
    expect(lines.at(-1)).toEqual({ end: { events: 39, head } });
    expect(lines.slice(0, -1)).toEqual(await askJson('log'));
    const copy = join(folder, 'copy.ledger');
    const { out } = await run(['import', '--json', '--log', copy, '-'], { input: text });
    expect(JSON.parse(out)).toEqual({
      read: 40,
      appended: 39,
      skipped: 0,
      unknown: 0,
      rejected: [],
      passedOver: 0,
      seen: {},
      rejectedCount: 0,
      judgedAs: [],
    });
    expect((await run(['export', '--log', copy])).out).toBe(text);
  });
});

test('--until reads a shorter log', async () => {
  expect(await ask('table', '--until', '12')).toMatch(/^at position 12$/m);
  expect(await askJson('verify', '--until', '12')).toMatchObject({ events: 13 });
});

test('reading changes and creates nothing', async () => {
  const own = mkdtempSync(join(folder, 'own-'));
  copyFileSync(log, join(own, 'log.ledger'));
  await Promise.all([
    run(['verify', '--log', join(own, 'log.ledger')]),
    run(['table', '--log', join(own, 'none.ledger')]),
    run(['table'], { env: { XDG_STATE_HOME: join(own, 'state') } }),
  ]);
  expect(readdirSync(own)).toEqual(['log.ledger']);
});
