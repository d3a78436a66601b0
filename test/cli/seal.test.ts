import { copyFileSync, existsSync, mkdirSync, readdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { beforeAll, describe, expect, test } from 'vitest';
import { temporaryFolder } from '../log/folder.ts';
import { hostTopology, jsonLines, run, twoContexts } from './program.ts';

const folder = temporaryFolder();
const whole = join(folder, 'whole.ledger');

const verbs = [
  ['table', '--json'],
  ['table', '--at', '16', '--all'],
  ['log', '--json'],
  ['log', 'gpu', '--refused'],
  ['who', 'gpu', '--json'],
  ['history', '26', '--json'],
  ['history', 'gpu'],
  ['why', 'gpu-audio'],
  ['why', '16', '--json'],
  ['diff', '5', 'end', '--json'],
  ['verify', '--json'],
  ['export'],
] as const;

const simulate = (log: string, input?: string) =>
  run(
    ['simulate', '--topology', hostTopology, '--log', log, input === undefined ? twoContexts : '-'],
    { input: input ?? '' },
  );

beforeAll(async () => {
  await simulate(whole);
  await simulate(whole);
});

/** The same log, sealed after the first half. */
async function sealedLog(name: string): Promise<string> {
  mkdirSync(join(folder, name));
  const log = join(folder, name, 'host.ledger');
  await simulate(log);
  const { code, out, err } = await run(['seal', '--log', log]);
  expect({ code, err }).toEqual({ code: 0, err: '' });
  expect(out).toMatch(
    /^sealed \S+; the log continues in host\.ledger\.0002\nhead of host: 38:[\da-f]+\n$/,
  );
  await simulate(log);
  return log;
}

test('every verb reads across a seal as if there were none', async () => {
  const log = await sealedLog('across');
  for (const args of verbs) {
    const [one, other] = await Promise.all([
      run([...args, '--log', whole]),
      run([...args, '--log', log]),
    ]);
    expect({ args, ...other }).toEqual({ args, ...one });
    expect(one.code).toBe(0);
  }
});

test('what is sealed is said in JSON as well, and only once', async () => {
  const log = join(folder, 'json.ledger');
  await simulate(log, 'open_iommufd I\n');
  const { out } = await run(['seal', '--json', '--log', log]);
  const heads = { host: expect.stringMatching(/^8:[\da-f]{64}$/) };
  expect(JSON.parse(out)).toEqual({ sealed: log, next: `${log}.0002`, heads });
  const again = await run(['seal', '--log', log]);
  expect(again).toMatchObject({ code: 2, out: '' });
  expect(again.err).toMatch(/^vfio-ledger: nothing to seal/);
  const none = await run(['seal', '--log', join(folder, 'none.ledger')]);
  expect(none).toMatchObject({ code: 2, err: expect.stringContaining('no log at') });
  expect(existsSync(join(folder, 'none.ledger'))).toBe(false);
});

test('retain archives and removes, and says what it kept', async () => {
  const log = await sealedLog('retained');
  const archive = join(folder, 'retained', 'archive');
  mkdirSync(archive);
  const wrong = await run(['retain', '--log', log]);
  expect(wrong).toMatchObject({ code: 2, err: expect.stringContaining('--keep takes a number') });
  const args = ['retain', '--keep', '0', '--log', log];
  const moved = await run([...args, '--archive', archive]);
  expect(moved).toEqual({ code: 0, out: `moved ${log} to ${archive}/host.ledger\n`, err: '' });
  expect(readdirSync(archive)).toEqual(['host.ledger']);

  const verified = await run(['verify', '--log', log]);
  expect(verified).toMatchObject({ code: 0, err: '' });
  expect(verified.out).toMatch(
    /^note +positions 0 to 38 are missing: position 78 records that they were archived$/m,
  );
  const early = await run(['table', '--at', '20', '--log', log]);
  expect(early).toMatchObject({
    code: 2,
    err: expect.stringContaining('position 20 is not in this log'),
  });

  renameSync(join(archive, 'host.ledger'), log);
  const back = await run(['table', '--at', '20', '--json', '--log', log]);
  expect(back.out).toBe((await run(['table', '--at', '20', '--json', '--log', whole])).out);
  expect(JSON.parse((await run(['verify', '--json', '--log', log])).out)).toMatchObject({
    faults: [],
  });

  await run(['seal', '--log', log]);
  const kept = await run(args);
  expect(kept.out).toBe(
    `removed ${log}\nkept ${log}.0002: it holds events since the last boot of a host\n`,
  );
  expect(existsSync(log)).toBe(false);
  const last = jsonLines((await run(['export', '--log', log])).out).at(-2);
  expect(last).toMatchObject({ type: 'history.removed', data: { to: 38 } });
});

test('a file that was taken away by hand is missed by verify', async () => {
  const log = await sealedLog('taken');
  renameSync(log, join(folder, 'taken', 'elsewhere'));
  const { code, out } = await run(['verify', '--json', '--log', log]);
  expect(code).toBe(1);
  expect(JSON.parse(out).faults).toMatchObject([{ position: 38, kind: 'absent' }]);
  // What is here is answered all the same.
  const table = await run(['table', '--log', log]);
  expect(table.out).toBe((await run(['table', '--log', whole])).out);
});

describe('an event that was', () => {
  const row = (position: number | string) =>
    `SELECT stream, ${position}, time, id || 'x', schema, type, data, hash FROM events`;
  const tampered: [what: string, sql: string, position: number][] = [
    ['removed', 'DELETE FROM events WHERE position = 20', 20],
    [
      'swapped with the next',
      `UPDATE events SET position = -1 WHERE position = 20;
       UPDATE events SET position = 20 WHERE position = 21;
       UPDATE events SET position = 21 WHERE position = -1`,
      20,
    ],
    [
      'duplicated in its place',
      `UPDATE events SET position = -position - 1 WHERE position > 20;
       UPDATE events SET position = -position WHERE position < 0;
       INSERT INTO events ${row(21)} WHERE position = 20`,
      21,
    ],
    ['inserted', `INSERT INTO events ${row(78)} WHERE position = 20`, 78],
    [
      'replayed under another id at the end',
      `INSERT INTO events ${row(78)} WHERE position = 77`,
      78,
    ],
    ['given to another host', "UPDATE events SET stream = 'other' WHERE position = 20", 20],
    ['cut off into another host', "UPDATE events SET stream = 'other' WHERE position = 77", 77],
    ['made another', `UPDATE events SET data = replace(data, ':1', ':2') WHERE position = 20`, 20],
  ];

  test.concurrent.each(tampered)('%s is found at its position', async (what, sql, position) => {
    const log = join(folder, `${what.replaceAll(' ', '-')}.ledger`);
    copyFileSync(whole, log);
    const db = new DatabaseSync(log);
    db.exec(`DROP TRIGGER events_are_not_changed; DROP TRIGGER events_are_not_deleted; ${sql}`);
    db.close();
    const { code, out } = await run(['verify', '--json', '--log', log]);
    const { faults } = JSON.parse(out);
    expect({ code, fault: faults[0] }).toMatchObject({
      code: 3,
      fault: { position, kind: 'bytes' },
    });
    const until = await run(['verify', '--until', String(position - 1), '--log', log]);
    expect(until).toMatchObject({ code: 0, err: '' });
  });

  test('cut off at the end is found with a head that was kept', async () => {
    const log = join(folder, 'cut.ledger');
    copyFileSync(whole, log);
    const { head } = JSON.parse((await run(['verify', '--json', '--log', log])).out);
    const db = new DatabaseSync(log);
    db.exec('DROP TRIGGER events_are_not_deleted; DELETE FROM events WHERE position > 70');
    db.close();
    expect((await run(['verify', '--log', log])).code).toBe(0);
    const { code, out } = await run(['verify', '--head', head, '--json', '--log', log]);
    expect(code).toBe(1);
    expect(JSON.parse(out).faults).toMatchObject([{ position: 77, kind: 'head' }]);
  });
});
