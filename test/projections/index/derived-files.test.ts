import fc from 'fast-check';
import {
  appendFileSync,
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { hostHistory } from '../../../bench/host.ts';
import type { LedgerEvent } from '../../../events/vocabulary.ts';
import { openLedger, type Ledger, type OpenOptions } from '../../../ledger.ts';
import { sealLog } from '../../../log/seal.ts';
import { retainLog } from '../../../log/retention.ts';
import { openSqliteStore } from '../../../log/sqlite.ts';
import type { RecordedEvent, Store } from '../../../log/store.ts';
import { localLog } from '../../../ledger/local-log.ts';
import { packing } from '../../../log/packing.ts';
import { decodeSegment } from '../../../projections/index/segment-bytes.ts';
import { SegmentError } from '../../../projections/index/segment-layout.ts';
import { Timeline } from '../../../projections/timeline.ts';
import { rulesVersion } from '../../../ledger/rules-version.ts';
import { main, runCommand } from '../../cli/program.ts';
import { temporaryFolder } from '../../log/folder.ts';
import { readAll } from '../../log/sample.ts';
import { asAnybody } from '../../support/as-anybody.ts';
import { damage, type Damage } from '../../support/damage.ts';
import { countOf, inCampaigns, isCampaign, someOf } from '../../support/effort.ts';
import { busyHost } from '../../support/random-logs.ts';
import { answersOf, askedOf } from './ways.ts';

const root = temporaryFolder();
let logs = 0;
const newLog = () => join(root, `${logs++}.ledger`);

async function written(events: Iterable<LedgerEvent>): Promise<string> {
  const log = newLog();
  const store = openSqliteStore(log);
  await store.append('host', -1, [...events]);
  await store.close();
  return log;
}

/** Long enough for what is derived of it to be kept as soon as it has been read. */
const LENGTH = 9000;
/** The name of the one segment of such a log. */
const WHOLE = `000000000000-${LENGTH}.segment`;
let log: string;
let other: string;
let answers: readonly unknown[];

const positions = isCampaign
  ? [-1, 0, 100, 4095, 4096, 4097, 8191, LENGTH - 2, LENGTH - 1]
  : [-1, 4096, LENGTH - 1];

beforeAll(async () => {
  log = await written(historyOf(LENGTH, 21));
  other = await written(historyOf(LENGTH, 22));
  answers = await answered(log, { derived: false });
  await answered(other);
});

function historyOf(length: number, seed: number): LedgerEvent[] {
  return [...hostHistory(length, seed)];
}

async function answered(path: string, options: OpenOptions = {}): Promise<unknown[]> {
  const ledger = await openLedger(path, options);
  try {
    return answersIn(ledger);
  } finally {
    await ledger.close();
  }
}

function answersIn(ledger: Ledger): unknown[] {
  const there = positions.filter((at) => at <= ledger.head.position);
  const groups = ledger
    .at('end')
    .table()
    .groups.slice(0, isCampaign ? 4 : 1);
  return [
    ...there.map((at) => {
      const moment = ledger.at(at < 0 ? 'start' : at);
      return [moment.table(), moment.orphans()];
    }),
    ...groups.map(({ group }) => [ledger.history(group), ledger.who(group)]),
    ledger.log({ refused: true, to: ledger.head.position }).length,
    ledger.diff(Math.floor(ledger.head.position / 2), 'end'),
  ];
}

const folderOf = (path: string) => {
  const [stream = ''] = readdirSync(`${path}.index`);
  return join(`${path}.index`, stream);
};
const fileOf = (path: string) => {
  const folder = folderOf(path);
  return join(folder, readdirSync(folder).find((name) => name.endsWith('.segment')) ?? 'none');
};

describe('what a ledger keeps beside its log', () => {
  test('is one file, and with it the answers are what they are without', async () => {
    rmSync(`${log}.index`, { recursive: true, force: true });
    expect(await answered(log)).toEqual(answers);
    expect(readdirSync(folderOf(log))).toEqual([WHOLE]);
    const before = readFileSync(fileOf(log));
    expect(await answered(log)).toEqual(answers);
    expect(readFileSync(fileOf(log)).equals(before)).toBe(true);
    expect(decodeSegment(before, packing).stamp).toMatchObject({
      stream: 'host',
      rules: rulesVersion,
    });
  });

  test('is not there where nothing is to be kept', async () => {
    const path = await written(historyOf(9000, 23));
    await answered(path, { derived: false });
    expect(existsSync(`${path}.index`)).toBe(false);
    const memory = await openLedger(':memory:');
    await memory.append(-1, historyOf(9000, 23));
    await memory.refresh();
    expect(existsSync(':memory:.index')).toBe(false);
    await memory.close();
  });

  const cases: [string, (path: string) => void][] = [
    ['its folder is gone', (path) => rmSync(`${path}.index`, { recursive: true })],
    ['its file is gone', (path) => rmSync(fileOf(path))],
    ['its file is empty', (path) => writeFileSync(fileOf(path), '')],
    ['it is another log’s', (path) => copyFileSync(fileOf(other), fileOf(path))],
    ['it is not to be read', (path) => chmodSync(fileOf(path), 0)],
    [
      'it is called otherwise',
      (path) => renameSync(fileOf(path), join(folderOf(path), '000000000000-8500.segment')),
    ],
    [
      'something was left half written',
      (path) => writeFileSync(`${fileOf(path)}.4711`, readFileSync(fileOf(path)).subarray(0, 99)),
    ],
    ['something was added to it', (path) => appendFileSync(fileOf(path), '\0')],
  ];

  test.each(someOf(cases, 3))('does no harm where %s, and is whole again', async (_, harm) => {
    await answered(log);
    harm(log);
    expect(await answered(log)).toEqual(answers);
    expect(() => decodeSegment(readFileSync(fileOf(log)), packing)).not.toThrow();
    const kept = readdirSync(folderOf(log)).filter((name) => name.endsWith('.segment'));
    expect(kept).toEqual([WHOLE]);
  });

  test('does no harm where a folder lies in its place', async () => {
    await answered(log);
    const file = fileOf(log);
    rmSync(file);
    mkdirSync(file);
    expect(await answered(log)).toEqual(answers);
    expect(await answered(log)).toEqual(answers);
    rmSync(file, { recursive: true });
  });

  test('is left out where there can be none', async () => {
    rmSync(`${log}.index`, { recursive: true, force: true });
    writeFileSync(`${log}.index`, 'a file');
    expect(await answered(log)).toEqual(answers);
    expect(readFileSync(`${log}.index`, 'utf8')).toBe('a file');
    rmSync(`${log}.index`);
  });

  test('is left as it is where it cannot be written', async () => {
    await answered(log);
    const before = readFileSync(fileOf(log));
    writeFileSync(fileOf(log), before.subarray(0, 1000));
    chmodSync(folderOf(log), 0o500);
    const table = [main, 'table', '--json', '--log', log];
    const { code, out } = await runCommand(...asAnybody(process.execPath, table));
    chmodSync(folderOf(log), 0o700);
    const ledger = await openLedger(log, { derived: false });
    expect({ code, table: JSON.parse(out) }).toEqual({ code: 0, table: ledger.at('end').table() });
    await ledger.close();
    expect(readFileSync(fileOf(log))).toHaveLength(1000);
  });

  test('does no harm whichever of its bits is another, or how short it is', async () => {
    await answered(log);
    const bytes = readFileSync(fileOf(log));
    const pieces = 16 + bytes.readUInt32LE(8);
    const anywhere = Array.from({ length: 40 }, (_, part) => (part * bytes.length) / 40);
    for (const at of [7, 8, 11, 12, 15, 16, pieces - 1, pieces, bytes.length - 1, ...anywhere]) {
      const spoiled = Buffer.from(bytes);
      spoiled[Math.floor(at)]! ^= 1 << (Math.floor(at) % 8);
      expect(() => decodeSegment(spoiled, packing)).toThrow(SegmentError);
    }
    for (const length of [0, 7, 8, 15, 16, 17, pieces - 1, pieces, bytes.length - 1]) {
      expect(() => decodeSegment(bytes.subarray(0, length), packing)).toThrow(SegmentError);
    }
    const spoiled = Buffer.from(bytes);
    spoiled[pieces + 9]! ^= 4;
    writeFileSync(fileOf(log), spoiled);
    expect(await answered(log)).toEqual(answers);
    expect(readFileSync(fileOf(log)).equals(bytes)).toBe(true);
  });
});

describe('a log that changes beneath what is kept', () => {
  test.each(inCampaigns)('grows, and only what is new is judged, %s', async () => {
    const events = historyOf(30_000, 24);
    const path = await written(events.slice(0, 9000));
    await answered(path);
    const ledger = await openLedger(path);
    await ledger.append(8999, events.slice(9000, 20_000));
    await ledger.refresh();
    await ledger.append(19_999, events.slice(20_000));
    await ledger.refresh();
    const found = answersIn(ledger);
    await ledger.close();
    const counts = readdirSync(folderOf(path)).map((name) => Number(name.slice(13, -8)));
    expect(counts).toEqual([9000, 11_000, 10_000]);
    expect(found).toEqual(await answered(path, { derived: false }));
    expect(await answered(path)).toEqual(found);
  });

  test('is another one under the same name', async () => {
    const path = await written(historyOf(9500, 25));
    await answered(path);
    for (const end of ['', '-wal', '-shm']) rmSync(`${path}${end}`, { force: true });
    copyFileSync(log, path);
    expect(await answered(path)).toEqual(answers);
    expect(readdirSync(folderOf(path))).toEqual([WHOLE]);
  });

  test('is shorter than it was', async () => {
    const events = historyOf(9500, 26);
    const path = await written(events);
    await answered(path);
    const short = await written(events.slice(0, 8500));
    copyFileSync(short, path);
    expect(await answered(path)).toEqual(await answered(short, { derived: false }));
    expect(readdirSync(folderOf(path))).toEqual(['000000000000-8500.segment']);
  });

  test.each(inCampaigns)('is never answered from beyond where reading ends, %s', async () => {
    await answered(log);
    for (const until of [0, 5000, LENGTH - 2, LENGTH - 1, 50_000]) {
      const ledger = await openLedger(log, { until });
      expect(ledger.head.position).toBe(Math.min(until, LENGTH - 1));
      const found = answersIn(ledger);
      expect(() => ledger.at(Math.min(until, LENGTH - 1) + 1)).toThrow('is past the end');
      await ledger.close();
      expect(found).toEqual(await answered(log, { until, derived: false }));
    }
  });

  test.each(inCampaigns)('loses its oldest files, and gets them back, %s', async () => {
    const path = await written(historyOf(10_000, 27));
    await answered(path);
    sealLog(path);
    const ledger = await openLedger(path);
    await ledger.append(9999, historyOf(10_000, 28));
    await ledger.refresh();
    await ledger.close();
    const archive = join(root, 'archive');
    mkdirSync(archive);
    sealLog(path);
    const { gone } = await retainLog(path, { keep: 1, archive, at: '2026-11-25T10:00:00Z' });
    expect(gone).toHaveLength(1);
    const later = [10_500, 15_000, 19_999];
    expect(await tablesAt(path, later)).toEqual(await tablesAt(path, later, { derived: false }));
    renameSync(gone[0]!.to!, path);
    const all = [0, 9000, ...later];
    for (let turn = 0; turn < 2; turn++) {
      expect(await tablesAt(path, all)).toEqual(await tablesAt(path, all, { derived: false }));
    }
  });

  async function tablesAt(path: string, moments: readonly number[], options: OpenOptions = {}) {
    const ledger = await openLedger(path, options);
    const tables = moments.map((position) => ledger.at(position).table());
    const histories = ['1', '2'].map((group) => ledger.history(group));
    await ledger.close();
    return { first: ledger.first, tables, histories };
  }
});

describe('many files', () => {
  const LOG = busyHost(700, 31);
  const asked = askedOf(LOG, [0, 0.09, 0.3, 0.55, 0.8, 1]);
  const few = {
    ...asked,
    subjects: asked.subjects.filter((_, index) => index % 9 === 0),
    histories: [],
  };
  const size = 64;
  let path: string;
  let store: Store;
  let events: readonly RecordedEvent[];
  let expected: unknown;

  beforeAll(async () => {
    path = await written(LOG);
    store = openSqliteStore(path);
    events = await readAll(store, 'host');
    const timeline = new Timeline();
    for (const event of events) timeline.take(event);
    expected = answersOf(timeline, few);
    return () => store.close();
  });

  /** As the ledger does, but with short segments. */
  function opened(): Timeline {
    const timeline = new Timeline({ ...localLog(store, 'host', {}), whole: size });
    for (const event of events.slice(timeline.head + 1)) timeline.take(event);
    timeline.settle();
    return timeline;
  }

  test('may be damaged at random, a few at a time, and are whole again', () => {
    opened();
    const folder = folderOf(path);
    const names = readdirSync(folder);
    expect(names).toHaveLength(10);
    const which = fc.nat(names.length - 1);
    const harm = fc.array(fc.tuple(which, which, damage), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(harm, (harms) => {
        for (const [one, another, change] of harms) spoil(names[one]!, names[another]!, change);
        const timeline = opened();
        expect(answersOf(timeline, few)).toEqual(expected);
        // What no question has read may still be damaged.
        timeline.index.mend();
        for (const name of names) {
          const { stamp } = decodeSegment(readFileSync(join(folder, name)), packing);
          expect([stamp.first, stamp.count]).toEqual(name.slice(0, -8).split('-').map(Number));
        }
      }),
      { numRuns: countOf('derived files damaged', { test: 2, soak: 40, full: 400 }) },
    );

    function spoil(name: string, from: string, change: Damage): void {
      const file = join(folder, name);
      const bytes = (path_: string) => (existsSync(path_) ? readFileSync(path_) : Buffer.alloc(0));
      const after = change(bytes(file), bytes(join(folder, from)));
      if (after === null) rmSync(file, { force: true });
      else writeFileSync(file, after);
    }
  });

  test('two that have changed places are told apart', () => {
    opened();
    const folder = folderOf(path);
    const [one, two] = readdirSync(folder).map((name) => join(folder, name));
    const first = readFileSync(one!);
    renameSync(two!, one!);
    writeFileSync(two!, first);
    const timeline = opened();
    expect(answersOf(timeline, few)).toEqual(expected);
    expect(decodeSegment(readFileSync(one!), packing).stamp.first).toBe(0);
  });
});

/** Has the page that holds an event of the log's own tree forget its last cell. */
function loseLastCell(path: string, marker: string): void {
  const bytes = readFileSync(path);
  const size = bytes.readUInt16BE(16);
  const page = Math.floor(bytes.indexOf(marker) / size) * size;
  bytes.writeUInt16BE(bytes.readUInt16BE(page + 3) - 1, page + 3);
  writeFileSync(path, bytes);
}

/** The path of a log with so many events more, which was opened and then lost the last of them. */
async function withoutEnd(more: number): Promise<string> {
  const path = newLog();
  copyFileSync(log, path);
  const started = (comm: string, index: number) => {
    const data = { pid: 7, comm, cgroup: null };
    return { id: `more ${index}`, time: null, type: 'process.started', data } as const;
  };
  const events = Array.from({ length: more - 1 }, (_, index) => started('one-of-many', index));
  const ledger = await openLedger(path);
  await ledger.append(ledger.head.position, [...events, started('the-last-of-all', more)]);
  await ledger.close();
  await answered(path);
  loseLastCell(path, 'the-last-of-all');
  return path;
}

test('an end of the log that is lost is found before anything is appended', async () => {
  const path = await withoutEnd(1);
  const lost = { name: 'CorruptLogError', position: LENGTH };
  const ledger = await openLedger(path);
  const event = { id: 'x', time: null, type: 'process.exited', data: { pid: 7, signal: null } };
  const append = () => ledger.append(ledger.head.position, [event as LedgerEvent]);
  await expect(append()).rejects.toMatchObject(lost);
  await expect(append()).rejects.toMatchObject(lost);
  await ledger.close();
  await expect(openLedger(path, { derived: false })).rejects.toMatchObject(lost);
  const options = { readOnly: true, derived: false };
  await expect(openLedger(path, options)).rejects.toMatchObject(lost);
});

test('an end of the log that is lost is found by the segment that knew it', async () => {
  const path = await withoutEnd(9000);
  const segments = readdirSync(folderOf(path));
  expect(segments.map((name) => Number(name.slice(0, 12)))).toEqual([0, LENGTH]);
  const lost = { name: 'CorruptLogError', position: LENGTH + 8999 };
  await expect(openLedger(path, { readOnly: true })).rejects.toMatchObject(lost);
  await expect(openLedger(path)).rejects.toMatchObject(lost);
  await using ledger = await openLedger(path, { until: LENGTH - 1 });
  expect(ledger.head.position).toBe(LENGTH - 1);
});
