import { chmodSync, copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { beforeAll, describe, expect, test } from 'vitest';
import { hashOf } from '../../log/hash.ts';
import { temporaryFolder } from '../log/folder.ts';
import { asAnybody } from '../support/as-anybody.ts';
import { hostTopology, main, run, runCommand, twoContexts, type Surroundings } from './program.ts';

const folder = temporaryFolder();
const at = (name: string) => join(folder, name);
const log = at('log.ledger');

/** A request that fails: its exit code, and its one line on standard error. */
async function failing(args: readonly string[], surroundings?: Surroundings) {
  const { code, out, err } = await run(args, surroundings);
  expect(err).toMatch(/^vfio-ledger: .+\n$/);
  return { code, out, reason: err.slice('vfio-ledger: '.length, -1) };
}

/** A copy of the log, changed by someone who knows SQLite. */
function tampered(name: string, sql: string): string {
  copyFileSync(log, at(name));
  const db = new DatabaseSync(at(name));
  db.exec(`DROP TRIGGER events_are_not_changed; DROP TRIGGER events_are_not_deleted; ${sql}`);
  db.close();
  return at(name);
}

beforeAll(async () => {
  await run(['simulate', '--topology', hostTopology, '--log', log, twoContexts]);
});

describe('a request that cannot be met is 2', () => {
  const requests: [what: string, args: string[], reason: RegExp][] = [
    ['an unknown verb', ['fly'], /^no verb 'fly'; there are simulate, import, .+$/],
    ['an unknown option', ['table', '--fly'], /^unknown option '--fly'; see --help$/],
    ['an option without its value', ['table', '--at'], /^option '--at' needs a value; see --help$/],
    ['a missing operand', ['who'], /^who: an operand is missing; usage: vfio-ledger who SUBJECT/],
    ['an operand too many', ['causes', 'x'], /^causes: too many operands/],
    ['a position past the end', ['table', '--at', '39'], /^position 39 is past the end/],
    ['an end past the end', ['table', '--until', '39'], /^--until 39 is past the end/],
    ['a moment that is none', ['diff', 'noon', 'end'], /'noon' is not a position/],
    ['an unknown subject', ['who', '0000:ff:00.0'], /has no device '0000:ff:00.0'/],
    ['what was not refused', ['why', '10'], /^position 10 is not a refusal/],
    ['an unknown host', ['table', '--host', 'elsewhere'], /holds no host 'elsewhere'/],
    ['a head that is none', ['verify', '--head', 'abc'], /^the head must be POSITION:HASH .*'abc'/],
    ['a format that is not exported', ['export', '--format', 'xml'], /^no format 'xml'/],
    [
      'a profile that is not named',
      ['replay'],
      /^--profile P is missing; known are linux-5\.10, .+$/,
    ],
    [
      'an unknown profile',
      ['replay', '--profile', 'x'],
      /^no profile 'x'; known are linux-5\.10, .+$/,
    ],
    ['a profile of no machine', ['machine', 'group', '--profile', 'x'], /^no profile 'x'; known/],
    ['a profile of no rules', ['rules', '--profile', 'x'], /^no profile 'x'; known are/],
    [
      'an unknown machine',
      ['machine', 'x'],
      /^no machine 'x'; there are device, group, .+ iommufd$/,
    ],
    [
      'an unknown picture',
      ['machine', 'group', '--format', 'x'],
      /^no format 'x'; there are m.+json$/,
    ],
    ['an unknown operation', ['rules', 'x'], /^no operation 'x'; there are open_cdev, .+ bg_wait$/],
    ['a log that is not there', ['table', '--log', at('none')], /^no log at /],
    ['a folder as log', ['table', '--log', folder], /is not a file, so not a log$/],
    ['an engine that is not here', ['table', '--log', 'other://localhost'], /^no engine for/],
  ];

  test.concurrent.each(requests)('%s', async (_, args, reason) => {
    const named = args.includes('--log') ? args : [...args, '--log', log];
    expect(await failing(args[0] === 'fly' ? args : named)).toMatchObject({
      code: 2,
      out: '',
      reason: expect.stringMatching(reason),
    });
  });

  test('no verb at all shows the help on standard error', async () => {
    const { code, out, err } = await run([]);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toMatch(/^vfio-ledger VERB/);
  });
});

describe('input that cannot be read is 2', () => {
  const evidence: [what: string, input: string, reason: RegExp][] = [
    ['an answer in parts', '{"seq":"a","op":"fds"}', /^stdin:1: n: /],
    ['nothing', '', /it is empty$/],
    ['something else', 'hello\n', /^stdin: no line says anything of VFIO/],
  ];

  test.concurrent.each(evidence)('evidence: %s', async (_, input, reason) => {
    const made = at('unmade.ledger');
    const found = await failing(['import', '--log', made, '-'], { input });
    expect(found).toMatchObject({ code: 2, reason: expect.stringMatching(reason) });
  });

  test('a line of an export that is broken is named', async () => {
    const { out } = await run(['export', '--log', log]);
    const input = out.replace('"type":"process.started"', '"type":"process.started');
    const found = await failing(['import', '--log', at('unmade.ledger'), '-'], { input });
    expect(found).toMatchObject({ code: 2, reason: expect.stringMatching(/^stdin:8: not JSON/) });
  });

  test('a topology without devices, one that is not there, and none', async () => {
    const file = at('empty.topology.json');
    writeFileSync(file, '{"topology":{"kernel":"6.12","iommufd":true,"devices":[]}}');
    const simulate = ['simulate', '--log', at('unmade.ledger')];
    expect(await failing([...simulate, '--topology', file])).toMatchObject({
      code: 2,
      reason: `${file}:1: topology.devices: a topology names at least one device`,
    });
    const missing = at('none.json');
    const absent = await failing([...simulate, '--topology', missing]);
    expect(absent).toMatchObject({ code: 2, reason: `${missing}: no such file` });
    expect(await failing(simulate)).toMatchObject({
      code: 2,
      reason: '--topology FILE is missing',
    });
    const twice = await failing([...simulate, '--topology', '-'], { input: '{}' });
    expect(twice).toMatchObject({ code: 2, reason: expect.stringMatching(/given only once$/) });
  });

  test('a file that is no log is left as it is, byte for byte', async () => {
    const file = at('notes.txt');
    writeFileSync(file, 'not a log\n'.repeat(500));
    const before = readFileSync(file);
    const { out } = await run(['export', '--log', log]);
    for (const [args, input] of [
      [['simulate', '--topology', hostTopology, '--log', file], 'fds\n'],
      [['import', '--log', file, '-'], out],
      [['table', '--log', file], ''],
    ] as const) {
      expect(await failing(args, { input })).toMatchObject({ code: 2, out: '' });
    }
    expect(readFileSync(file).equals(before)).toBe(true);
  });

  test('a log of a newer schema', async () => {
    const { hash } = JSON.parse(
      (await run(['log', '--from', '38', '--json', '--log', log])).out,
    )[0];
    const next = hashOf(hash, 39, null, 'x', 99, 'device.dreamt', '{}');
    const insert = `INSERT INTO events VALUES
      ('host', 39, NULL, 'x', 99, 'device.dreamt', '{}', '${next}')`;
    const found = await failing(['verify', '--log', tampered('newer.ledger', insert)]);
    expect(found).toMatchObject({ code: 2, reason: expect.stringMatching(/99 is newer than \d+/) });
  });
});

test('a header that says that it is of a newer release is 2, and verify has its doubts', async () => {
  const newer = tampered('newer-format.ledger', 'PRAGMA user_version = 99');
  const reason = expect.stringMatching(/was written by a newer release, in format 99/);
  expect(await failing(['table', '--log', newer])).toEqual({ code: 2, out: '', reason });
  const verified = await failing(['verify', '--json', '--log', newer]);
  expect(verified).toMatchObject({ code: 3, reason });
  expect(JSON.parse(verified.out).faults).toMatchObject([{ position: null, kind: 'bytes' }]);
});

test('an intact log whose head is not the one that was kept is 1', async () => {
  const kept = `12:${'0'.repeat(64)}`;
  const { code, out, err } = await run(['verify', '--head', kept, '--json', '--log', log]);
  expect({ code, err }).toEqual({ code: 1, err: '' });
  expect(JSON.parse(out).faults).toEqual([
    {
      position: 12,
      time: null,
      kind: 'head',
      detail: expect.stringContaining('not the head that was kept'),
    },
  ]);
});

test('a log that the rules disagree with is 1', async () => {
  const { out } = await run(['export', '--log', log]);
  const input = out.replace('"errno":"EPERM"', '"errno":"ENOMEM"');
  await run(['import', '--log', at('odd.ledger'), '-'], { input });
  const verified = await run(['verify', '--log', at('odd.ledger')]);
  expect(verified).toMatchObject({ code: 1, err: '' });
  expect(verified.out).toMatch(
    /^16 +rules +bind got ENOMEM; by linux-6.12 it would get EPERM, owned-by-other/m,
  );
});

test('a damaged log is 3 for every verb, and verify says what is known of the rest', async () => {
  const damaged = tampered(
    'damaged.ledger',
    `UPDATE events SET data = replace(data, '102', '103') WHERE position = 20`,
  );
  const evidence = await run(['export', '--log', log]);
  const reason = 'the log is damaged at position 20: the event does not match its hash';
  for (const [args, input] of [
    [['table'], ''],
    [['why', '16'], ''],
    [['simulate', '--topology', hostTopology], 'fds\n'],
    [['import', '-'], evidence.out],
  ] as const) {
    const found = await failing([...args, '--log', damaged], { input });
    expect(found).toEqual({ code: 3, out: '', reason });
  }
  const verified = await failing(['verify', '--json', '--log', damaged]);
  expect(verified).toMatchObject({ code: 3, reason });
  expect(JSON.parse(verified.out)).toEqual({
    events: 20,
    coverage: { from: 0, to: 19, fromTime: null, toTime: null, unknown: [] },
    head: expect.stringMatching(/^19:[\da-f]{64}$/),
    hosts: [{ host: 'host', events: 20, head: expect.stringMatching(/^19:[\da-f]{64}$/) }],
    faults: [
      { position: 20, time: null, kind: 'bytes', detail: expect.stringContaining('position 20') },
    ],
    notes: [
      expect.stringMatching(/lacks the trigger 'events_are_not_changed', which protects its rows$/),
      expect.stringMatching(/lacks the trigger 'events_are_not_deleted', which protects its rows$/),
    ],
  });
  expect((await run(['table', '--until', '19', '--log', damaged])).code).toBe(0);
});

describe('surroundings that fail are 4', () => {
  test('no folder for the log', async () => {
    const args = ['simulate', '--topology', hostTopology, '--log', at('none/log.ledger')];
    const found = await failing(args, { input: 'fds\n' });
    expect(found).toMatchObject({ code: 4, reason: expect.stringMatching(/there is no folder/) });
  });

  test('a file that may not be read', async () => {
    const file = at('secret.scenario');
    writeFileSync(file, 'fds\n');
    chmodSync(file, 0);
    const args = [main, 'simulate', '--topology', hostTopology, file];
    const { code, err } = await runCommand(...asAnybody(process.execPath, args));
    expect(code).toBe(4);
    expect(err).toMatch(/permission denied/);
  });

  test('no space for the output', async () => {
    const command = `"${process.execPath}" "${main}" causes > /dev/full`;
    const { code, err } = await runCommand('sh', ['-c', command]);
    expect(code).toBe(4);
    expect(err).toMatch(/^vfio-ledger: standard output: ENOSPC.*\n$/);
  });
});

test('a reader that goes away early is no failure', async () => {
  const input = 'open_iommufd I\nclose I\n'.repeat(3000);
  const args = ['simulate', '--topology', hostTopology];
  const { code, out, err } = await run(args, { input, readsOnce: true });
  expect({ code, err }).toEqual({ code: 0, err: '' });
  expect(out.length).toBeGreaterThan(0);
});
