import { spawnSync } from 'node:child_process';
import { hash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { packing } from '../../log/packing.ts';
import { SegmentFiles } from '../../log/segment-files.ts';
import { temporaryFolder } from './folder.ts';

const root = temporaryFolder();
let logs = 0;

/** Files beside a log of its own, and the folder that they lie in. */
function newFiles(stream = 'host') {
  const log = join(root, `${logs++}.ledger`);
  const folder = join(`${log}.index`, hash('sha256', stream).slice(0, 16));
  return { log, folder, files: new SegmentFiles(log, stream) };
}

const file = { first: 65_536, count: 8192 };
const bytes = Buffer.from('segment');

test('a file is what was written, until it is removed', () => {
  const { folder, files } = newFiles();
  expect(files.list()).toEqual([]);
  expect(files.read(file)).toBeNull();
  expect(files.write(file, Buffer.from('one'))).toBe(true);
  expect(files.write(file, bytes)).toBe(true);
  expect(files.list()).toEqual([file]);
  expect(files.read(file)).toEqual(bytes);
  expect(readdirSync(folder)).toEqual(['000000065536-8192.segment']);
  files.remove(file);
  files.remove(file);
  expect([files.list(), files.read(file)]).toEqual([[], null]);
});

test('streams of one log have files of their own, whatever they are called', () => {
  const { log, files } = newFiles('../a/b');
  const other = new SegmentFiles(log, 'c\n');
  files.write(file, bytes);
  expect(other.list()).toEqual([]);
  expect(other.read(file)).toBeNull();
  other.write({ first: 0, count: 1 }, bytes);
  expect(files.list()).toEqual([file]);
  expect(readdirSync(`${log}.index`)).toHaveLength(2);
});

test('what else lies there is passed over, and left', () => {
  const { folder, files } = newFiles();
  files.write(file, bytes);
  const others = [
    '000000065536-8192.segment.4711',
    '1-2.segment',
    'notes',
    '000000000000-.segment',
  ];
  for (const name of others) writeFileSync(join(folder, name), 'x');
  expect(files.list()).toEqual([file]);
  files.write({ first: 0, count: 9 }, bytes);
  for (const name of others) expect(existsSync(join(folder, name))).toBe(true);
});

test('a folder in the place of a file is no file, and nothing takes its place', () => {
  const { folder, files } = newFiles();
  const path = join(folder, '000000065536-8192.segment');
  mkdirSync(join(path, 'deeper'), { recursive: true });
  expect(files.read(file)).toBeNull();
  expect(files.write(file, bytes)).toBe(false);
  files.remove(file);
  expect(readdirSync(folder)).toEqual(['000000065536-8192.segment']);
});

test('where there can be no folder, nothing is kept and nothing is wrong', () => {
  const { log, files } = newFiles();
  writeFileSync(`${log}.index`, 'a file');
  expect(files.write(file, bytes)).toBe(false);
  expect([files.list(), files.read(file)]).toEqual([[], null]);
  files.remove(file);
  const nowhere = new SegmentFiles(join(root, 'a\0b'), 'host');
  expect(nowhere.write(file, bytes)).toBe(false);
  expect(nowhere.list()).toEqual([]);
});

/** When this process started, as a draft says it: field 22 of proc_pid_stat(5). */
function ownStart(): string {
  const stat = readFileSync('/proc/self/stat', 'utf8');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
}

test('a draft is a new file: what a link in its place leads to is not written to', () => {
  const { folder, files } = newFiles();
  const name = '000000065536-8192.segment';
  mkdirSync(folder, { recursive: true });
  const target = join(root, 'somebody’s');
  writeFileSync(target, 'mine');
  for (const end of [process.pid, `${process.pid}-${ownStart()}`]) {
    symlinkSync(target, join(folder, `${name}.${end}`));
  }
  expect(files.write(file, bytes)).toBe(false);
  expect(readFileSync(target, 'utf8')).toBe('mine');
  expect(readdirSync(folder)).toHaveLength(2);
});

test('a link or a pipe in the place of a file is no file, and is replaced', () => {
  const { log, folder, files } = newFiles();
  files.write(file, bytes);
  const path = join(folder, '000000065536-8192.segment');
  const other = join(folder, '000000000000-8192.segment');
  symlinkSync(path, other);
  expect(files.read({ first: 0, count: 8192 })).toBeNull();
  files.remove({ first: 0, count: 8192 });
  expect(readFileSync(path)).toEqual(bytes);
  spawnSync('mkfifo', [other]);
  const source = new URL('../../log/segment-files.ts', import.meta.url).href;
  const program = `
    import { SegmentFiles } from '${source}';
    const files = new SegmentFiles(${JSON.stringify(log)}, 'host');
    const file = { first: 0, count: 8192 };
    console.log(files.read(file), files.write(file, Buffer.from('x')), files.read(file).length);`;
  const args = ['--input-type=module', '-e', program];
  // To read a pipe that nobody writes to would take for ever.
  const { stdout } = spawnSync(process.execPath, args, { timeout: 60_000 });
  expect(stdout.toString()).toBe('null true 1\n');
});

test('drafts of killed processes are cleared, and no others', () => {
  const { folder, files } = newFiles();
  files.write(file, bytes);
  const { pid } = spawnSync(process.execPath, ['--version']);
  const name = '000000000000-8192.segment';
  const left = [`${name}.${pid}-1`, `${name}.${process.pid}-1`];
  const others = [`${name}.${process.pid}-${ownStart()}`, `notes.${pid}-1`];
  for (const each of [...left, ...others]) writeFileSync(join(folder, each), 'x');
  expect(files.list()).toEqual([file]);
  expect(readdirSync(folder).toSorted()).toEqual(
    [...others, '000000065536-8192.segment'].toSorted(),
  );
});

test('a few bytes that would unpack to more than there is memory for are refused', () => {
  const bomb = packing.deflate('0'.repeat(2 ** 25));
  expect(bomb.length).toBeLessThan(2 ** 18);
  expect(() => packing.inflate(bomb)).toThrow(RangeError);
  const text = '0'.repeat(2 ** 24);
  expect(packing.inflate(packing.deflate(text))).toBe(text);
});
