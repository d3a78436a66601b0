import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { openLedger, type Ledger } from '../../ledger.ts';
import { temporaryFolder } from '../log/folder.ts';
import * as matchers from '../../testing/matchers.ts';
import '../../testing/vitest.ts';
import type { MatcherAnswer } from '../../testing/verdict.ts';
import type { Holder, Owner } from '../../projections/shapes.ts';

const root = join(import.meta.dirname, '../..');
const read = (name: string) => readFileSync(join(root, 'examples', name), 'utf8');

let incident: Ledger;
let strace: Ledger;

beforeAll(async () => {
  incident = await openLedger(':memory:');
  await incident.import(read('incident.truth.jsonl'), { format: 'truth' });
  strace = await openLedger(':memory:');
  await strace.import(read('second-test.strace'), { format: 'strace' });
});

type Name = keyof typeof matchers;
type Matcher = (...given: unknown[]) => MatcherAnswer;
const byName = new Map(Object.entries(matchers) as [Name, Matcher][]);

function matcherNamed(name: Name): Matcher {
  const matcher = byName.get(name);
  if (matcher === undefined) throw new RangeError(`there is no matcher ${name}`);
  return matcher;
}

/** Whether a matcher passes in the plain and the negated form: `[true, false]` where it holds. */
function forms(name: Name, subject: unknown, ...given: unknown[]): boolean[] {
  const matcher = matcherNamed(name);
  return [false, true].map((isNot) => {
    const { pass, message } = Reflect.apply(matcher, { isNot }, [subject, ...given]);
    expect(message()).not.toBe('');
    return pass !== isNot;
  });
}

const holds = [true, false];
const fails = [false, true];
/** A negated matcher passes if it does not hold; what is not known fails in both forms. */
const notKnown = [false, false];

const holder: Holder = { pid: 7, comm: 'vmm', cgroup: null, via: 'fd', fd: 3, file: 'f3' };
const owned = (...holders: Partial<Holder>[]): { readonly owner: Owner } => ({
  owner: { kind: 'iommufd', file: 'f3', holders: holders.map((one) => ({ ...holder, ...one })) },
});

describe('a holder', () => {
  test('matches if all keys that are named do, and one holder is enough', () => {
    const two = owned({ pid: 8, comm: 'other' }, {});
    expect(forms('toBeOwnedBy', two, { pid: 7, comm: 'vmm', fd: 3 })).toEqual(holds);
    expect(forms('toBeOwnedBy', two, { pid: 8, comm: 'vmm' })).toEqual(fails);
    expect(forms('toBeOwnedBy', two, {})).toEqual(holds);
    expect(forms('toBeOwnedBy', owned(), {})).toEqual(fails);
    expect(forms('toBeOwnedBy', two, { comm: expect.stringMatching(/^vm/) })).toEqual(holds);
    expect(forms('toBeOwnedBy', two, expect.objectContaining({ pid: 9 }))).toEqual(fails);
    expect(forms('toBeOwnedBy', two, { via: 'fd', pid: undefined })).toEqual(holds);
  });

  test('whose value the evidence does not show may be any', () => {
    const unseen = owned({ pid: null });
    expect(forms('toBeOwnedBy', unseen, { pid: 7 })).toEqual(notKnown);
    expect(forms('toBeOwnedBy', unseen, { pid: 7, comm: 'other' })).toEqual(fails);
    expect(forms('toBeOwnedBy', unseen, { comm: 'vmm' })).toEqual(holds);
    expect(forms('toBeOwnedBy', unseen, { pid: expect.any(Number) })).toEqual(notKnown);
    expect(forms('toBeOwnedBy', unseen, expect.objectContaining({ pid: 7 }))).toEqual(notKnown);
    expect(forms('toBeOwnedBy', unseen, expect.not.objectContaining({ pid: 7 }))).toEqual(notKnown);
    expect(forms('toBeOwnedBy', unseen, expect.objectContaining({ comm: 'vmm' }))).toEqual(holds);
    expect(forms('toBeOwnedBy', unseen, { pid: 7 }, { unknown: 'allow' })).toEqual(fails);
    expect(forms('toBeOwnedBy', owned({ cgroup: null }), { cgroup: '/a' })).toEqual(notKnown);
    // A file in the kernel has no process.
    const kernel = owned({ via: 'kernel', pid: null, comm: null, fd: null });
    expect(forms('toBeOwnedBy', kernel, { pid: 7 })).toEqual(fails);
  });

  test('that another one matches is known, whatever the others are', () => {
    expect(forms('toBeOwnedBy', owned({ pid: null }, {}), { pid: 7 })).toEqual(holds);
  });
});

describe('an owner that is unknown', () => {
  const group = () => strace.at(5).group('0');

  test('fails every question about it, but the one for that', () => {
    expect(group().owner.kind).toBe('unknown');
    expect(forms('toBeUnowned', group())).toEqual(notKnown);
    expect(forms('toBeOwnedBy', group(), { pid: 4101 })).toEqual(notKnown);
    expect(forms('toBeHeldBy', group(), { pid: 4101 })).toEqual(notKnown);
    expect(forms('toHaveUnknownOwner', group())).toEqual(holds);
    const copy: unknown = JSON.parse(JSON.stringify(group()));
    expect(forms('toBeUnowned', copy)).toEqual(notKnown);
  });

  test('also inside of other matchers', () => {
    const one = { group: group() };
    expect(() => expect(one).toEqual({ group: expect.toBeUnowned() })).toThrow('equal');
    expect(() => expect(one).toEqual({ group: expect.not.toBeUnowned() })).toThrow('equal');
    expect(one).toEqual({ group: expect.toHaveUnknownOwner() });
  });

  test('ends a negated poll in a rejection', async () => {
    const polled = async () =>
      await expect.poll(group, { timeout: 50, interval: 10 }).not.toBeUnowned();
    await expect(polled()).rejects.toThrow('not known: its owner is unknown');
  });

  test('is judged by what was seen where that is allowed', () => {
    const allowed = { unknown: 'allow' };
    expect(forms('toBeUnowned', group(), allowed)).toEqual(fails);
    expect(forms('toBeHeldBy', group(), { pid: 4101 }, allowed)).toEqual(holds);
    expect(forms('toBeHeldBy', group(), { pid: 4102 }, allowed)).toEqual(fails);
  });

  test('is told with since when it is, and why', () => {
    expect(matchers.toBeUnowned(group()).message()).toContain(
      'not known: its owner is unknown (the evidence has a gap)\n\nOwner: unknown since',
    );
  });
});

test('kernel drivers own, so a group of theirs is not unowned', () => {
  const group = incident.at('end').group('11');
  expect(group.owner.kind).toBe('kernel');
  expect(forms('toBeUnowned', group)).toEqual(fails);
});

describe('a history of which not everything was seen', () => {
  test('fails every question about it, unless that is allowed', () => {
    const allowed = { unknown: 'allow' };
    const refusal = { operation: 'open_group' };
    const other = { operation: 'bind' };
    const invariant = 'one-context-per-group';
    const profile = { profile: 'linux-7.3' };
    expect(forms('toHaveRefused', strace, refusal)).toEqual(notKnown);
    expect(forms('toHaveRefused', strace, other)).toEqual(notKnown);
    expect(forms('toSatisfyInvariant', strace, invariant)).toEqual(notKnown);
    expect(forms('toConformTo', strace, profile)).toEqual(notKnown);
    expect(forms('toReleaseEverything', strace.between('start', 'end'))).toEqual(notKnown);
    expect(forms('toHaveRefused', strace, refusal, allowed)).toEqual(holds);
    expect(forms('toHaveRefused', strace, other, allowed)).toEqual(fails);
    expect(forms('toSatisfyInvariant', strace, invariant, allowed)).toEqual(holds);
    expect(forms('toConformTo', strace, profile, allowed)).toEqual(holds);
    expect(forms('toReleaseEverything', strace.between('start', 'end'), allowed)).toEqual(holds);
  });

  test('is one of which nothing was recorded, too', async () => {
    const empty = await openLedger(':memory:');
    expect(forms('toSatisfyInvariant', empty, 'one-context-per-group')).toEqual(notKnown);
    expect(forms('toReleaseEverything', empty.between('start', 'end'))).toEqual(notKnown);
  });

  test('of a range, only its two moments are asked about', () => {
    expect(forms('toReleaseEverything', incident.between(24, 26))).toEqual(holds);
    expect(forms('toReleaseEverything', incident.between('start', 29))).toEqual(fails);
  });
});

test('a refusal whose cause is not known may be the one that was expected', async () => {
  const post = await openLedger(':memory:');
  await post.import(read('forum-post.txt'));
  const allowed = { unknown: 'allow' };
  const { message } = matchers.toHaveRefused(post, { cause: 'group-already-open' });
  expect(message()).toContain('not known');
  expect(
    forms('toHaveRefused', post, { operation: 'open_group', errno: 'EBUSY' }, allowed),
  ).toEqual(holds);
  expect(forms('toHaveRefused', post, { cause: 'group-already-open' }, allowed)).toEqual(fails);
});

test('what is no subject, no pattern or no name fails in every form, and says why', () => {
  const then = incident.at(29);
  const wrong: [Name, unknown, unknown[], string][] = [
    ['toBeUnowned', 42, [], 'it takes a device or a group at a moment'],
    ['toBeUnowned', incident, [], 'it takes a device or a group at a moment'],
    ['toBeHeldBy', then.table(), [{}], 'it takes a device or a group at a moment'],
    ['toBeOwnedBy', then.group('1'), [{ pdi: 4711 }], "there is no key 'pdi'"],
    ['toBeOwnedBy', then.group('1'), [4711], 'it takes an object such as { pid: 4711 }'],
    ['toBeOwnedBy', then.group('1'), [{}, { unknown: 'yes' }], "unknown takes 'allow' or 'fail'"],
    [
      'toHaveRefused',
      incident,
      [{ operation: 'bnid' }],
      "there is no operation 'bnid'; nearest is bind",
    ],
    ['toHaveRefused', incident, [{ cause: 'nobody' }], "there is no cause 'nobody'"],
    ['toHaveRefused', then.table(), [{}], 'it takes a ledger'],
    ['toSatisfyInvariant', incident, ['one-owner'], "no invariant 'one-owner'; known are"],
    ['toConformTo', incident, [{ profile: 'linux-1.0' }], "no profile 'linux-1.0'; known are"],
    ['toConformTo', incident, [], 'replay takes an object with a profile'],
    ['toReleaseEverything', incident, [], 'it takes what ledger.between'],
  ];
  for (const [name, subject, given, said] of wrong) {
    expect(forms(name, subject, ...given), name).toEqual(notKnown);
    expect(matcherNamed(name)(subject, ...given).message()).toContain(said);
  }
});

test('what a program concluded is no refusal', async () => {
  const log = await openLedger(':memory:');
  await log.import('qemu-system-x86_64: vfio 0000:01:00.0: group 1 is not viable\n', {
    format: 'text',
  });
  expect(log.log({ refused: true })).toHaveLength(1);
  expect(forms('toHaveRefused', log, {}, { unknown: 'allow' })).toEqual(fails);
});

describe('the whole text of a failure', () => {
  test('is that of the texts which every runner is compared with', async () => {
    const {
      cases,
      incident: play,
      stable,
      textOf,
    } = (await import(join(root, 'test/consumers/project/cases.js'))) as CasesModule;
    const ledger = await play(openLedger, new URL('../../examples/', import.meta.url));
    for (const one of cases) {
      const { matcher, of, given, not = false, name } = one;
      const asked = [of(ledger), ...given];
      const { pass, message } = Reflect.apply(matcherNamed(matcher), { isNot: not }, asked);
      expect(pass, name).toBe(not);
      expect(`${stable(message())}\n`, name).toBe(textOf(one));
    }
  });

  test('names the host in its command if the log has several, also one called host', async () => {
    const path = join(temporaryFolder(), 'several.ledger');
    const command = async (host: string) => {
      await using ledger = await openLedger(path, { host });
      if (ledger.length === 0)
        await ledger.simulate('open_group G gpu', { topology: read('host.topology.json') });
      const answer = ledger.at('end').group('26');
      return Reflect.apply(matcherNamed('toBeUnowned'), { isNot: true }, [answer]).message();
    };
    expect(await command('host')).toMatch(/ --log \S+several\.ledger$/);
    expect(await command('other')).toMatch(/ --log \S+several\.ledger --host other$/);
    expect(await command('host')).toMatch(/ --log \S+several\.ledger --host host$/);
  });

  test('ends with a command for the log, which is kept if it was in memory', async () => {
    const message = matchers.toBeUnowned(incident.at(25).group('1')).message();
    const [, path = ''] = /--log (\S+)$/.exec(message) ?? [];
    // By no name of a temporary folder: an import clears those whose process has ended.
    expect(path).toMatch(/\/vfio-ledger-kept-\w+\/kept\.ledger$/);
    const kept = await openLedger(path, { readOnly: true });
    expect(kept.head).toEqual(incident.head);
    expect(kept.why(29)).toEqual(incident.why(29));
    expect(kept.verify({ head: `${incident.head.position}:${incident.head.hash}` }).faults).toEqual(
      [],
    );
    await kept.close();
    const again = matchers.toBeUnowned(incident.at(24).group('1')).message();
    expect(again).toContain(path);
  });

  test('opens the log of a what-if where it forks', () => {
    const fork = incident.at(29).fork();
    fork.attempt({ operation: 'close', pid: 101, fd: 4 });
    const { message } = matchers.toBeOwnedBy(fork.at('end').group('1'), { pid: 102 });
    expect(message()).toMatch(/who \/dev\/vfio\/1 --at 29 --log \S+$/);
  });
});

interface CasesModule {
  readonly cases: readonly {
    readonly name: string;
    readonly matcher: Name;
    readonly of: (ledger: Ledger) => object;
    readonly given: readonly unknown[];
    readonly not?: boolean;
  }[];
  readonly incident: (open: typeof openLedger, examples: URL) => Promise<Ledger>;
  readonly stable: (message: string) => string;
  readonly textOf: (one: { readonly name: string }) => string;
}
