import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { beforeAll, describe, expect, test } from 'vitest';
import { SCHEMA } from '../../events/vocabulary.ts';
import { openLedger, sealLog } from '../../ledger.ts';
import { temporaryFolder } from '../log/folder.ts';

const format = readFileSync(new URL('../../FORMAT.md', import.meta.url), 'utf8');
const folder = temporaryFolder();
const log = join(folder, 'host.ledger');
const host = "it's a host";

const [, script = ''] = /```sh\n([^]*?)```/.exec(format) ?? [];
const checker = join(folder, 'check.sh');

const isThere = (command: string) => spawnSync('sh', ['-c', `command -v ${command}`]).status === 0;
const canCheck = isThere('sqlite3') && isThere('sha256sum');

function check(...files: string[]): string[] {
  return execFileSync('sh', [checker, host, ...files], { encoding: 'utf8', stdio: 'pipe' })
    .trimEnd()
    .split('\n');
}

async function headOf(path: string): Promise<string> {
  const ledger = await openLedger(path, { readOnly: true });
  const { position, hash } = ledger.head;
  await ledger.close();
  return `${position}:${hash}`;
}

beforeAll(async () => {
  writeFileSync(checker, script);
  const lines = [
    { type: 'process.started', data: { pid: 7, comm: 'qemu \u2028\té', cgroup: null } },
    { type: 'group.opened', data: { pid: 7, fd: 3, group: '26', cloexec: false } },
    { type: 'descriptor.closed', data: { pid: 7, fd: 3 }, time: '2026-11-25T10:00:00Z' },
    { type: 'process.exited', data: { pid: 7, signal: null } },
  ].map((event, position) => ({ id: `e${position}`, time: null, schema: 1, position, ...event }));
  const evidence = (some: typeof lines) =>
    [...some, { end: { events: some.length } }].map((line) => JSON.stringify(line)).join('\n');
  const ledger = await openLedger(log, { host });
  await ledger.import(evidence(lines.slice(0, 3)), { format: 'events' });
  await ledger.close();
  sealLog(log);
  const next = await openLedger(log);
  await next.import(evidence(lines.slice(3)), { format: 'events' });
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

// Where CI runs both are there; elsewhere they may not be.
describe.skipIf(!canCheck && process.env['CI'] === undefined)('a stranger with sqlite3', () => {
  test('comes to the same head, over all files and over the last alone', async () => {
    const head = await headOf(log);
    expect(check(log, `${log}.0002`)).toEqual([head]);
    expect(check(`${log}.0002`)).toEqual([head]);
  });

  test('comes to the same head of a log in format 1', async () => {
    const old = new URL('../log/corpus/good_schema-1.ledger', import.meta.url).pathname;
    const said = execFileSync('sh', [checker, 'host', old], { encoding: 'utf8', stdio: 'pipe' });
    expect(said.trim()).toBe(await headOf(old));
  });

  test.each([
    ['changed', "UPDATE events SET time = '2026-11-25T10:00:01Z' WHERE position = 2", 2],
    ['removed', 'DELETE FROM events WHERE position = 1', 1],
    ['renamed', "UPDATE events SET stream = 'other'", null],
  ])('finds what was %s', (name, sql, position) => {
    const copy = join(folder, `${name}.ledger`);
    copyFileSync(log, copy);
    const db = new DatabaseSync(copy);
    db.exec(`DROP TRIGGER events_are_not_changed; DROP TRIGGER events_are_not_deleted; ${sql}`);
    db.close();
    const { stdout } = spawnSync('sh', [checker, host, copy, `${log}.0002`], { encoding: 'utf8' });
    expect(stdout).toMatch(
      position === null ? /^wrong: the anchor/ : `wrong: position ${position}`,
    );
  });
});
