import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, expect, test } from 'vitest';

const root = join(import.meta.dirname, '../..');
const folder = mkdtempSync(join(tmpdir(), 'imports-'));
afterAll(() => rmSync(folder, { recursive: true }));

const named = (cell: string): string[] => [...cell.matchAll(/`([^`]+)`/g)].map(([, name]) => name!);

/** The rows of ARCHITECTURE's code map: a folder, and what its files may import. */
const rows = [
  ...readFileSync(join(root, 'ARCHITECTURE.md'), 'utf8').matchAll(
    /^\| (`[^|]+) \| .* \| ([^|]+) \|$/gm,
  ),
].map(([, folders, cell]) => ({ folder: named(folders!).at(-1)!.slice(0, -1), cell: cell! }));

const tools = ['bench', 'conformance'];
const folders = rows.map((row) => row.folder);
const code = rows.filter((row) => !tools.includes(row.folder));

function mayImport(row: (typeof rows)[number]): string[] {
  if (row.cell === 'nothing of ours') return [];
  if (row.cell !== 'all above') return named(row.cell);
  return folders.slice(0, folders.indexOf(row.folder));
}

/** Every target that some row names, each as a path from the root. */
const targets = [...new Set([...folders, ...code.flatMap(mayImport), 'test'])].map((name) =>
  name.endsWith('.ts') ? name : `${name}/any.ts`,
);

/** The folder in which a path begins; `ledger.ts` is a part of `ledger/`. */
const topOf = (path: string): string => path.replace(/(\.ts|\/.*)$/, '');

test.each(code)('the linter has files of $folder/ import what the code map says', (row) => {
  const imports = targets.filter((target) => topOf(target) !== row.folder);
  const file = join(folder, row.folder, 'probe.ts');
  mkdirSync(dirname(file), { recursive: true });
  copyFileSync(join(root, '.oxlintrc.json'), join(folder, '.oxlintrc.json'));
  writeFileSync(file, imports.map((target) => `import '../${target}';\n`).join(''));

  const oxlint = join(root, 'node_modules/.bin/oxlint');
  const { stdout } = spawnSync(oxlint, ['--format', 'unix', row.folder], {
    cwd: folder,
    encoding: 'utf8',
  });
  const refused = new Set(
    [...stdout.matchAll(/probe\.ts:(\d+):.*no-restricted-imports/g)].map(([, line]) =>
      Number(line),
    ),
  );

  const allowed = mayImport(row);
  expect(imports.filter((_target, line) => !refused.has(line + 1))).toEqual(
    imports.filter((target) => allowed.includes(target) || allowed.includes(topOf(target))),
  );
});
