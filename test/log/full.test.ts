import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, rmSync, statfsSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openSqliteStore } from '../../log/sqlite.ts';
import { StoreUnavailableError } from '../../log/store.ts';
import { type Ended, hostTopology, jsonLines, main, run, runCommand } from '../cli/program.ts';
import { countOf, inCampaigns, isCampaign } from '../support/effort.ts';
import { acknowledged, expectAllOf, startAppender, verified } from './children.ts';
import { newFolderIn, temporaryFolder } from './folder.ts';
import { operation, operationsIn, STREAM } from './operations.ts';

const root = temporaryFolder();
const mounted: string[] = [];
afterAll(async () => {
  for (const folder of mounted) await runCommand('umount', ['-l', folder]);
});

function newFolder(): string {
  const folder = newFolderIn(root);
  return folder;
}

/** A place for a log where room can be short, and what runs the program there. */
interface Place {
  readonly folder: string;
  readonly begin: () => void;
  readonly end: () => void;
  readonly run: (args: readonly string[], input?: string) => Promise<Ended>;
}

/** A disk of its own with `free` KiB left between begin and end; or why there can be none. */
async function fullDisk(free: number): Promise<Place | string> {
  const folder = newFolder();
  const options = ['-t', 'tmpfs', '-o', 'size=4m', 'none', folder];
  const { code, err } = await runCommand('mount', options).catch((error: Error) => ({
    code: null,
    err: error.message,
  }));
  if (code !== 0) return `no disk can be mounted here: ${err.trim()}`;
  mounted.push(folder);
  const ballast = join(folder, 'ballast');
  const begin = () => {
    const { bavail, bsize } = statfsSync(folder);
    writeFileSync(ballast, new Uint8Array(bavail * bsize - free * 1024));
  };
  const end = () => rmSync(ballast);
  return { folder, begin, end, run: (args, input = '') => run(args, { input }) };
}

/** A folder where no file may become larger than `size` KiB between begin and end. */
async function limitedFiles(size: number): Promise<Place | string> {
  let limit = 'unlimited';
  return {
    folder: newFolder(),
    begin: () => (limit = String(size * 2)),
    end: () => (limit = 'unlimited'),
    run: (args, input = '') => runCommand('sh', limited(limit, args), { input }),
  };
}

/** The program under a limit for the size of a file, in blocks of 512 bytes. */
function limited(limit: string, args: readonly string[]): string[] {
  return ['-c', `ulimit -f ${limit}; exec "$@"`, 'sh', process.execPath, main, ...args];
}

const simulate = ['simulate', '--topology', hostTopology, '--log'];
const few = '@P2 open_group G nvme\n@P3 open_group H nvme\n@P2 exit\n@P3 exit\n';
const many = few.repeat(250);

/** Where the answers to the long scenario are in a new log, and its events as an export. */
let positions: readonly number[] = [];
let evidence = '';
/** How many of its events there can be: operations are there whole, and so is the boot. */
let wholes: readonly number[] = [];

beforeAll(async () => {
  const log = join(root, 'whole.ledger');
  const { out } = await run([...simulate, log], { input: many });
  positions = jsonLines(out).map(({ position }) => Number(position));
  evidence = (await run(['export', '--log', log])).out;
  const boot = jsonLines(evidence).findIndex(({ type }) => type === 'process.started');
  wholes = [0, boot, ...positions.map((position) => position + 1)];
});

/** One line that is no bug of ours, and the exit code for surroundings. */
function expectNoRoom({ code, err }: Ended): void {
  expect(err).toMatch(/^vfio-ledger: \S+\.ledger cannot be .+\n$/);
  expect(err).not.toContain('bug');
  expect(code).toBe(4);
}

/** How many events there are to read, 0 where the log has not come to be. */
async function eventsIn(log: string, place: Place): Promise<number> {
  const { code, out, err } = await place.run(['verify', '--json', '--log', log]);
  if (code === 2) {
    expect(err).toMatch(/: no log at|is empty, not a log/);
    return 0;
  }
  expect({ code, err }).toEqual({ code: 0, err: '' });
  const { events } = JSON.parse(out) as { events: number };
  const table = await place.run(['table', '--log', log]);
  expect({ code: table.code, err: table.err }).toEqual({ code: 0, err: '' });
  return events;
}

/** Once there is room recording goes on, and the log is one file again. */
async function expectGoesOn(log: string, events: number, place: Place): Promise<void> {
  place.end();
  expect(await eventsIn(log, place)).toBe(events);
  const { code, out, err } = await place.run([...simulate, log], few);
  expect({ code, err }).toEqual({ code: 0, err: '' });
  expect(jsonLines(out).map(({ position }) => Number(position))).toEqual(
    positions.slice(0, 4).map((position) => events + position),
  );
  expect(await verified(log)).toBe(events + (positions[3] ?? 0) + 1);
  for (const companion of ['-wal', '-shm', '-journal']) {
    expect(existsSync(log + companion)).toBe(false);
  }
}

/** Simulates where there is too little room, on a log of so many events or a new one. */
async function expectSimulation(log: string, before: number, place: Place): Promise<void> {
  place.begin();
  const tried = await place.run([...simulate, log], many);
  if (tried.code !== 0) expectNoRoom(tried);
  const answered = tried.out === '' ? [] : jsonLines(tried.out).map(({ position }) => position);
  const said = positions.map((position) => before + position).slice(0, answered.length);
  expect(answered).toEqual(said);
  const events = await eventsIn(log, place);
  expect(events).toBeGreaterThan(said.at(-1) ?? before - 1);
  expect(wholes).toContain(events - before);
  if (tried.code === 0) expect(answered).toHaveLength(positions.length);
  await expectGoesOn(log, events, place);
}

/** Imports where there is too little room: all of it or nothing. */
async function expectImport(log: string, place: Place): Promise<void> {
  place.begin();
  const tried = await place.run(['import', '--log', log, '-'], evidence);
  if (tried.code !== 0) expectNoRoom(tried);
  const events = await eventsIn(log, place);
  expect(events).toBe(tried.code === 0 ? wholes.at(-1) : 0);
  place.end();
  const again = await place.run(['import', '--json', '--log', log, '-'], evidence);
  expect(JSON.parse(again.out)).toMatchObject({ appended: (wholes.at(-1) ?? 0) - events });
  expect(await verified(log)).toBe(wholes.at(-1));
}

// Nothing fits, and then more and more: the tables, the -shm, the -wal, its checkpoint.
const all = [0, 4, 8, 16, 24, 32, 40, 64, 100, 200, 400];
const apart = Math.round(all.length / countOf('rooms too small', { test: 1, soak: all.length }));
const sizes = all.filter((_, index) => index % apart === apart >> 1);

const shortages = [
  ['a disk with so many KiB left', fullDisk],
  ['files of so many KiB at most', limitedFiles],
] as const;

describe.each(isCampaign ? shortages : shortages.slice(1))('%s', (_, placeWith) => {
  test.concurrent.for(sizes)('%i: a log is kept, and goes on', async (size, { skip }) => {
    const place = await placeWith(size);
    if (typeof place === 'string') return skip(place);
    const log = join(place.folder, 'kept.ledger');
    await place.run([...simulate, log], few);
    await expectSimulation(log, await verified(log), place);
  });

  test.concurrent.for(sizes)('%i: a new log comes to be or not', async (size, { skip }) => {
    const place = await placeWith(size);
    if (typeof place === 'string') return skip(place);
    await expectSimulation(join(place.folder, 'new.ledger'), 0, place);
  });

  test.concurrent.for(sizes)('%i: an import is whole or not at all', async (size, { skip }) => {
    const place = await placeWith(size);
    if (typeof place === 'string') return skip(place);
    await expectImport(join(place.folder, 'imported.ledger'), place);
  });

  test.for(inCampaigns)(
    'next to no room: it says that it cannot write, %s',
    async (_, { skip }) => {
      for (const size of [0, 4, 16, 24, 40]) {
        const place = await placeWith(size);
        if (typeof place === 'string') return skip(place);
        const log = join(place.folder, 'no.ledger');
        place.begin();
        for (const verb of [simulate, ['import', '-', '--log']]) {
          const tried = await place.run([...verb, log], verb === simulate ? many : evidence);
          expectNoRoom(tried);
          expect(tried.err).toContain(`${log} cannot be written: `);
        }
      }
    },
  );
});

describe('a full disk', () => {
  test('lets what a killed process left be read, and go on', async ({ skip }) => {
    const place = await fullDisk(0);
    if (typeof place === 'string') return skip(place);
    const log = join(place.folder, 'killed.ledger');
    const child = startAppender(log, { by: 0, rounds: 1, operations: 100, stays: true });
    await child.said(/\.99 /);
    child.process.kill('SIGKILL');
    await child.ended;
    place.begin();
    await expectAllOf(log, new Map([[0, acknowledged(child)]]));
    expect(() => openSqliteStore(log)).not.toThrow();
    place.end();
    const next = startAppender(log, { by: 1, rounds: 1, operations: 1 });
    expect(await next.ended).toEqual({ err: '', end: 0 });
    await expectAllOf(
      log,
      new Map([child, next].map((each, by) => [by, acknowledged(each)] as const)),
    );
  });

  test('does not end a store: it goes on when there is room', async ({ skip }) => {
    for (const free of [0, 8, 48, 100, 300]) {
      const place = await fullDisk(free);
      if (typeof place === 'string') return skip(place);
      const store = openSqliteStore(join(place.folder, 'lasting.ledger'));
      let { head } = await store.append(STREAM, -1, operation(0, 0));
      let n = 1;
      const append = async () => {
        ({ head } = await store.append(STREAM, head.position, operation(0, n)));
        n++;
      };
      place.begin();
      await expect(
        (async () => {
          for (;;) await append();
        })(),
      ).rejects.toThrow(StoreUnavailableError);
      expect(await operationsIn(store)).toHaveLength(n);
      place.end();
      for (let more = 0; more < 100; more++) await append();
      expect(await operationsIn(store)).toHaveLength(n);
      expect(await store.head(STREAM)).toEqual(head);
      await store.close();
      await verified(join(place.folder, 'lasting.ledger'));
    }
  });
});

test('one that fails to record does not take the log from another that has begun it', async () => {
  let met = 0;
  const times = countOf('logs begun by two', { test: 1, soak: 10, full: 100 });
  for (let time = 0; time < times; time++) {
    const log = join(newFolder(), 'both.ledger');
    const failing = spawn('sh', limited('100', [...simulate, log, '-']), { stdio: 'pipe' });
    let over = false;
    const ended = once(failing, 'close').finally(() => (over = true));
    failing.stdout.resume();
    failing.stderr.resume();
    failing.stdin.end(many);
    const isThere = () => (statSync(log, { throwIfNoEntry: false })?.size ?? 0) > 0;
    while (!over && !isThere()) await turn();
    if (over) continue;
    const store = openSqliteStore(log);
    expect((await ended)[0]).toBe(4);
    const { position } = await store.head(STREAM);
    if (position === -1) met++;
    const { head } = await store.append(STREAM, position, operation(0, 0));
    await store.close();
    const reader = openSqliteStore(log, { readOnly: true });
    expect(await reader.head(STREAM)).toEqual(head);
    await reader.close();
  }
  // Few tries may all come too late or too early for it.
  if (isCampaign) expect(met).toBeGreaterThan(0);
});
