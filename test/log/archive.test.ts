/** Archiving: what a killed process has left is gone on from, and nothing goes before its copy is whole. */
import {
  chmodSync,
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openLedger } from '../../ledger.ts';
import { retainLog } from '../../log/retention.ts';
import { sealLog } from '../../log/seal.ts';
import { logError } from '../../log/sqlite-errors.ts';
import { main, runCommand } from '../cli/program.ts';
import { newFolderIn, temporaryFolder } from './folder.ts';

const root = temporaryFolder();
/** Folders on another file system than those below `root`. */
const elsewhere: string[] = [];
afterAll(() => {
  for (const folder of elsewhere) rmSync(folder, { recursive: true });
});

/** A folder in memory, which is another file system (Linux has it wherever it has POSIX semaphores). */
function inMemory(): string {
  const folder = mkdtempSync('/dev/shm/vfio-ledger-');
  elsewhere.push(folder);
  return folder;
}

const inRoot = () => newFolderIn(root);

const at = '2026-11-25T10:00:00Z';
const whole = join(root, 'whole');
const NAMES = ['host.ledger', 'host.ledger.0002', 'host.ledger.0003'];

beforeAll(async () => {
  mkdirSync(whole);
  const log = join(whole, 'host.ledger');
  const topology = {
    kernel: '6.12.1',
    iommufd: true,
    devices: [{ name: 'd0', bdf: '0000:01:00.0', group: 1, driver: 'vfio-pci', cdev: 'vfio0' }],
  };
  for (const _ of [1, 2, 3]) {
    const ledger = await openLedger(log);
    await ledger.simulate('open_iommufd I\n'.repeat(50), { topology });
    await ledger.close();
    if (!existsSync(`${log}.0003`)) sealLog(log);
  }
});

/** A log of two sealed files and one that is not, and its folder. */
function newLog(): { readonly log: string; readonly folder: string } {
  const folder = inRoot();
  for (const name of NAMES) copyFileSync(join(whole, name), join(folder, name));
  return { log: join(folder, 'host.ledger'), folder };
}

async function eventsOf(log: string): Promise<readonly string[]> {
  const ledger = await openLedger(log, { readOnly: true });
  const ids = ledger.events.map(({ id, type }) => (type === 'history.archived' ? type : id));
  const { faults } = ledger.verify();
  const { faults: damage } = await ledger.examine();
  await ledger.close();
  expect([faults, damage]).toEqual([[], []]);
  return ids;
}

/** Archives two files; then the archive and the log together are what the log was, and a note. */
async function expectArchived(log: string, folder: string, archive: string): Promise<void> {
  const { gone } = await retainLog(log, { keep: 0, archive, at });
  expect(gone.map(({ to }) => to).at(-1)).toBe(join(archive, 'host.ledger.0002'));
  expect(readdirSync(folder)).toEqual(['host.ledger.0003']);
  expect(readdirSync(archive)).toEqual(NAMES.slice(0, 2));
  for (const name of NAMES.slice(0, 2)) {
    const bytes = readFileSync(join(archive, name));
    expect(bytes.equals(readFileSync(join(whole, name)))).toBe(true);
    renameOrCopy(join(archive, name), join(folder, name));
  }
  expect(await eventsOf(log)).toEqual([
    ...(await eventsOf(join(whole, 'host.ledger'))),
    'history.archived',
  ]);
}

function renameOrCopy(from: string, to: string): void {
  copyFileSync(from, to);
  rmSync(from);
}

type Leave = (log: string, archive: string) => void;

const first = (archive: string) => join(archive, 'host.ledger');
const leftovers: readonly (readonly [string, Leave])[] = [
  ['nothing', () => {}],
  [
    'half a copy under its own name',
    (log, archive) => {
      writeFileSync(first(archive), readFileSync(log).subarray(0, 5000));
    },
  ],
  ['an empty copy', (_, archive) => writeFileSync(first(archive), '')],
  [
    'a draft',
    (log, archive) => {
      writeFileSync(`${first(archive)}.new`, readFileSync(log).subarray(0, 5000));
    },
  ],
  [
    'a whole copy, and the file is still here',
    (log, archive) => {
      copyFileSync(log, first(archive));
    },
  ],
  [
    'a copy, and the file is gone',
    (log, archive) => {
      copyFileSync(log, first(archive));
      rmSync(log);
    },
  ],
];

describe.each([
  ['the same file system', inRoot],
  ['another file system', inMemory],
] as const)('an archive on %s', (_, newArchive) => {
  test.each(leftovers)('goes on from what a killed one left: %s', async (_, leave) => {
    const { log, folder } = newLog();
    const archive = newArchive();
    leave(log, archive);
    await expectArchived(log, folder, archive);
  });

  const others: readonly (readonly [string, Leave])[] = [
    ['another file', (_, archive) => writeFileSync(first(archive), 'not a copy')],
    [
      'a longer file',
      (log, archive) => {
        writeFileSync(first(archive), Buffer.concat([readFileSync(log), Buffer.alloc(1)]));
      },
    ],
    ['a link to the log', (log, archive) => symlinkSync(log, first(archive))],
    ['a folder', (_, archive) => mkdirSync(first(archive))],
  ];

  test.each(others)('is not written over: %s of that name', async (_, put) => {
    const { log, folder } = newLog();
    const archive = newArchive();
    put(log, archive);
    const before = readdirSync(archive);
    const archiving = retainLog(log, { keep: 0, archive, at });
    await expect(archiving).rejects.toThrow(`${first(archive)} already exists`);
    expect([readdirSync(folder), readdirSync(archive)]).toEqual([NAMES, before]);
    expect(await eventsOf(log)).not.toContain('history.archived');
  });

  test('keeps who may read the file', async () => {
    const { log } = newLog();
    const archive = newArchive();
    chmodSync(log, 0o640);
    await retainLog(log, { keep: 1, archive, at });
    expect(statSync(first(archive)).mode & 0o777).toBe(0o640);
  });

  test('without room is told as that, and nothing is lost', async () => {
    const { log, folder } = newLog();
    const archive = newArchive();
    const args = ['retain', '--keep', '0', '--archive', archive, '--log', log];
    // No file may be longer than 4 KiB: of a hard link nothing is written.
    const limited = ['-c', 'ulimit -f 8; exec "$@"', 'sh', process.execPath, main, ...args];
    const isLinked = newArchive === inRoot;
    const { code, err } = await runCommand('sh', limited);
    if (!isLinked) {
      const said = `vfio-ledger: ${first(archive)} cannot be written: the limit for file sizes is reached\n`;
      expect({ code, err }).toEqual({ code: 4, err: said });
      expect(readdirSync(archive)).toEqual([]);
    }
    expect(readdirSync(folder).filter((name) => !/-(wal|shm)$/.test(name))).toEqual(NAMES);
    expect(await eventsOf(log)).not.toContain('history.archived');
    await expectArchived(log, folder, archive);
  });
});

test('a full disk and a used quota are called what they are', () => {
  for (const [code, words] of [
    ['ENOSPC', 'no space left'],
    ['EDQUOT', 'the quota of the user is used up'],
    ['EROFS', 'the file system is read-only'],
  ]) {
    const error = Object.assign(new Error(`${code}: it says, sendfile`), {
      code,
      syscall: 'sendfile',
    });
    expect(logError('/srv/host.ledger', error)).toMatchObject({
      code: 'unavailable',
      message: `/srv/host.ledger cannot be written: ${words}`,
    });
  }
});

describe('the folder of the log is no archive', () => {
  test.each(['the same path', 'a link', 'a path through another'])('by %s', async (by) => {
    const { log, folder } = newLog();
    const link = `${folder}-link`;
    symlinkSync(folder, link);
    const ways: Record<string, string> = { 'a link': link, 'a path through another': `${link}/.` };
    const archive = ways[by] ?? folder;
    const archiving = retainLog(log, { keep: 0, archive, at });
    await expect(archiving).rejects.toThrow('is the folder of the log: name another one');
    expect(await eventsOf(log)).toHaveLength((await eventsOf(join(whole, 'host.ledger'))).length);
  });
});

describe('a file that is a link', () => {
  test('is archived, and not the link', async () => {
    const { log, folder } = newLog();
    const store = inMemory();
    renameOrCopy(log, join(store, 'moved'));
    symlinkSync(join(store, 'moved'), log);
    const archive = inRoot();
    await expectArchived(log, folder, archive);
    expect(readdirSync(store)).toEqual([]);
  });

  test('is in the archive already, and stays there', async () => {
    const { log, folder } = newLog();
    const archive = inRoot();
    renameSync(`${log}.0002`, join(archive, 'host.ledger.0002'));
    symlinkSync(join(archive, 'host.ledger.0002'), `${log}.0002`);
    await expectArchived(log, folder, archive);
  });

  test('with two names in the archive loses only the one that is no copy', async () => {
    const { log, folder } = newLog();
    const archive = inRoot();
    linkSync(log, join(archive, 'host.ledger'));
    await expectArchived(log, folder, archive);
  });
});
