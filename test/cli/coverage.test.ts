import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { bisect } from '../../cli/bisect.ts';
import { history } from '../../cli/history.ts';
import { replay } from '../../cli/replay.ts';
import type { Verb } from '../../cli/verb.ts';
import { verify } from '../../cli/verify.ts';
import { who } from '../../cli/who.ts';
import { openLedger } from '../../ledger.ts';
import { temporaryFolder } from '../log/folder.ts';
import { printedBy } from '../support/verbs.ts';
import { hostTopology, twoContexts } from './program.ts';

const folder = temporaryFolder();

/** Logs in which only some processes were seen, and why that is so. */
const partly = {
  strace: ['examples/second-test.strace', 'strace'],
  post: ['examples/forum-post.txt', 'text'],
} as const;

const pathOf = (name: string) => join(folder, `${name}.ledger`);

beforeAll(async () => {
  for (const [name, [file]] of Object.entries(partly)) {
    await using ledger = await openLedger(pathOf(name));
    const chunks = [readFileSync(join(import.meta.dirname, '../..', file), 'utf8')];
    await ledger.importSources([{ name: file, chunks }]);
  }
  await using simulated = await openLedger(pathOf('simulated'));
  const topology = readFileSync(hostTopology, 'utf8');
  await simulated.simulate(readFileSync(twoContexts, 'utf8'), { topology });
});

const none: readonly (readonly [Verb, readonly string[], string])[] = [
  [history, ['--overlaps'], 'no group was seen with two owners at a time'],
  [bisect, ['--invariant', 'one-context-per-group'], 'one-context-per-group was not seen to be'],
  [bisect, ['--where', 'owner.kind = iommufd'], 'it was not seen to hold'],
  [who, ['--orphans'], 'each file that was seen open has a descriptor'],
];

describe.each(Object.entries(partly))('in a log of %s', (name, [file, format]) => {
  const reason = `only some processes were seen (${format} from ${file})`;

  test.each(none)('$0.name $1 says none seen, and why', async (verb, args, words) => {
    const { out } = await printedBy(verb, [...args, '--log', pathOf(name)]);
    expect(out).toContain(`none seen: ${words}`);
    expect(out).toMatch(/^Not all was seen: (?:from|at) position \d+.*: only some processes/m);
    expect(out).toContain(reason);
  });

  test('verify and replay count none seen', async () => {
    const verified = await printedBy(verify, ['--log', pathOf(name)]);
    expect(verified.out).toMatch(/^faults {2}none seen\nseen {4}not all: from position 0 to \d+/m);
    const replayed = await printedBy(replay, ['--profile', 'linux-6.12', '--log', pathOf(name)]);
    expect(replayed.out).toMatch(/^none seen of \d+ attempts would end differently/);
  });

  test('a list is as it was, and --coverage wraps it', async () => {
    const asked = ['--overlaps', '--json', '--log', pathOf(name)];
    expect((await printedBy(history, asked)).out).toBe('[]\n');
    const { out } = await printedBy(history, [...asked, '--coverage']);
    expect(JSON.parse(out)).toMatchObject({
      answer: [],
      coverage: { from: 0, unknown: [{ subject: null, from: 0, to: null, reason }] },
      logEnds: null,
    });
  });
});

test('a simulation says none, and that all processes were seen', async () => {
  const { out } = await printedBy(history, ['--overlaps', '--log', pathOf('simulated')]);
  expect(out).toBe(
    'no group ever had two owners at a time\n' +
      'Seen: all processes of the host, from position 0 to 38\n',
  );
});

test('of a moment after the end of the log nothing is known', async () => {
  const asked = ['--orphans', '--at', '2099-01-01', '--log', pathOf('strace')];
  const { out, err } = await printedBy(who, [...asked, '--json', '--coverage']);
  expect(err).not.toBe('');
  const { coverage, logEnds } = JSON.parse(out) as {
    readonly coverage: { readonly unknown: readonly unknown[] };
    readonly logEnds: unknown;
  };
  expect(coverage.unknown).toHaveLength(1);
  expect(logEnds).toEqual({ position: 15, time: '2025-11-26T09:40:41.049006Z' });
});

test.each([
  ['strace', 'pid:4102', /^start .* none seen .* pytest\[4101\] forked pytest\[4102\]$/m],
  ['simulated', 'pid:101', /^start +10 +nobody /m],
])('of a process a log of %s says nobody only where all was seen', async (name, pid, told) => {
  const { out } = await printedBy(history, [pid, '--log', pathOf(name)]);
  expect(out).toMatch(told);
});
