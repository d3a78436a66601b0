import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { temporaryFolder } from '../log/folder.ts';
import { hostTopology, run, twoContexts } from './program.ts';

const log = join(temporaryFolder(), 'log.ledger');
const bisect = (...args: string[]) => run(['bisect', ...args, '--log', log]);

beforeAll(async () => {
  await run(['simulate', '--topology', hostTopology, '--log', log, twoContexts]);
});

describe.concurrent('bisect --where', () => {
  const thirdOwner = 'group 26 owner.kind = "iommufd" and holders.comm ~ "P3"';

  test('shows the first event, the row, and the fewest events', async () => {
    expect(await bisect('--where', thirdOwner)).toEqual({
      code: 0,
      err: '',
      out: `it first holds at position 26: group 26: owner.kind iommufd, holders.comm [P3, P3]
the fewest events that show it:
  1   device 0000:3b:00.0 was added, in group 26, with driver vfio-pci
  21  P3[103] started
  22  P3[103] opened an iommufd as fd 3
  23  P3[103] opened device 0000:3b:00.0 as fd 4
  26  P3[103] bound the device of fd 4 to the iommufd of fd 3
Seen: all processes of the host, from position 0 to 38
`,
    });
  });

  test('is data', async () => {
    const { code, out } = await bisect('--where', thirdOwner, '--json');
    expect(code).toBe(0);
    expect(JSON.parse(out)).toEqual({
      invariant: null,
      where: thirdOwner,
      position: 26,
      time: null,
      event: expect.objectContaining({ position: 26, type: 'device.bound' }),
      detail: 'group 26: owner.kind iommufd, holders.comm [P3, P3]',
      cause: null,
      prefix: [1, 21, 22, 23, 26],
      coverage: { from: 0, to: 38, fromTime: null, toTime: null, unknown: [] },
    });
  });

  test('exits 1 where it never holds', async () => {
    const never = ['--where', 'group 26 owner.kind = container'];
    const seen = 'Seen: all processes of the host, from position 0 to 38';
    expect(await bisect(...never)).toEqual({ code: 1, err: '', out: `it never holds\n${seen}\n` });
    expect(await bisect(...never, '--json')).toEqual({ code: 1, err: '', out: 'null\n' });
    const { out } = await bisect(...never, '--json', '--coverage');
    expect(JSON.parse(out)).toMatchObject({ answer: null, coverage: { unknown: [] } });
  });

  test('looks no further than --until', async () => {
    const { code } = await bisect('--where', thirdOwner, '--until', '25');
    expect(code).toBe(1);
  });

  test.each([
    [['--where', 'group 26 owner.knd = x'], "column 10 of the expression: 'knd' is not a key of"],
    [['--where', ''], 'column 1 of the expression: expected a condition, not the end'],
    [['--where', 'group 99 viable'], "this log has no group '99'"],
    [['--where', 'device gpu9 state = open'], "this log has no device 'gpu9'"],
    [['--where', 'file f1 kind = group'], "this log has no file 'f1'"],
    [
      [],
      'bisect: --invariant NAME or --where EXPR is missing; invariants are one-context-per-group, ',
    ],
    [
      ['--where', 'viable', '--invariant', 'one-context-per-group'],
      'bisect: give either --invariant or --where, not both',
    ],
  ])('%j is a bad request', async (args, message) => {
    const { code, out, err } = await bisect(...args);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toContain(`vfio-ledger: ${message}`);
    expect(err.trimEnd().split('\n')).toHaveLength(1);
  });
});
