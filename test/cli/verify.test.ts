import { execFileSync } from 'node:child_process';
import { copyFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { beforeAll, describe, expect, test } from 'vitest';
import { verbs } from '../../cli/verbs.ts';
import { openLedger } from '../../ledger.ts';
import { openSqliteStore } from '../../log/sqlite.ts';
import { temporaryFolder } from '../log/folder.ts';
import { closed } from '../log/sample.ts';
import { type Printed, printedBy } from '../support/verbs.ts';
import { hostTopology, root, twoContexts } from './program.ts';

const folder = temporaryFolder();
const at = (name: string) => join(folder, name);
const log = at('log.ledger');

async function ask(name: string, ...args: string[]): Promise<Printed> {
  const verb = await verbs.get(name)!();
  return printedBy(verb, args);
}

const simulate = (file: string, host: string) =>
  ask('simulate', '--topology', hostTopology, '--log', file, '--host', host, twoContexts);

/** A copy of the log, changed by someone who knows SQLite. */
function changed(name: string, sql: string): string {
  copyFileSync(log, at(name));
  const db = new DatabaseSync(at(name));
  db.exec(sql);
  db.close();
  return at(name);
}

const swallow = `CREATE TRIGGER swallow BEFORE INSERT ON events
  WHEN NEW.type = 'operation.refused' BEGIN SELECT RAISE(IGNORE); END`;

beforeAll(async () => {
  await simulate(log, 'a');
  await simulate(log, 'b');
});

describe('a log of several hosts', () => {
  const heads: Record<string, string> = {};
  beforeAll(async () => {
    const { out } = await ask('verify', '--json', '--host', 'a', '--log', log);
    const { hosts } = JSON.parse(out) as { hosts: { host: string; head: string }[] };
    for (const { host, head } of hosts) heads[host] = head;
  });
  const verify = (...args: string[]) => ask('verify', '--host', 'a', '--log', log, ...args);

  test('verify names every host with its head', async () => {
    const { code, out } = await verify();
    expect(code).toBe(0);
    expect(out).toMatch(/^events {2}39\nhead {4}38:/);
    expect(out).toContain(
      `The log has several hosts:\n  HOST  EVENTS  HEAD\n  a     39      ${heads['a']}\n` +
        `  b     39      ${heads['b']}\n`,
    );
    const ledger = await openLedger(log, { readOnly: true, host: 'b' });
    expect(ledger.verify().hosts).toEqual([
      { host: 'a', events: 39, head: heads['a'] },
      { host: 'b', events: 39, head: heads['b'] },
    ]);
    await ledger.close();
  });

  test('a host that was put in shows', async () => {
    const more = changed('more.ledger', '');
    const store = openSqliteStore(more);
    await store.append('c=1:d', -1, [closed('x')]);
    await store.close();
    const { out } = await ask('verify', '--json', '--host', 'a', '--log', more);
    expect(JSON.parse(out).hosts.map(({ host }: { host: string }) => host)).toEqual([
      'a',
      'b',
      'c=1:d',
    ]);
    const [, , { head }] = JSON.parse(out).hosts;
    const kept = ['--head', `c=1:d=${head}`];
    expect(await ask('verify', '--host', 'a', ...kept, '--log', more)).toMatchObject({ code: 0 });
  });

  test('a damaged event is told with its host, also if another host has damage at its position', async () => {
    const damaged = changed(
      'both.ledger',
      `DROP TRIGGER events_are_not_changed;
       UPDATE events SET data = '{}' WHERE position = 7`,
    );
    const { code, out } = await ask('verify', '--json', '--host', 'a', '--log', damaged);
    expect(code).toBe(3);
    const { faults } = JSON.parse(out) as { faults: object[] };
    const detail = (host: string) =>
      `host '${host}', position 7: the event does not match its hash`;
    expect(faults).toEqual(
      ['a', 'b'].map((host) => {
        return { position: 7, time: null, kind: 'bytes', detail: detail(host) };
      }),
    );
  });

  test('heads of several hosts are compared, each with its own', async () => {
    const both = ['--head', `a=${heads['a']}`, '--head', `b=${heads['b']}`];
    expect(await verify(...both)).toMatchObject({ code: 0 });
    expect(await verify('--head', heads['a']!, ...both)).toMatchObject({ code: 0 });
    const later = heads['b']!.replace(/^\d+/, '40');
    const other = `3:${'0'.repeat(64)}`;
    const swapped = ['--head', `a=${other}`, '--head', `b=${later}`, '--head', `b=${other}`];
    const { code, out } = await verify('--json', ...swapped, '--head', `gone=${other}`);
    expect(code).toBe(1);
    const detail = 'not the head that was kept: ';
    expect(JSON.parse(out).faults).toEqual([
      { position: 3, time: null, kind: 'head', detail: `${detail}the hash differs` },
      {
        position: null,
        time: null,
        kind: 'head',
        detail: `host 'b', position 40: ${detail}the log ends before its position`,
      },
      {
        position: null,
        time: null,
        kind: 'head',
        detail: `host 'b', position 3: ${detail}the hash differs`,
      },
      {
        position: null,
        time: null,
        kind: 'head',
        detail: `host 'gone', position 3: ${detail}the log has no events of this host`,
      },
    ]);
  });

  test('a head that is none is a bad request', async () => {
    const { code, err } = await verify('--head', `a=${heads['a']}`, '--head', 'b=12');
    expect(code).toBe(2);
    expect(err).toMatch(/^the head must be POSITION:HASH .* not 'b=12'$/m);
  });
});

describe('a log that holds a trigger', () => {
  let single: string;
  let foreign: string;
  beforeAll(async () => {
    single = at('single.ledger');
    await simulate(single, 'host');
    foreign = at('foreign.ledger');
    copyFileSync(single, foreign);
    const db = new DatabaseSync(foreign);
    db.exec(swallow);
    db.close();
    writeFileSync(at('export.jsonl'), (await ask('export', '--log', single)).out);
    execFileSync('sh', [join(root, 'examples/host.sh'), at('host')]);
  });

  test('verify says so, and every other answer is as before', async () => {
    const { code, out } = await ask('verify', '--json', '--log', foreign);
    expect(code).toBe(1);
    expect(JSON.parse(out).faults).toEqual([
      {
        position: null,
        time: null,
        kind: 'foreign',
        detail: `${foreign} holds trigger 'swallow' (table 'events'), as no log does: nothing is written to this file`,
      },
    ]);
    const text = await ask('verify', '--log', foreign);
    expect(text.out).toMatch(/^file +foreign +\S+ holds trigger 'swallow'/m);
    const whole = await ask('table', '--log', single);
    expect(await ask('table', '--log', foreign)).toEqual(whole);
  });

  test('a table in the place of the events is damage', async () => {
    const path = changed('replaced.ledger', "ALTER TABLE events ADD COLUMN note TEXT AS ('')");
    const { code, out, err } = await ask('verify', '--json', '--log', path);
    expect(code).toBe(3);
    expect(err).toMatch(/events is not the table of a log/);
    expect(JSON.parse(out)).toMatchObject({
      hosts: [],
      faults: [{ position: null, kind: 'foreign' }],
    });
    expect(await simulate(path, 'a')).toMatchObject({ code: 2, out: '' });
  });

  const writing: [verb: string, args: string[]][] = [
    ['simulate', ['--topology', hostTopology, twoContexts]],
    ['import', [at('export.jsonl')]],
    ['snapshot', ['--root', at('host')]],
    ['record', ['--tracer', 'sleep 9']],
    ['run', ['--tracer', 'sleep 9', '--', 'true']],
    ['seal', []],
    ['retain', ['--keep', '0']],
  ];

  test.each(writing)('%s writes nothing to it', async (name, args) => {
    const before = readFileSync(foreign);
    const names = readdirSync(folder);
    const { code, out, err } = await ask(name, '--log', foreign, ...args);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toContain(`nothing is written to ${foreign}: it holds what no log has`);
    expect(readFileSync(foreign).equals(before)).toBe(true);
    expect(readdirSync(folder)).toEqual(names);
  });

  test('a library that has it open meets the same error', async () => {
    await expect(openLedger(foreign)).rejects.toMatchObject({ code: 'foreign' });
  });
});
