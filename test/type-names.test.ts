/**
 * One type name, one meaning: what a module exports is called like nothing else in the program.
 */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const root = join(import.meta.dirname, '..');
const others = new Set(['node_modules', 'dist', 'test', 'bench', 'conformance', 'examples']);
const files = globSync('**/*.ts', { cwd: root, exclude: (path) => others.has(path) });
const sources = files.map((file) => ({ file, text: readFileSync(join(root, file), 'utf8') }));

test('an exported type shares its name with no other type, exported or not', () => {
  const declared = sources.flatMap(({ file, text }) =>
    [...text.matchAll(/^(export )?(?:abstract )?(?:type|interface|class|enum) (\w+)/gm)].map(
      ([, exported, name = '']) => ({ name, file, isExported: exported !== undefined }),
    ),
  );
  const shared = [...Map.groupBy(declared, ({ name }) => name)].filter(
    ([, places]) => places.length > 1 && places.some(({ isExported }) => isExported),
  );
  expect(declared).toContainEqual({ name: 'Store', file: 'log/store.ts', isExported: true });
  expect(shared.map(([name, places]) => [name, places.map(({ file }) => file)])).toEqual([]);
});

test('no type is imported under another name', () => {
  const imports = sources.flatMap(({ file, text }) =>
    [...text.matchAll(/^(?:import|export) [^;]*?\{([^}]*)\} from/gm)].map(([, names = '']) => ({
      file,
      names,
    })),
  );
  const renamed = imports.filter(({ names }) => /\b[A-Z]\w* as \w+/.test(names));
  expect(imports.length).toBeGreaterThan(0);
  expect(renamed).toEqual([]);
});
