import { chmodSync, copyFileSync, cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { hostHistory } from '../bench/host.ts';
import { openLedger, type Ledger } from '../ledger.ts';
import { openSqliteStore } from '../log/sqlite.ts';
import { main, run, runCommand } from './cli/program.ts';
import { temporaryFolder } from './log/folder.ts';
import { asAnybody } from './support/as-anybody.ts';
import { cellOf, columnKindsOf, forged, withColumn } from './support/forged-segments.ts';
import { someOf } from './support/effort.ts';

const root = temporaryFolder();
const SEALED = 8192;
let original: string;
let logs = 0;

/** A log with its index: one segment, and 300 events after it. */
beforeAll(async () => {
  original = join(root, 'original.ledger');
  const events = [...hostHistory(SEALED + 300, 41)];
  const store = openSqliteStore(original);
  await store.append('host', -1, events.slice(0, SEALED));
  await (await openLedger(original)).close();
  await store.append('host', SEALED - 1, events.slice(SEALED));
  await store.close();
});

type Forgery = (bytes: Uint8Array) => Uint8Array;

/** A copy of the log, of whose index the segment is forged. */
function withForged(forge: Forgery): string {
  const log = join(root, `${logs++}.ledger`);
  copyFileSync(original, log);
  cpSync(`${original}.index`, `${log}.index`, { recursive: true });
  writeFileSync(segmentOf(log), forge(readFileSync(segmentOf(log))));
  return log;
}

function segmentOf(log: string): string {
  const [stream = ''] = readdirSync(`${log}.index`);
  const [name = ''] = readdirSync(join(`${log}.index`, stream));
  return join(`${log}.index`, stream, name);
}

async function answersOf(log: string): Promise<unknown> {
  const ledger = await openLedger(log);
  const answers = answersIn(ledger);
  await ledger.close();
  return answers;
}

function answersIn(ledger: Ledger): unknown {
  const [refused] = ledger.log({ refused: true });
  const ends = [SEALED / 2, SEALED - 1, 'end'] as const;
  return [ledger.why(refused?.position ?? -1), ...ends.map((at) => ledger.at(at).table())];
}

const another =
  (...place: [kind: Parameters<typeof cellOf>[1], column: string, row: number]): Forgery =>
  (bytes) =>
    forged(bytes, cellOf(bytes, ...place));

const forgeries: [string, Forgery, string][] = [
  ['another holder', another('held', 'fd', 7), 'a holder'],
  ['another cause', another('refused', 'cause', 3), 'the cause or blocker of a refusal'],
  ['another owner', another('groupSet', 'owner', -1), 'the owner, opener or claims of a group'],
  ['the end of another holder', another('dropped', 'hold', 99), 'a holder that let go'],
  ['another time', (bytes) => forged(bytes, ['header', 'timeBase']), 'the time of the event'],
  [
    'another state at its end',
    (bytes) => forged(bytes, ['judging', 'end', 'kernel', 'processes', 0, 'comm']),
    'the host after its last event',
  ],
];

test.each(someOf(forgeries, 6))(
  'an index that has %s is told and replaced',
  async (_, forge, what) => {
    const log = withForged(forge);
    const ledger = await openLedger(log);
    const [fault, ...others] = ledger.verify().faults;
    const where = `the index of positions 0 to ${SEALED - 1}`;
    const detail = `${where} differs from the events in ${what}; it was rebuilt`;
    expect(fault).toMatchObject({ kind: 'projection', detail });
    expect(fault?.position).toBeLessThan(SEALED);
    // Where the host at its end was another, so was that of the events after it.
    expect(others.every(({ position }) => position === SEALED)).toBe(true);
    expect(readFileSync(segmentOf(log)).equals(readFileSync(segmentOf(original)))).toBe(true);
    expect(ledger.verify().faults).toEqual([]);
    await ledger.close();
  },
);

test('no later answer depends on what verify has told, although it was asked before', async () => {
  const ledger = await openLedger(withForged(another('refused', 'cause', 0)));
  const forgedAnswers = answersIn(ledger);
  expect(ledger.verify().faults).toMatchObject([{ kind: 'projection' }]);
  const answers = answersIn(ledger);
  await ledger.close();
  expect(answers).toEqual(await answersOf(original));
  expect(forgedAnswers).not.toEqual(answers);
});

test('the exit code is that of findings; what cannot be replaced is told every time', async () => {
  const log = withForged(another('held', 'fd', 7));
  const folder = dirname(segmentOf(log));
  chmodSync(folder, 0o500);
  for (let turn = 0; turn < 2; turn++) {
    const verify = asAnybody(process.execPath, [main, 'verify', '--log', log]);
    const { code, out } = await runCommand(...verify);
    expect(code).toBe(1);
    expect(out).toContain('it cannot be replaced: answer with --no-index until it is removed');
  }
  chmodSync(folder, 0o700);
});

test('an index from which no host can go on is built again when the log is opened', async () => {
  const log = withForged((bytes) => forged(bytes, ['judging', 'end', 'kernel', 'profile']));
  expect(await answersOf(log)).toEqual(await answersOf(original));
});

/** Names that do not exist: the checksum is right, and each column fits the others. */
const senseless: Forgery = (bytes) => {
  const kinds = [...columnKindsOf(bytes).entries()];
  const columns = kinds.filter(([, kind]) => kind === 'processStarted.comm');
  const change = (cells: readonly number[]) => cells.map(() => 0xffff);
  return columns.reduce((other, [column]) => withColumn(other, column, change), bytes);
};

test('an index that makes no sense is built again when a question fails, and then answers', async () => {
  const log = withForged(senseless);
  const found = await answersOf(log);
  expect(found).toEqual(await answersOf(original));
  expect(readFileSync(segmentOf(log)).equals(readFileSync(segmentOf(original)))).toBe(true);
});

test('no verb ends as a bug because of an index, also where it can be neither written nor removed', async () => {
  const verbs = [
    ['table', '--at', String(SEALED / 2)],
    ['history', '1', '--json'],
  ];
  const judged = await Promise.all(
    verbs.map((verb) => run([...verb, '--no-index', '--log', original])),
  );
  const log = withForged(senseless);
  chmodSync(dirname(segmentOf(log)), 0o500);
  for (const [index, verb] of verbs.entries()) {
    const answer = asAnybody(process.execPath, [main, ...verb, '--log', log]);
    expect(await runCommand(...answer)).toEqual(judged[index]);
  }
  chmodSync(dirname(segmentOf(log)), 0o700);
});
