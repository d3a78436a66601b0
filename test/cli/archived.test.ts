/** What is asked about events whose file was archived: they are unknown, and nothing is proved of them. */
import { mkdirSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { attest as attestVerb } from '../../cli/attest.ts';
import { openLedger, retainLog, sealLog, type Ledger } from '../../ledger.ts';
import { temporaryFolder } from '../log/folder.ts';
import { printedBy } from '../support/verbs.ts';
import { hostTopology, root, twoContexts } from './program.ts';

const folder = temporaryFolder();
const log = join(folder, 'host.ledger');
const archive = join(folder, 'archive');
const scenario = readFileSync(twoContexts, 'utf8');
/** Position of the first event that is left. */
const FIRST = 39;
const tenants = ['never-shared', 'comm:P2', 'comm:P4'] as const;

async function opened<T>(use: (ledger: Ledger) => T): Promise<T> {
  const ledger = await openLedger(log, { readOnly: true });
  try {
    return use(ledger);
  } finally {
    await ledger.close();
  }
}

beforeAll(async () => {
  mkdirSync(archive);
  for (const isFirst of [true, false]) {
    const ledger = await openLedger(log);
    await ledger.simulate(scenario, { topology: readFileSync(hostTopology, 'utf8') });
    await ledger.close();
    if (isFirst) sealLog(log);
  }
  await opened((ledger) => {
    whole = [ledger.attest(...tenants).verdict, ledger.coverage().unknown];
  });
  await retainLog(log, { keep: 0, archive, at: '2026-11-25T10:00:00Z' });
});

/** What was proved and what was not covered before the file was archived. */
let whole: unknown;

describe('without the file', () => {
  test('all of it was proved with it', () => {
    expect(whole).toEqual(['proved', []]);
  });

  test('the whole log is not covered, and nothing is proved of it', async () => {
    await opened((ledger) => {
      const reason = 'these events were removed from the log';
      const unknown = [{ subject: null, from: 0, to: FIRST, toTime: null, reason }];
      expect(ledger.coverage().unknown).toMatchObject(unknown);
      expect(ledger.coverage({ subject: '26' }).unknown).toMatchObject([
        { ...unknown[0], subject: '26' },
      ]);
      for (const question of [
        tenants,
        ['never-owned', '41', 'comm:P2'],
        ['sole-owner', '26', 'comm:P1'],
      ] as const) {
        const [asked, one, other] = question;
        const found = ledger.attest(asked, one, other);
        expect([question, found.verdict]).not.toEqual([question, 'proved']);
        expect(found.coverage.unknown).not.toEqual([]);
      }
      expect(ledger.attest(...tenants).verdict).toBe('not-known');
    });
  });

  test('a range of what is left is proved, and its beginning is where the log begins', async () => {
    await opened((ledger) => {
      expect(ledger.attest(...tenants, { from: FIRST }).verdict).toBe('proved');
      for (const from of [FIRST - 1, 0]) {
        const asking = () => ledger.attest(...tenants, { from });
        expect(asking).toThrow(`position ${from} is not in this log`);
      }
    });
  });

  test('one that begins in the middle of a boot begins with an unknown host', async () => {
    const cut = join(folder, 'cut.ledger');
    const ledger = await openLedger(':memory:');
    await ledger.simulate(scenario, { topology: readFileSync(hostTopology, 'utf8') });
    const lines = ledger.events.map((event) => JSON.stringify(event));
    for (const [from, to] of [
      [0, 12],
      [12, undefined],
    ] as const) {
      const part = await openLedger(cut);
      const some = lines.slice(from, to);
      const end = JSON.stringify({ end: { events: some.length } });
      await part.import([...some, end].join('\n'), { format: 'events' });
      await part.close();
      if (from === 0) sealLog(cut);
    }
    renameSync(cut, join(folder, 'cut-away'));
    const rest = await openLedger(cut, { readOnly: true });
    expect(rest.first).toBe(12);
    for (const from of ['start', 12] as const) {
      const { unknown } = rest.coverage({ from });
      expect(unknown.at(-1)).toMatchObject({ to: null });
      expect(rest.attest('never-owned', '41', 'pid:102', { from }).verdict).toBe('not-known');
    }
    await rest.close();
  });

  test('the verb ends with exit 1, and names the files that are left', async () => {
    const { code, out } = await printedBy(attestVerb, [...tenants, '--log', log]);
    expect(code).toBe(1);
    expect(out).toContain('Verdict:  not-known');
    expect(out).toContain(
      `from position 0 to ${FIRST - 1}: these events were removed from the log`,
    );
    expect(out).toContain(`host ${log}.0002\n`);
  });
});

test('with the file again all is as before', async () => {
  renameSync(join(archive, 'host.ledger'), log);
  await opened((ledger) => {
    expect(ledger.attest(...tenants).verdict).toBe('proved');
    expect(ledger.coverage().unknown).toEqual([]);
  });
});

test('a range of instants that begins before the log is refused', async () => {
  const timed = join(folder, 'timed.ledger');
  const trace = readFileSync(join(root, 'examples/second-test.strace'), 'utf8');
  const ledger = await openLedger(timed);
  await ledger.import(trace, { format: 'strace' });
  await ledger.close();
  sealLog(timed);
  const later = await openLedger(timed);
  const moved = trace.replaceAll(
    /(\d{10})(\.\d{6})/g,
    (_, s: string, us: string) => `${Number(s) + 3600}${us}`,
  );
  await later.import(moved, { format: 'strace' });
  await later.close();
  renameSync(timed, join(folder, 'timed-away'));
  const rest = await openLedger(timed, { readOnly: true });
  const from = '2025-11-26T09:40:00Z';
  expect(() => rest.coverage({ from })).toThrow('is before this log');
  expect(rest.attest('never-shared', 'pid:4102', 'pid:4103').verdict).toBe('not-known');
  await rest.close();
});
