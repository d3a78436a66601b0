import { hash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
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
