import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { root } from '../cli/program.ts';

test('a checkout is measured beside another one, which may be itself', () => {
  const beside = join(root, 'bench/beside.ts');
  const { stdout, status } = spawnSync(process.execPath, [beside, root, '300'], {
    encoding: 'utf8',
  });
  expect(status).toBe(0);
  const figures = stdout.trimEnd().split('\n');
  expect(figures).toHaveLength(2);
  for (const figure of figures) expect(figure).toMatch(/ µs an event: here .+; there .+ of it$/);
  const { status: refused, stderr } = spawnSync(process.execPath, [beside], { encoding: 'utf8' });
  expect({ refused, stderr }).toEqual({
    refused: 2,
    stderr: 'usage: npm run bench:beside CHECKOUT [EVENTS]\n',
  });
});
