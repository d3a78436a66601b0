/**
 * Names that would steer or fool a terminal never reach one as they are: from no verb, in no format,
 * in no message. Programs get them as they are.
 */
import { copyFileSync, globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import fc from 'fast-check';
import { beforeAll, describe, expect, inject, test } from 'vitest';
import { exportLog } from '../../cli/export.ts';
import { log } from '../../cli/log.ts';
import { paintFor } from '../../cli/paint.ts';
import { table } from '../../cli/table.ts';
import type { Verb } from '../../cli/verb.ts';
import { verbs } from '../../cli/verbs.ts';
import { openLedger } from '../../ledger.ts';
import { temporaryFolder } from '../log/folder.ts';
import { attached, leaving, straceScript, tracerLine } from '../recorder/tracer-scripts.ts';
import { copiedHost } from '../support/copied-host.ts';
import { countOf, inCampaigns, isCampaign } from '../support/effort.ts';
import {
  hostileLogs,
  hostileNames,
  hostilePaths,
  hostileText,
  unsafeIn,
  withoutColour,
} from '../support/hostile-names.ts';
import { shownBy } from '../support/terminal.ts';
import { printedBy } from '../support/verbs.ts';
import { hostTopology, root } from './program.ts';

const folder = temporaryFolder();
const colour = paintFor({ isTTY: true }, {});

/** The worst of them: terminals obey it. */
const esc = '\u001b[31m\u202e';
/** A folder in a folder: a name has at most 255 bytes. */
const place = join(folder, hostilePaths.slice(0, 12).join(''), hostilePaths.slice(12).join(''));
const at = (name: string) => join(place, `${name}${esc}`);

/** Whatever a verb prints is safe, and JSON is JSON. Returns the exit code. */
async function askedOf(verb: Verb, args: readonly string[]): Promise<number> {
  const { out, err, code } = await printedBy(verb, args, colour);
  const asked = [verb.name, ...args].join(' ');
  expect({ asked, unsafe: unsafeIn(out + err) }).toEqual({ asked, unsafe: [] });
  if (err.includes('this is a bug')) throw new Error(`${asked}: ${err}`);
  if (args.includes('--json')) for (const line of out.match(/.+/g) ?? []) JSON.parse(line);
  return code;
}

/** Logs in files, with hostile names in every field. */
async function logsIn(names: readonly string[], prefix: string): Promise<string[]> {
  const paths: string[] = [];
  for (const [index, events] of hostileLogs(names).entries()) {
    const path = at(`${prefix}${index}`);
    await using ledger = await openLedger(path, { host: 'host\u202e\u200b\u{e0041}' });
    await ledger.append(-1, events);
    paths.push(path);
  }
  return paths;
}

/** Of these a campaign asks about all. */
function some<T>(all: Iterable<T>): T[] {
  return [...new Set(all)].filter((_, index) => isCampaign || index % 4 === 0);
}

/** Questions about a log that name what the log names. */
async function questionsAbout(log: string): Promise<[verb: string, ...args: string[]][]> {
  await using ledger = await openLedger(log, { readOnly: true });
  const { groups, devices } = ledger.at('end').table();
  const places = [
    ...some(groups.map(({ group }) => group)),
    ...some(devices.map(({ device }) => device)),
  ];
  const processes = ledger.events.flatMap(({ data }) => ('comm' in data ? [data] : []));
  const names = [...new Set(processes.map(({ comm }) => comm ?? '?'))];
  const pids = some(processes.map((data) => ('pid' in data ? `pid:${data.pid}` : 'pid:1')));
  const refused = ledger.log({ refused: true }).map(({ position }) => String(position));
  const [one = 'x', other = 'y'] = names;
  return (
    [
      ['log'],
      ['log', '--refused'],
      ['table'],
      ['table', '--all'],
      ['who', '--orphans'],
      ['history', '--waiters'],
      ['history', '--overlaps'],
      ...some(names).map((name) => ['history', '--by', name]),
      ...[...places, ...pids].flatMap((subject) => [
        ['log', subject],
        ['who', subject],
        ['who', subject, '--holdings'],
      ]),
      ...places.flatMap((subject) => [
        ['history', subject],
        ['why', subject],
        ['attest', 'never-owned', subject, `comm:${one}`],
        ['attest', 'sole-owner', subject, `comm:${one}`],
      ]),
      ['attest', 'never-shared', `comm:${one}`, `comm:${other}`],
      ...some(refused).map((position) => ['why', position]),
      ['diff', 'start', 'end'],
      ['bisect', '--invariant', 'one-context-per-group'],
      ['bisect', '--where', `group ${JSON.stringify(places[0] ?? '0')} owner.kind = iommufd`],
      ['bisect', '--where', `holders.comm = ${JSON.stringify(one)}`],
      ['replay', '--profile', 'linux-6.1'],
      ['verify'],
      ['verify', '--head', `0:${'0'.repeat(64)}`],
    ] as [string, ...string[]][]
  ).map(([verb, ...args]) => [verb, ...args, '--log', log]);
}

/** What the other verbs are asked, in files that are there; they make logs whose names begin so. */
function deeds(begin = ''): [verb: string, ...args: string[]][] {
  const [host, topology, scenario, trace] = [at('host'), at('topology'), at('play'), at('trace')];
  const failing = tracerLine(
    join(folder, 'failing'),
    [],
    `printf 'no ${esc} such\\rprobe' >&2; exit 1`,
  );
  const dying = tracerLine(join(folder, 'dying'), [attached], `printf '${esc}' >&2; exit 1`);
  const traced = leaving.map((line) => line.replaceAll('vmm', esc));
  const tracer = straceScript(join(folder, 'strace'), traced).join(' ');
  return [
    ['simulate', '--topology', topology, scenario],
    ['simulate', '--topology', topology, '--log', at(`${begin}simulated`), '--host', esc, scenario],
    ['simulate', '--topology', topology, trace],
    ['import', '--log', at(`${begin}imported`), trace],
    ['import', '--log', at(`${begin}strict`), '--strict', trace],
    ['import', '--log', at(`${begin}none`), at('absent')],
    ['snapshot', '--root', host, '--log', at(`${begin}snapshots`)],
    ['who', '26', '--now', '--root', host],
    ['who', esc, '--now', '--root', host],
    ['record', '--for', '0.2', '--log', at(`${begin}record`), '--root', host, '--tracer', failing],
    ['record', '--for', '0.4', '--log', at(`${begin}record`), '--root', host, '--tracer', dying],
    ['run', '--root', host, '--wait', '0', '--tracer', tracer, '--', 'sh', '-c', `: '${esc}'`],
    ['run', '--root', host, '--tracer', tracer, '--', `./absent${esc}`],
    ['seal', '--log', at('sealed')],
    ['seal', '--log', at('sealed')],
    ['retain', '--keep', '0', '--archive', place, '--log', at('sealed')],
    ['export', '--log', at('sealed')],
    ['push', '--log', at('sealed'), '--to', at(`${begin}pushed`)],
    ['pull', '--log', at(`${begin}pulled`), '--from', at('sealed')],
    ['tail', '--from', 'start', '--for', '0.01', '--log', at('damaged')],
    ['tail', '--from', 'start', '--for', '0.01', '--log', at('log0')],
    ['table', '--log', trace],
    ['log', '--log', at('damaged')],
    ['verify', '--log', at('damaged')],
    ['causes'],
    ['rules'],
    ['rules', 'bind'],
    ['machine', 'group'],
    ['machine', 'group', '--format', 'json'],
  ];
}

/** The same question with `--json`, which stands before the command of `run`. */
function asJson(args: readonly string[]): string[] {
  const options = args.indexOf('--');
  return args.toSpliced(options < 0 ? args.length : options, 0, '--json');
}

/** A copy of a log in which the names of an event are others than those that were recorded. */
function damage(log: string): void {
  copyFileSync(log, at('damaged'));
  const db = new DatabaseSync(at('damaged'));
  db.exec('DROP TRIGGER events_are_not_changed');
  db.prepare('UPDATE events SET data = ?, type = ? WHERE position = 3').run('{}', `x${esc}`);
  db.close();
}

let logs: string[] = [];

beforeAll(async () => {
  mkdirSync(place, { recursive: true });
  logs = await logsIn(hostileNames, 'log');
  const [simulated = '', recorded = ''] = logs;
  copyFileSync(simulated, at('sealed'));
  damage(recorded);
  const comm = esc.slice(0, 15);
  copiedHost(at('host'), {
    devices: [{ device: '0000:3b:00.0', group: '26', driver: 'vfio-pci', cdev: 'vfio0' }],
    processes: [
      { pid: 90, comm, cgroup: `/vm${esc}.slice`, descriptors: { 5: '/dev/vfio/26' } },
      { pid: 91, comm, descriptors: { 5: '/dev/iommu', 6: '/dev/vfio/devices/vfio0' } },
    ],
  });
  const { topology } = JSON.parse(readFileSync(hostTopology, 'utf8'));
  for (const device of topology.devices) device.name += esc;
  writeFileSync(at('topology'), JSON.stringify({ topology }));
  writeFileSync(at('play'), `open_group G gpu${esc}\nopen_group H gpu${esc}\n`);
  const line = '7 openat(AT_FDCWD, "/dev/vfio/26", O_RDWR) = ';
  writeFileSync(at('trace'), `${line}3\n7 ioctl(3, VFIO_GROUP_SET_${esc}\n${line}-1 EBUSY\n`);
});

describe('in a terminal with colours', () => {
  test('every verb, as text and as JSON', async () => {
    const asked = [...(await Promise.all(logs.map(questionsAbout))).flat(), ...deeds()];
    expect([...new Set(asked.map(([name]) => name))].toSorted()).toEqual(
      [...verbs.keys()].toSorted(),
    );
    const codes = new Set<number>();
    for (const [name, ...args] of asked) {
      const verb = await verbs.get(name)!();
      codes.add(await askedOf(verb, args));
      codes.add(await askedOf(verb, asJson(args)));
    }
    expect(codes).toEqual(new Set([0, 1, 2, 3, 4, 127]));
  });

  test('every option and operand that is wrong', async () => {
    for (const load of verbs.values()) {
      const verb = await load();
      const wrong = join(place, 'absent');
      const first = verb.name === 'tail' ? ['--for=0.01'] : [];
      const ask = async (...args: string[]) => askedOf(verb, [...first, ...args]);
      const values = Object.entries(verb.options).filter(([, { type }]) => type === 'string');
      for (const [option] of values) {
        // These would run what they name.
        if (option === 'tracer' || verb.name === 'record') continue;
        await ask(wrong, wrong, `--${option}=${wrong}`);
        await ask(wrong, `--${option}=${wrong}`);
        await ask(`--${option}=${wrong}`);
      }
      await ask(`--${wrong}`);
      await ask(wrong, wrong, '--log', logs[0] ?? '');
      await ask(wrong, '--log', logs[0] ?? '');
    }
  });

  test('a name is told from every other, and from colours of ours', async () => {
    const [asText] = logs;
    const plainly = await printedBy(log, ['--log', asText!]);
    const coloured = await printedBy(log, ['--log', asText!], colour);
    expect(coloured.out).not.toBe(plainly.out);
    expect(withoutColour(coloured.out)).toBe(plainly.out);
    expect(plainly.out).not.toContain('\u001b');
  });
});

describe('in a pseudo-terminal, byte by byte', () => {
  /** Verbs that are asked most. */
  const isAboutALog = new Set(['log', 'who', 'why', 'history', 'attest']);

  /** What Node and the program print: no byte of a name steers the terminal. */
  async function shownSafely(args: readonly string[], env?: Record<string, string>) {
    const { bytes, code } = await shownBy([process.execPath, inject('program'), ...args], env);
    const text = bytes.toString();
    expect({ args, unsafe: unsafeIn(text.replaceAll('\r', '')) }).toEqual({ args, unsafe: [] });
    // A carriage return ends a line, or begins the line of progress again.
    if (env?.['NO_COLOR'] !== undefined) expect(text).not.toContain('\u001b');
    return { text, code };
  }

  test('an answer, a failure, a verb that is none, and what nobody catches', async () => {
    const [log = ''] = logs;
    const code =
      `const timer = setInterval(() => { if (process.listenerCount('uncaughtException') > 0) ` +
      `{ clearInterval(timer); throw new Error('\\u001b[2J'); } })`;
    const thrown = `data:text/javascript,${encodeURIComponent(code)}`;
    const [answer, failure, none, bug] = await Promise.all([
      shownSafely(['table', '--all', '--log', log]),
      shownSafely(['who', esc, '--log', log]),
      shownSafely([`ta${hostilePaths.join('')}ble`]),
      shownSafely(['verify', '--log', log], { NODE_OPTIONS: `--import=${thrown}` }),
    ]);
    expect(answer.code).toBe(0);
    expect(answer.text).toContain('\u001b[2m');
    expect(failure.code).toBe(2);
    expect(failure.text).toContain('\\u{1b}[31m\\u{202e}');
    expect(none.code).toBe(2);
    expect(bug.code).toBe(4);
    expect(bug.text).toContain('this is a bug in vfio-ledger: Error: \\u{1b}[2J\r\n    at ');
  });

  test.each(inCampaigns)('every verb, as text and as JSON, %s', async () => {
    const asked = [...(await Promise.all(logs.map(questionsAbout))).flat(), ...deeds('again-')];
    const most = countOf('commands in a pseudo-terminal', { test: 0, soak: 40, full: 5000 });
    const step = Math.max(1, Math.floor(asked.length / most));
    const chosen = asked.filter(([name], index) => index % step === 0 || !isAboutALog.has(name));
    for (const [name, ...args] of chosen) {
      // A command has no such arguments.
      if (args.some((arg) => arg.includes('\0') || !arg.isWellFormed())) continue;
      await Promise.all([
        shownSafely([name, ...args]),
        shownSafely([name, ...args], { NO_COLOR: '1' }),
        shownSafely([name, ...asJson(args)]),
      ]);
    }
  });
});

describe('programs get names as they are', () => {
  test('in events, in the log, in its export, and in answers from the index', async () => {
    const expected = hostileLogs(hostileNames);
    for (const [index, path] of logs.entries()) {
      const options = { readOnly: true, derived: index % 2 === 0 };
      await using ledger = await openLedger(path, options);
      expect(ledger.events.map(({ data }) => data)).toEqual(expected[index]!.map((e) => e.data));
      const { out } = await printedBy(exportLog, ['--log', path]);
      expect(unsafeIn(out)).toEqual([]);
      await using again = await openLedger(at(`copy${index}`), { host: ledger.host });
      await again.import(out, { format: 'events' });
      expect(again.head).toEqual(ledger.head);
      expect((await again.examine()).faults).toEqual([]);
      const { out: json } = await printedBy(table, ['--json', '--log', path]);
      expect(JSON.parse(json)).toEqual(ledger.at('end').table());
    }
  });

  test('words of the library are safe for a terminal, too', async () => {
    for (const path of logs) {
      await using ledger = await openLedger(path, { readOnly: true });
      const described = ledger.events.map((event) => ledger.describe(event));
      expect(unsafeIn(described.join('\n'))).toEqual([]);
      const refused = ledger.log({ refused: true });
      const explained = refused.map(({ position }) => ledger.explain(ledger.why(position)));
      expect(unsafeIn(explained.join('\n'))).toEqual([]);
    }
  });
});

test.each(inCampaigns)('any names, %s', async () => {
  let made = 0;
  const numRuns = countOf('logs with random names', { test: 1, soak: 5, full: 500 });
  const names = fc.array(hostileText, { minLength: 3, maxLength: 30 });
  await fc.assert(
    fc.asyncProperty(names, async (given) => {
      const paths = await logsIn(given, `random${made++}-`);
      for (const [name, ...args] of (await Promise.all(paths.map(questionsAbout))).flat()) {
        const verb = await verbs.get(name)!();
        await askedOf(verb, args);
        await askedOf(verb, asJson(args));
      }
    }),
    { numRuns },
  );
});

test('nothing but the program itself has the streams of the terminal', () => {
  const folders = 'cli,words,ledger,recorder,evidence,projections,log,host,machines,processes';
  const files = globSync([`{${folders}}/**/*.ts`, 'ledger.ts'], { cwd: root });
  const writers = files.filter((file) => {
    const text = readFileSync(join(root, file), 'utf8');
    return /process\.std(?:out|err)|console\.|'inherit'|process\.emitWarning/.test(text);
  });
  // The command of `run` has the terminal itself.
  expect(writers.toSorted()).toEqual(['cli/main.ts', 'recorder/command.ts']);
});
