import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { beforeAll, describe, expect, test } from 'vitest';
import { SCHEMA } from '../../events/vocabulary.ts';
import { openLedger, sealLog } from '../../ledger.ts';
import { openSqliteStore } from '../../log/sqlite.ts';
import { temporaryFolder } from '../log/folder.ts';
import { closedMany } from '../log/sample.ts';

const format = readFileSync(new URL('../../FORMAT.md', import.meta.url), 'utf8');
const folder = temporaryFolder();
const log = join(folder, 'host.ledger');
const host = "it's a host";

const [, script = ''] = /```sh\n([^]*?)```/.exec(format) ?? [];
const [, program = ''] = /```python\n([^]*?)```/.exec(format) ?? [];
const [, hostsQuery = ''] = /sqlite3 -readonly LOG "(SELECT stream.*)"/.exec(format) ?? [];

const isThere = (command: string) => spawnSync('sh', ['-c', `command -v ${command}`]).status === 0;

/** The checks in FORMAT.md: what runs them, the file that they are in, and what they need. */
const checks = [
  ['sqlite3', 'sh', join(folder, 'check.sh'), ['sqlite3', 'sha256sum']],
  ['Python', 'python3', join(folder, 'check.py'), ['python3']],
] as const;

function lines(command: string, args: readonly string[]): string[] {
  return execFileSync(command, args, { encoding: 'utf8', stdio: 'pipe' }).trimEnd().split('\n');
}

async function headOf(path: string): Promise<string> {
  const ledger = await openLedger(path, { readOnly: true });
  const { position, hash } = ledger.head;
  await ledger.close();
  return `${position}:${hash}`;
}

beforeAll(async () => {
  for (const [, , path] of checks) writeFileSync(path, path.endsWith('.py') ? program : script);
  const told = [
    { type: 'process.started', data: { pid: 7, comm: 'qemu \u2028\té', cgroup: null } },
    { type: 'group.opened', data: { pid: 7, fd: 3, group: '26', cloexec: false } },
    { type: 'descriptor.closed', data: { pid: 7, fd: 3 }, time: '2026-11-25T10:00:00Z' },
    { type: 'process.exited', data: { pid: 7, signal: null } },
  ].map((event, position) => ({ id: `e${position}`, time: null, schema: 1, position, ...event }));
  const evidence = (some: typeof told) =>
    [...some, { end: { events: some.length } }].map((line) => JSON.stringify(line)).join('\n');
  const ledger = await openLedger(log, { host });
  await ledger.import(evidence(told.slice(0, 3)), { format: 'events' });
  await ledger.close();
  sealLog(log);
  const next = await openLedger(log);
  await next.import(evidence(told.slice(3)), { format: 'events' });
  await next.close();
});

test('the tables are those in the file', () => {
  const db = new DatabaseSync(`${log}.0002`, { readOnly: true });
  const [events, heads] = [...format.matchAll(/```sql\n([^]*?)```/g)].map(([, sql = '']) =>
    sql.replaceAll(/--.*/g, '').replaceAll(/\s+/g, ' ').replace(';', '').trim(),
  );
  const found = (name: string) =>
    String(db.prepare('SELECT sql FROM sqlite_schema WHERE name = ?').get(name)?.['sql'])
      .replaceAll(/\s+/g, ' ')
      .trim();
  expect(found('events')).toBe(events);
  expect(found('anchors')).toBe(heads?.replace('seal', 'anchors'));
  expect(db.prepare('PRAGMA application_id').get()).toEqual({ application_id: 0x56464c47 });
  expect(format).toContain(
    `the format: ${String(db.prepare('PRAGMA user_version').get()?.['user_version'])}`,
  );
  db.close();
});

test('every schema has its row', () => {
  const rows = [...format.matchAll(/^\| (\d+) \|/gm)].map(([, schema]) => Number(schema));
  expect(rows).toEqual(Array.from({ length: SCHEMA }, (_, index) => index + 1));
});

test('the check in Python has twenty lines', () => {
  const code = program.split('\n').filter((line) => /^\s*[^\s#]/.test(line));
  expect(code.length).toBeGreaterThan(10);
  expect(code.length).toBeLessThanOrEqual(20);
});

// Where CI runs all of it is there; elsewhere it may not be.
describe.each(checks)('a stranger with %s', (_, command, path, needs) => {
  const check = (...files: string[]) => lines(command, [path, host, ...files]);
  const canCheck = needs.every(isThere) || process.env['CI'] !== undefined;

  test.runIf(canCheck)('comes to the same head, over all files and the last alone', async () => {
    const head = await headOf(log);
    expect(check(log, `${log}.0002`)).toEqual([head]);
    expect(check(`${log}.0002`)).toEqual([head]);
  });

  test.runIf(canCheck)('comes to the same head of a log in format 1', async () => {
    const old = new URL('../log/corpus/good_schema-1.ledger', import.meta.url).pathname;
    expect(lines(command, [path, 'host', old])).toEqual([await headOf(old)]);
  });

  test.runIf(canCheck).each([
    ['changed', "UPDATE events SET time = '2026-11-25T10:00:01Z' WHERE position = 2", 2],
    ['removed', 'DELETE FROM events WHERE position = 1', 1],
    ['renamed', "UPDATE events SET stream = 'other'", null],
  ])('finds what was %s', (name, sql, position) => {
    const copy = join(folder, `${name}.ledger`);
    copyFileSync(log, copy);
    const db = new DatabaseSync(copy);
    db.exec(`DROP TRIGGER events_are_not_changed; DROP TRIGGER events_are_not_deleted; ${sql}`);
    db.close();
    const args = [path, host, copy, `${log}.0002`];
    const { stdout, stderr } = spawnSync(command, args, { encoding: 'utf8' });
    expect(stdout + stderr).toMatch(
      position === null ? /^wrong: the anchor/ : `wrong: position ${position}`,
    );
  });
});

describe('a log of 20,000 events', () => {
  const many = join(folder, 'many.ledger');
  const [, command, path, needs] = checks[1];

  test.runIf(needs.every(isThere) || process.env['CI'] !== undefined)(
    'is checked in Python, and one changed event is found',
    async () => {
      const store = openSqliteStore(many);
      await store.append('host', -1, closedMany(20_000));
      await store.append('other', -1, closedMany(3));
      const { position, hash } = await store.head('host');
      await store.close();
      expect(lines(command, [path, 'host', many])).toEqual([`${position}:${hash}`]);
      const db = new DatabaseSync(many);
      expect(db.prepare(hostsQuery).all().map(Object.values)).toEqual([
        ['host', 19_999],
        ['other', 2],
      ]);
      db.exec('DROP TRIGGER events_are_not_changed');
      db.exec("UPDATE events SET data = '{}' WHERE stream = 'host' AND position = 12345");
      db.close();
      expect(lines(command, [path, 'host', many])).toEqual([
        'wrong: position 12345',
        `${position}:${hash}`,
      ]);
    },
  );
});
