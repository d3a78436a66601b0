/** A log whose newest file is sealed, and whose next file is missing: every verb says so. */
import { copyFileSync, readdirSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { verbs } from '../../cli/verbs.ts';
import { openLedger, retainLog, sealLog, type Ledger } from '../../ledger.ts';
import { temporaryFolder } from '../log/folder.ts';
import { printedBy } from '../support/verbs.ts';
import { hostTopology, root, twoContexts } from './program.ts';

const folder = temporaryFolder();
const log = join(folder, 'host.ledger');
const away = join(folder, 'away');
const next = `${log}.0002`;
/** Position of the last event in the file that is here. */
const LAST = 38;
const topology = readFileSync(hostTopology, 'utf8');
const scenario = readFileSync(twoContexts, 'utf8');

const told = `${log} is sealed, and the log goes on in ${next}, which is missing: nothing is known after position ${LAST}`;

async function printed(name: string, ...args: readonly string[]) {
  const verb = await verbs.get(name)?.();
  if (verb === undefined) throw new Error(`there is no verb ${name}`);
  return printedBy(verb, ['--log', log, ...args]);
}

async function opened<T>(use: (ledger: Ledger) => T): Promise<T> {
  const ledger = await openLedger(log, { readOnly: true });
  try {
    return use(ledger);
  } finally {
    await ledger.close();
  }
}

beforeAll(async () => {
  for (const part of ['', next]) {
    const ledger = await openLedger(log);
    await ledger.simulate(scenario, { topology });
    await ledger.close();
    if (part === '') sealLog(log);
  }
  renameSync(next, away);
});

const reading: readonly (readonly [string, ...string[]])[] = [
  ['log'],
  ['table'],
  ['table', '--at', '16'],
  ['who', 'gpu'],
  ['who', '--orphans'],
  ['history', '26'],
  ['attest', 'never-shared', 'comm:P2', 'comm:P4'],
  ['why', 'gpu-audio'],
  ['diff', 'start', 'end'],
  ['bisect', '--where', 'group 26 owner.kind = container'],
  ['replay', '--profile', 'linux-6.12'],
  ['verify'],
  ['export'],
];

test.each(reading)('%s says it once, on standard error', async (name, ...args) => {
  const { err } = await printed(name, ...args);
  expect(err).toBe(`vfio-ledger: ${told}\n`);
});

const beforeWriting: readonly (readonly [string, ...string[]])[] = [
  ['import', join(root, 'examples/incident.truth.jsonl')],
  ['simulate', '--topology', hostTopology, twoContexts],
  ['snapshot'],
  ['record', '--tracer', 'sleep 9'],
  ['run', '--', 'false'],
];

test.each(beforeWriting)('%s appends nothing', async (name, ...args) => {
  const before = readFileSync(log);
  expect(await printed(name, ...args)).toEqual({ code: 4, out: '', err: `${told}\n` });
  expect(readFileSync(log).equals(before)).toBe(true);
});

test.each([['seal'], ['retain', '--keep', '0']] as const)(
  '%s leaves the file as it is',
  async (name, ...args) => {
    const before = readFileSync(log);
    const { code, err } = await printed(name, ...args);
    expect(code).toBe(4);
    expect(err).toContain('which continues the log, is missing');
    expect(readdirSync(folder)).not.toContain('host.ledger.0002');
    expect(readFileSync(log).equals(before)).toBe(true);
  },
);

test('verify: it is a fault, kind absent, where the log is cut off', async () => {
  const { code, out } = await printed('verify', '--json');
  expect(code).toBe(1);
  const fault = { position: LAST, kind: 'absent', detail: told };
  expect(JSON.parse(out)).toMatchObject({ events: LAST + 1, faults: [fault] });
});

describe('nothing is sure after the cut', () => {
  const logEnds = { position: LAST, time: null };

  test('an answer about the end says where the log ends, one about the past does not', async () => {
    await opened((ledger) => {
      expect(ledger.at('end').table()).toMatchObject({ at: { position: LAST }, logEnds });
      expect(ledger.who('gpu')).toMatchObject({ logEnds });
      expect(ledger.diff('start', 'end')).toMatchObject({ logEnds });
      expect(ledger.at(16).table()).not.toHaveProperty('logEnds');
      expect(ledger.cutEnd).toMatchObject({ after: LAST, next, isThere: false });
    });
  });

  test('the last state is not covered, and nothing is proved of it', async () => {
    await opened((ledger) => {
      const reason = 'the file that continues the log is missing';
      expect(ledger.coverage().unknown).toMatchObject([{ from: LAST, to: null, reason }]);
      expect(ledger.coverage({ to: LAST - 1 }).unknown).toEqual([]);
      const tenants = ['never-shared', 'comm:P2', 'comm:P4'] as const;
      for (const to of ['end', LAST]) {
        expect(ledger.attest(...tenants, { to }).verdict, String(to)).toBe('not-known');
      }
      expect(ledger.attest(...tenants, { to: LAST - 1 }).verdict).toBe('proved');
    });
  });

  test('a what-if ends with its own attempts, and is not cut', async () => {
    await opened((ledger) => {
      const fork = ledger.at(16).fork();
      expect(fork.at('end').table()).not.toHaveProperty('logEnds');
    });
  });

  test('an instant up to the last time is after the end as well', async () => {
    const timed = join(folder, 'timed.ledger');
    const ledger = await openLedger(timed);
    const trace = readFileSync(join(root, 'examples/second-test.strace'), 'utf8');
    await ledger.import(trace, { format: 'strace' });
    const last = ledger.lastTime ?? '';
    expect(ledger.at(last).table()).not.toHaveProperty('logEnds');
    await ledger.close();
    const seal = sealLog(timed);
    renameSync(seal?.next ?? '', join(folder, 'away-too'));
    const cut = await openLedger(timed, { readOnly: true });
    const { position } = cut.head;
    expect(cut.at(last).table()).toMatchObject({ logEnds: { position, time: last } });
    await cut.close();
  });
});

test('the file is told of until it is back', async () => {
  copyFileSync(away, next);
  const reader = await openLedger(log, { readOnly: true });
  expect([reader.cutEnd, reader.head.position]).toEqual([null, 2 * LAST + 1]);
  expect(reader.verify().faults).toEqual([]);
  await reader.close();
  renameSync(next, away);
});

test('of a file that is named like a log, the next one was not read', async () => {
  copyFileSync(away, next);
  sealLog(log);
  const second = await openLedger(next, { readOnly: true });
  expect(second.cutEnd).toMatchObject({ next: `${log}.0003`, isThere: true });
  await second.close();
  await expect(openLedger(next)).rejects.toThrow(`is a volume of ${log}: name that instead`);
  await expect(retainLog(next, { keep: 0, at: '2026-11-25T10:00:00Z' })).rejects.toThrow(
    'is a volume of',
  );
});
