/**
 * Whatever is asked wrongly, and whatever is wrong with a log: callers meet a `LedgerError`, whose
 * code says what it is and which exit code follows.
 */
import { execFileSync } from 'node:child_process';
import { copyFileSync, createReadStream, existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { exitOf, failureOf } from '../cli/failure.ts';
import {
  type Call,
  type ErrorCode,
  type Ledger,
  LedgerError,
  openLedger,
  profileFor,
  readEvidence,
  readHost,
  retainLog,
  sealLog,
  topologyFrom,
} from '../ledger.ts';
import { WhatIf } from '../ledger/what-if.ts';
import { AppendTooLargeError } from '../log/engine.ts';
import { temporaryFolder } from './log/folder.ts';
import { closed } from './log/sample.ts';

const folder = temporaryFolder();
const at = (name: string) => join(folder, name);
const log = at('log.ledger');

const topology = {
  kernel: '7.3.4',
  iommufd: true,
  devices: [{ name: 'gpu', bdf: '0000:3b:00.0', group: 26, driver: 'vfio-pci', cdev: 'vfio0' }],
};
const scenario = 'open_iommufd I\nopen_cdev A gpu\nbind A I\n@P2 open_cdev B gpu\n@P2 bind B :9\n';
const P1 = 101;

/** A log in memory, played; what is asked of it changes nothing. */
let ledger: Ledger;

/** A copy of the log in its file, changed by someone who knows SQLite. */
function tampered(name: string, sql: string): string {
  copyFileSync(log, at(name));
  const db = new DatabaseSync(at(name));
  db.exec(sql);
  db.close();
  return at(name);
}

async function played(address: string): Promise<Ledger> {
  const made = await openLedger(address);
  await made.simulate(scenario, { topology });
  return made;
}

/** Closed again, whatever it answers. */
async function opened<T>(
  address: string,
  ask: (ledger: Ledger) => T,
  options: Parameters<typeof openLedger>[1] = {},
): Promise<Awaited<T>> {
  await using ledger = await openLedger(address, options);
  return await ask(ledger);
}

beforeAll(async () => {
  execFileSync('sh', [join(import.meta.dirname, '../examples/host.sh'), at('host')]);
  ledger = await played(':memory:');
  await (await played(log)).close();
  writeFileSync(at('notes.txt'), 'not a log\n'.repeat(500));
  writeFileSync(at('empty.ledger'), '');
});

const call = (given: object) =>
  ledger
    .at()
    .fork()
    .attempt(given as Call);
const events = (...given: object[]) =>
  `${given.map((event) => JSON.stringify(event)).join('\n')}\n`;
const booted = { boot: 'b', kernel: '7.3.4', profile: null, iommufd: true, simulated: false };
const boot = { position: 0, id: 'x', time: null, schema: 3, type: 'host.booted', data: booted };

const meetings: [code: ErrorCode, what: string, call: () => unknown, says: RegExp][] = [
  ['bad-request', 'an empty address', () => openLedger(''), /^the address of a log is a path, or/],
  ['bad-request', 'no address', () => openLedger(undefined as never), /^the address of a log/],
  ['bad-request', 'an end that is none', () => openLedger(log, { until: 0.5 }), /^until takes/],
  [
    'bad-request',
    'a stream without a name',
    () => opened(':memory:', noHost, { host: '' }),
    /^str/,
  ],
  [
    'bad-request',
    'a profile that is none',
    () => ledger.replay({ profile: 'x' }),
    /^no profile 'x'/,
  ],
  ['bad-request', 'an invariant that is none', () => ledger.bisect({ invariant: 'x' }), /^no inv/],
  [
    'bad-request',
    'an expression that is none',
    () => ledger.bisect({ where: '(' }),
    /^column 2 of/,
  ],
  ['bad-request', 'nothing to look for', () => ledger.bisect({}), /^bisect: give either/],
  ['bad-request', 'a process where a place belongs', () => ledger.waits('pid:101'), /is a process/],
  [
    'bad-request',
    'a head that is none',
    () => ledger.verify({ head: 'x' }),
    /^the head must be POSITION:HASH/,
  ],
  ['bad-request', 'an event that is none', () => ledger.append(-1, [{} as never]), /^id: /],
  ['bad-request', 'bytes for text', () => ledger.import(Buffer.from('x') as never), /as a string$/],
  [
    'bad-request',
    'a format that is none',
    () => ledger.import('x', { format: 'x' }),
    /^no format 'x'/,
  ],
  [
    'bad-request',
    'a time that is none',
    () => ledger.import('x', { booted: 'x' }),
    /^--booted: 'x'/,
  ],
  ['bad-request', 'a zone that is none', () => ledger.import('x', { zone: 'x' }), /^--zone takes/],
  ['bad-request', 'the same to read', () => readEvidence([], { profile: 'x' }), /^no profile 'x'/],
  ['bad-request', 'lines of no format', () => ledger.follow(noLines(), { format: 'x' }), /^no for/],
  [
    'bad-request',
    'a line of a scenario',
    () => ledger.simulate('fly', { topology }),
    /^scenario:1: /,
  ],
  ['bad-request', 'a topology that is none', () => topologyFrom('{}'), /^topology/],
  [
    'bad-request',
    'text that is no topology',
    () => topologyFrom('x'),
    /^the topology is not JSON: /,
  ],
  [
    'bad-request',
    'a kernel without rules',
    () => profileFor(undefined, { kernel: '2.6' }),
    /^no pro/,
  ],
  [
    'bad-request',
    'a reading at no time',
    () => ledger.snapshot(readHost(at('host')), untimed),
    /rea/,
  ],
  [
    'bad-request',
    'a reading in a simulation',
    () => ledger.snapshot(readHost(at('host')), now),
    /si/,
  ],
  [
    'bad-request',
    'how many volumes stay',
    () => retainLog(log, { keep: NaN, at: 'x' }),
    /^'keep' is/,
  ],
  [
    'bad-request',
    'an operation that is none',
    () => call({ operation: 'no-such-thing' }),
    /^no oper/,
  ],
  [
    'bad-request',
    'no operation',
    () => call(null as never),
    /^no operation 'undefined'; there are/,
  ],
  [
    'bad-request',
    'a call without its pid',
    () => call({ operation: 'fds' }),
    /^fds: 'pid' is missing$/,
  ],
  [
    'bad-request',
    'a process that is not there',
    () => call({ operation: 'fds', pid: 7 }),
    /^no proc/,
  ],
  [
    'bad-request',
    'a nameless process',
    () => ledger.at().fork().start({ comm: '' }),
    /cannot be ""$/,
  ],
  ['unknown-subject', 'a device', () => ledger.who('0000:ff:00.0'), /^this log has no device/],
  [
    'unknown-subject',
    'no subject',
    () => ledger.who(undefined as never),
    /^this log has no device 'undefined'/,
  ],
  ['unknown-subject', 'a group', () => ledger.at().group('27'), /^this log has no group '27'/],
  ['unknown-subject', 'a group by a device', () => ledger.at().group('gpu'), /^no group 'gpu' at/],
  ['unknown-subject', 'a device by a group', () => ledger.at().device('26'), /^no device '26' at/],
  [
    'unknown-subject',
    'a process',
    () => ledger.everOwned('nobody'),
    /^this log has no process and no control group 'nobody'/,
  ],
  [
    'unknown-subject',
    'a row',
    () => ledger.bisect({ where: 'group 27 viable' }),
    /has no group '27'/,
  ],
  ['bad-when', 'a position past the end', () => ledger.at(999), /^position 999 is past the end/],
  [
    'bad-when',
    'half a position',
    () => ledger.at(0.5),
    /^'0\.5' is not a position, 'start', 'end', 'now'/,
  ],
  ['bad-when', 'words', () => ledger.diff('noon', 'end'), /^'noon' is not a position/],
  [
    'bad-when',
    'a host past the end',
    () => ledger.hostAt(999),
    /^there is no position 999: the log/,
  ],
  ['bad-when', 'a supposed host', () => ledger.suppose(NaN), /^there is no position NaN/],
  ['not-a-refusal', 'a boot', () => ledger.why(0), /^position 0 is not a refusal: 'host\.booted'$/],
  [
    'not-a-refusal',
    'what was never refused',
    () => ledger.why('pid:101'),
    /^no refusal of pid:101 in this log up to position \d+$/,
  ],
  [
    'bad-evidence',
    'text of no format',
    () => ledger.import('hello'),
    /^text: no line says anything of VFIO; the formats are /,
  ],
  ['bad-evidence', 'nothing', () => ledger.import(''), /^text: it is empty$/],
  [
    'bad-evidence',
    'an event that is none',
    () => ledger.import(events({ ...boot, type: 'x' })),
    /^te/,
  ],
  ['bad-evidence', 'a folder that is none', () => readHost(at('none')), /there is no such folder$/],
  [
    'not-a-log',
    'nothing there, to write',
    () => openLedger(at('none'), { create: false }),
    /^no log/,
  ],
  [
    'not-a-log',
    'nothing there, to read',
    () => openLedger(at('none'), { readOnly: true }),
    /^no log/,
  ],
  ['not-a-log', 'memory', () => openLedger(':memory:', { create: false }), /^no log at :memory:/],
  [
    'not-a-log',
    'an empty file',
    () => openLedger(at('empty.ledger'), { create: false }),
    /is empty/,
  ],
  ['not-a-log', 'notes', () => openLedger(at('notes.txt')), /is not a log, nor an SQLite file/],
  ['not-a-log', 'a folder', () => openLedger(folder), /is not a file, so not a log$/],
  ['not-a-log', 'nothing to seal', () => sealLog(at('none')), /^no log at /],
  [
    'not-a-log',
    'nothing to keep',
    () => retainLog(at('none'), { keep: 1, at: 'x' }),
    /^no log at /,
  ],
  [
    'newer-schema',
    'a log',
    () => openLedger(newerLog()),
    /was written by a newer release, in format/,
  ],
  [
    'newer-schema',
    'evidence',
    () => ledger.import(events({ ...boot, schema: 99 })),
    /99 is newer than/,
  ],
  [
    'foreign',
    'a log with a trigger of somebody else',
    () => openLedger(foreignLog()),
    /^nothing is written to \S+: it holds what no log has \(trigger 'swallow'\)$/,
  ],
  [
    'damaged',
    'an event',
    () => opened(spoiled(), (read) => read.verify()),
    /does not match its hash$/,
  ],
  ['conflict', 'an append', () => ledger.append(2, [closed('x')]), /not at 2 as expected$/],
  ['unavailable', 'a folder that is not there', () => openLedger(at('a/b')), /there is no folder/],
  [
    'unavailable',
    'a log to read',
    () => opened(log, append, { readOnly: true }),
    /for reading only$/,
  ],
  [
    'unavailable',
    'a source that is not there',
    () => ledger.importSources([noFile()]),
    /^ENOENT: /,
  ],
  ['unavailable', 'an archive', () => archiving('x'.repeat(5000)), /ENAME/],
  ['unavailable', 'a closed log', () => closedLedger().then(append), /is closed$/],
  [
    'unavailable',
    'a closed log, asked',
    () => closedLedger().then((was) => was.refresh()),
    /is closed/,
  ],
  [
    'unsupported',
    'an engine',
    () => openLedger('other://localhost'),
    /^no engine for other:\/\/ in this/,
  ],
  [
    'too-large',
    'an append that is too large for a server',
    () => Promise.reject(new AppendTooLargeError('nats://a.example', 2_000_000, 1_048_576)),
    /^nats:\/\/a\.example takes at most 1048576 bytes/,
  ],
  ['stale-view', 'an earlier host', () => staleHost().group('26'), /^this view has expired: /],
];

const untimed = { time: 'x', source: '/proc' };
const now = { time: '2026-11-30T00:00:00Z', source: '/proc' };
const noFile = () => ({ name: 'none', chunks: createReadStream(at('none'), 'utf8') });

/** Lets what is sealed of a log go into a folder. */
async function archiving(archive: string): Promise<unknown> {
  const sealed = at('sealed.ledger');
  await (await played(sealed)).close();
  sealLog(sealed);
  // The host has booted since, so that what was sealed may go.
  await (await played(sealed)).close();
  return retainLog(sealed, { keep: 0, archive, at: now.time });
}

const append = (to: Ledger) => to.append(to.head.position, [closed('x')]);
const noHost = (of: Ledger) => of.append(-1, [closed('x')]);
const newerLog = () => tampered('newer.ledger', 'PRAGMA user_version = 99');
const foreignLog = () =>
  tampered(
    'foreign.ledger',
    'CREATE TRIGGER swallow BEFORE INSERT ON events BEGIN SELECT RAISE(IGNORE); END',
  );
const spoiled = () =>
  tampered(
    'spoiled.ledger',
    "DROP TRIGGER events_are_not_changed; UPDATE events SET data = '{}' WHERE position = 3",
  );

async function* noLines(): AsyncGenerator<string> {}

async function closedLedger(): Promise<Ledger> {
  const was = await openLedger(log);
  await was.close();
  return was;
}

function staleHost() {
  const host = ledger.hostAt(1);
  ledger.hostAt(ledger.head.position);
  return host;
}

/** Exit codes other than 2. */
const exits: ReadonlyMap<ErrorCode, number> = new Map([
  ['damaged', 3],
  ['conflict', 4],
  ['unavailable', 4],
  ['unsupported-runtime', 4],
]);

/** What is thrown or rejected with; fails where nothing is. */
async function metBy(act: () => unknown): Promise<unknown> {
  let answer: unknown;
  try {
    answer = await act();
  } catch (error) {
    return error;
  }
  return expect.fail(`it was answered: ${String(answer)}`);
}

describe('a caller meets a LedgerError', () => {
  test.each(meetings)('%s: %s', async (code, _, act, says) => {
    const { length, head } = ledger;
    const error = await metBy(act);
    expect(error).toBeInstanceOf(LedgerError);
    expect(error).toMatchObject({ code, message: expect.stringMatching(says) });
    expect(failureOf(error).code).toBe(exits.get(code) ?? 2);
    await ledger.refresh();
    expect([ledger.length, ledger.head]).toEqual([length, head]);
  });

  test('of every code, but that for a Node which cannot load the library', () => {
    const met = new Set(meetings.map(([code]) => code));
    expect([...met, 'unsupported-runtime'].toSorted()).toEqual(Object.keys(exitOf).toSorted());
    expect(exitOf['unsupported-runtime']).toBe(exits.get('unsupported-runtime'));
  });

  test('where the log must exist, none is created', async () => {
    await metBy(() => openLedger(at('none'), { create: false }));
    expect(existsSync(at('none'))).toBe(false);
    expect(await opened(log, ({ length }) => length, { create: false })).toBe(ledger.length);
  });
});

test('a ledger is closed at the end of the block that uses it', async () => {
  let used: Ledger;
  {
    await using inside = await openLedger(log);
    used = inside;
    await used.refresh();
  }
  await expect(used.refresh()).rejects.toMatchObject({ code: 'unavailable' });
});

describe('an attempt that means nothing is a bad request, and nothing happens', () => {
  const bind = { operation: 'bind', pid: P1, fd: 4, iommufd: 3 };
  const attempts: [call: object, says: string][] = [
    [{ ...bind, operation: 'toString' }, "no operation 'toString'; there are open_cdev, "],
    [{ ...bind, operation: ['bind'] }, "no operation 'bind'; there are"],
    [{ ...bind, iommufd: undefined }, "bind: 'iommufd' is missing"],
    [{ ...bind, iommufd: null }, "bind: 'iommufd' is missing"],
    [{ ...bind, fd: '4' }, `bind: 'fd' cannot be "4"`],
    [{ ...bind, fd: 0.5 }, "bind: 'fd' cannot be 0.5"],
    [{ ...bind, pid: -1 }, "bind: 'pid' cannot be -1"],
    [
      { operation: 'hot_reset', pid: P1, fd: 4, groups: ['x'] },
      "hot_reset: 'groups' cannot be this object",
    ],
    [
      { operation: 'set_driver', device: null, driver: null },
      "set_driver: 'device' cannot be null",
    ],
  ];

  test.each(attempts)('%j', (given, says) => {
    const fork = ledger.at().fork();
    const { length } = fork.events;
    expect(() => fork.attempt(given as Call)).toThrow(says);
    expect(fork.events).toHaveLength(length);
  });

  test('what is no argument is left out, so that the data of an event will do', () => {
    const fork = ledger.at().fork();
    const [refused] = ledger.log({ refused: true });
    const { position } = fork.attempt({ ...refused?.data, time: null, fd: 99 } as never);
    const { data } = fork.event(position) ?? {};
    expect(data).toEqual({ ...refused?.data, errno: 'EBADF', fd: 99 });
  });

  test('to have no driver is an argument', () => {
    const unbound = { operation: 'set_driver', device: '0000:3b:00.0', driver: null } as const;
    expect(call(unbound)).toMatchObject({ pending: true });
  });
});

/** What callers without types give. */
const anything = fc.oneof(
  fc.constantFrom(
    'start',
    'end',
    '26',
    'gpu',
    '0000:3b:00.0',
    '/dev/vfio/26',
    'pid:101',
    'file:f1',
  ),
  fc.constantFrom(undefined, null, NaN, Infinity, -1, 0, 3, 999, 0.5, 2 ** 53, '', 'P1', true),
  fc.constantFrom([], {}, ['26'], () => 26, 10n),
  fc.string({ unit: 'binary' }),
  fc.double(),
);

/** Every method of a class and those it extends, but what takes no argument that could be wrong. */
function methodsOf(of: { readonly prototype: object }, except: readonly string[]): string[] {
  const names = new Set<string>();
  for (let it = of.prototype; it !== Object.prototype; it = Object.getPrototypeOf(it) as object) {
    for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(it))) {
      if (typeof value === 'function') names.add(name);
    }
  }
  return [...names].filter((name) => !['constructor', ...except].includes(name)).toSorted();
}

type Given = readonly [never, never];
const questions: Readonly<Record<string, (of: Ledger | WhatIf, given: Given) => unknown>> = {
  at: (of, [when]) => of.at(when),
  between: (of, [from, to]) => [
    settled(() => of.between(from, to)),
    settled(() => of.between('start', 'end', { by: from })),
    settled(() => of.between('start', 'end', { by: [to] })),
  ],
  bisect: (of, [invariant, where]) => [
    settled(() => of.bisect({ invariant })),
    settled(() => of.bisect({ where })),
  ],
  claimants: (of, [subject, when]) => of.claimants(subject, { at: when }),
  commOf: (of, [pid, position]) => of.commOf(pid, position),
  coverage: (of, [subject, when]) => [
    settled(() => of.coverage({ subject, from: when })),
    settled(() => of.coverage({ subject, to: when })),
  ],
  describe: (of, [event]) => of.describe(event),
  diff: (of, [from, to]) => of.diff(from, to),
  each: (of, [type]) => [...of.each(type)],
  event: (of, [position]) => of.event(position),
  everOwned: (of, [who, subject]) => of.everOwned(who, { subject }),
  explain: (of, [found]) => of.explain(found),
  history: (of, [subject]) => of.history(subject),
  hostAt: (of, [position]) => of.hostAt(position),
  incarnations: (of, [subject]) => of.incarnations(subject),
  lanes: (of, [from, atMost]) => [
    settled(() => of.lanes({ from, atMost })),
    settled(() => of.lanes({ edges: atMost })),
  ],
  lastUntil: (of, [instant]) => of.lastUntil(instant),
  log: (of, [subject, when]) => of.log({ subject, from: when }),
  logEnds: (of, [when]) => of.logEnds(when),
  marks: (of, [to, atMost]) => [
    settled(() => of.marks({ to, atMost })),
    settled(() => of.marks({ edges: [to, atMost] })),
  ],
  overlaps: (of, [subject]) => of.overlaps(subject),
  replay: (of, [profile]) => of.replay({ profile }),
  replayed: (of, [profile]) => of.replayed({ profile }),
  steps: (of, [when]) => of.steps().to(when),
  waits: (of, [subject]) => of.waits(subject),
  who: (of, [subject, when]) => of.who(subject, { at: when }),
  why: (of, [attempt, when]) => of.why(attempt, { at: when }),
  without: (of, [one]) => of.without([one]),
};
const moments: typeof questions = {
  device: (of, [word]) => of.at().device(word),
  fork: (of) => of.at().fork(),
  group: (of, [word]) => of.at().group(word),
  holdings: (of, [word]) => of.at().holdings(word),
  lineage: (of, [file]) => of.at().lineage(file),
  orphans: (of) => of.at().orphans(),
  owner: (of, [word]) => of.at().owner(word),
  subject: (of, [word]) => of.at().subject(word),
  table: (of) => of.at().table(),
  who: (of, [word]) => of.at().who(word),
  whyUnknown: (of, [word]) => of.at().whyUnknown(word),
};

/** What it comes to, unless it is no `LedgerError`, which is thrown on. */
function settled(ask: () => unknown): unknown {
  try {
    return ask();
  } catch (error) {
    if (error instanceof LedgerError) return error;
    throw error;
  }
}

describe('whatever a question is given, it is answered or a LedgerError', () => {
  test('every question is asked here', () => {
    // Of a fork, of all pasts among themselves, and of the matchers.
    const own = ['attempt', 'start', 'forkAt', 'checkPosition', 'find', 'findRange'];
    own.push('keep', 'knowsHolders', 'lastEvents', 'ownerChange', 'attemptAs', 'happened', 'made');
    own.push('blocked');
    expect(methodsOf(WhatIf, own)).toEqual(Object.keys(questions));
    const moment = { prototype: Object.getPrototypeOf(ledger.at()) as object };
    expect(methodsOf(moment, [])).toEqual(Object.keys(moments));
  });

  test('attest', () => {
    const question = fc.constantFrom('never-shared', 'never-owned', 'sole-owner');
    const word = fc.oneof(fc.constantFrom('comm:P1', 'pid:102', 'vm:', 'cgroup:/'), anything);
    fc.assert(
      fc.property(question, word, word, anything, (asked, one, other, when) => {
        const words = [asked, one, other] as never as readonly [never, never, never];
        settled(() => ledger.attest(...words));
        settled(() => ledger.attest(...words, { from: when as never }));
        settled(() => ledger.attest(other as never, '26', 'comm:P1', { to: when as never }));
      }),
    );
  });

  const asked = Object.entries({ ...questions, ...moments }).map(([name]) => name);
  test.each([...new Set(asked)])('%s', (name) => {
    const fork = ledger.at().fork();
    fc.assert(
      fc.property(anything, anything, (...given) => {
        for (const of of [ledger, fork]) {
          settled(() => questions[name]?.(of, given as never));
          settled(() => moments[name]?.(of, given as never));
        }
      }),
    );
  });

  test('attempt and start', () => {
    const key = fc.constantFrom('pid', 'fd', 'device', 'driver', 'groups', 'to', 'comm', 'x');
    const operation = fc.oneof(anything, fc.constantFrom('bind', 'spawn', 'set_driver', 'send'));
    fc.assert(
      fc.property(operation, fc.dictionary(key, anything), anything, (what, args, comm) => {
        const fork = ledger.at().fork();
        settled(() => fork.attempt({ ...args, operation: what } as never));
        settled(() => fork.start({ comm: comm as never }));
      }),
    );
  });
});
