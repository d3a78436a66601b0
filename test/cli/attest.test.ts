import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { temporaryFolder } from '../log/folder.ts';
import { hostTopology, root, run, twoContexts } from './program.ts';

const folder = temporaryFolder();
const demo = join(folder, 'demo.ledger');
const second = join(folder, 'second.ledger');

beforeAll(async () => {
  await run(['simulate', '--topology', hostTopology, '--log', demo, twoContexts]);
  await run(['import', '--log', second, join(root, 'examples/second-test.strace')]);
});

const attest = (log: string, ...args: readonly string[]) => run(['attest', ...args, '--log', log]);

test('what is proved is exit 0, and says how to check it', async () => {
  const { code, out, err } = await attest(demo, 'never-shared', 'comm:P2', 'comm:P4');
  expect({ code, err }).toEqual({ code: 0, err: '' });
  const lines = out.split('\n');
  expect(lines[0]).toBe(
    'Question: Did comm:P2 and comm:P4 never have a hand in one group at the same time? ' +
      '(never-shared comm:P2 comm:P4)',
  );
  expect(lines[2]).toBe('Verdict:  proved. comm:P2 and comm:P4 never shared a group.');
  expect(out).toMatch(/^ {2}Seen: all processes of the host/m);
  expect(out).toMatch(/^ {2}- +simulation +0 +\d+/m);
  expect(out).toContain(demo);
  const [, head = ''] = /^ {2}(\d+:[\da-f]{64})$/m.exec(out) ?? [];
  const [, words = ''] = /^ {2}vfio-ledger (verify .*)$/m.exec(out) ?? [];
  expect(words).toContain(`--head ${head}`);
  const checked = await run(words.split(' '));
  expect(checked).toMatchObject({ code: 0, err: '' });
  expect(checked.out).toContain(`head    ${head}`);
});

test('what is refuted is exit 1, with every instance', async () => {
  const { code, out } = await attest(demo, 'never-shared', 'comm:P1', 'comm:P2');
  expect(code).toBe(1);
  expect(out).toContain('Verdict:  refuted. comm:P1 and comm:P2 shared a group.');
  expect(out).toMatch(
    /^ {2}SUBJECT +FROM +TO +OWNER +HANDS\n {2}26 +\d+ +\d+ +an iommufd +P1\[101\]/m,
  );
  const range = ['--to', '5'];
  const before = await attest(demo, 'never-shared', 'comm:P1', 'comm:P2', ...range);
  expect(before).toMatchObject({ code: 0, err: '' });
});

test('what is not known is exit 1, and says what was not seen', async () => {
  const { code, out } = await attest(second, 'never-shared', 'pid:4102', 'pid:4103');
  expect(code).toBe(1);
  expect(out).toMatch(/^Verdict: {2}not-known\. .* were not seen to share a group/m);
  expect(out).toMatch(/^ {2}Not all was seen: .*\(strace from /m);
});

test('as JSON it says whether the index answered', async () => {
  const asked = ['sole-owner', 'gpu', 'comm:P1', '--to', '12', '--json'] as const;
  const derived = await attest(demo, ...asked);
  const judged = await attest(demo, ...asked, '--no-index');
  const found = JSON.parse(derived.out) as Record<string, unknown>;
  expect(found).toMatchObject({ subjects: ['0000:3b:00.0', 'comm:P1'], from: 0, to: 12 });
  expect({ ...JSON.parse(judged.out), derived: true }).toEqual(found);
  expect(JSON.parse(judged.out)).not.toHaveProperty('derived');
});

test.each([
  [['never-shared', 'comm:P1', 'comm:P9'], /no tenant comm:P9; nearest/],
  [['never-shared', 'comm:P1', 'P2'], /'P2' is not a tenant/],
  [['never-shared', 'comm:P1', 'pid:101'], /in common: P1\[101\]/],
  [['never-owned', '99', 'comm:P1'], /no group '99'/],
  [['never-owned', 'pid:101', 'comm:P1'], /'pid:101' is a process/],
  [['ever-shared', 'comm:P1', 'comm:P2'], /'ever-shared' is no question/],
  [['never-shared', 'comm:P1', 'comm:P2', '--from', '9', '--to', '3'], /9 is after 3/],
])('%j is exit 2', async (args, reason) => {
  const { code, out, err } = await attest(demo, ...args);
  expect({ code, out }).toEqual({ code: 2, out: '' });
  expect(err).toMatch(reason);
});
