import { cpSync, mkdirSync, mkdtempSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { digestOf, rulesVersion } from '../../../ledger/rules-version.ts';
import { temporaryFolder } from '../../log/folder.ts';

const root = temporaryFolder();

/** The code that has a part in the judging, and some that has none. */
const code = mkdtempSync(join(root, 'code-'));
for (const folder of ['events', 'operations', 'processes', 'machines', 'projections', 'log']) {
  cpSync(join(import.meta.dirname, '../../..', folder), join(code, folder), { recursive: true });
}
const version = digestOf(code);

function copied(): string {
  const copy = mkdtempSync(join(root, 'copy-'));
  cpSync(code, copy, { recursive: true });
  return copy;
}

function change(copy: string, file: string): void {
  const path = join(copy, file);
  writeFileSync(path, `${readFileSync(path, 'utf8')}// another line\n`);
}

test('the same code has the same version, wherever it lies', () => {
  expect(digestOf(copied())).toBe(version);
  expect(version).toMatch(/^[\da-f]{16}$/);
  expect(rulesVersion).toBe(digestOf(join(import.meta.dirname, '../../..')));
});

test.each([
  'events/vocabulary.ts',
  'processes/process-table.ts',
  'machines/group.ts',
  'machines/operations/iommufd.ts',
  'projections/subjects.ts',
  'projections/index/changes.ts',
])('a line of %s makes it another', (file) => {
  const copy = copied();
  change(copy, file);
  expect(digestOf(copy)).not.toBe(version);
});

test('so does a file that is new, or has another name', () => {
  const [more, other] = [copied(), copied()];
  mkdirSync(join(more, 'machines', 'new'));
  writeFileSync(join(more, 'machines', 'new', 'rule.js'), '');
  renameSync(join(other, 'machines', 'group.ts'), join(other, 'machines', 'groups.ts'));
  const versions = new Set([digestOf(more), digestOf(other), version]);
  expect(versions.size).toBe(3);
});

test('what has no part in it does not', () => {
  const copy = copied();
  change(copy, 'log/sqlite.ts');
  writeFileSync(join(copy, 'machines', 'notes.md'), 'notes');
  writeFileSync(join(copy, 'machines', 'group.d.ts'), 'export {};');
  expect(digestOf(copy)).toBe(version);
});
