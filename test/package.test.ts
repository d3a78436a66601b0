import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
/** This very Node, before whatever else the machine has. */
const env = { ...process.env, PATH: `${dirname(process.execPath)}:${process.env['PATH']}` };

let folder = '';

function run(cwd: string, command: string, ...args: string[]): string {
  return execFileSync(command, args, { cwd, env, encoding: 'utf8', stdio: 'pipe' });
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'vfio-ledger-package-'));
  run(root, 'npm', 'pack', '--silent', '--pack-destination', folder);
  const filename = readdirSync(folder).find((name) => name.endsWith('.tgz')) ?? 'none.tgz';
  writeFileSync(join(folder, 'package.json'), '{"type":"module","private":true}');
  const quiet = ['--no-audit', '--no-fund', '--prefer-offline', '--ignore-scripts'];
  run(folder, 'npm', 'install', ...quiet, join(folder, filename));
}, 120_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('the installed command answers', () => {
  const rows = run(folder, join(folder, 'node_modules/.bin/vfio-ledger'), 'causes', '--json');
  expect(JSON.parse(rows)).toContainEqual(
    expect.objectContaining({ cause: 'owned-by-other-iommufd', operation: 'bind', errno: 'EPERM' }),
  );
});

test('the installed library opens a ledger, and its types fit', () => {
  const program = `
    import { openLedger, type Why } from 'vfio-ledger';
    const ledger = await openLedger(':memory:');
    const topology = { kernel: '6.12.1', iommufd: true, devices: [
      { name: 'd0', bdf: '0000:01:00.0', group: 1, driver: 'vfio-pci', cdev: 'vfio0' }] };
    await ledger.simulate('open_group G d0\\nopen_group H d0\\n', { topology });
    const why: Why = ledger.why('d0');
    const viable: boolean = ledger.at('end').group('1').viable;
    console.log([why.cause, viable].join(' '));
  `;
  mkdirSync(join(folder, 'src'), { recursive: true });
  writeFileSync(join(folder, 'src/use.ts'), program);
  expect(run(folder, process.execPath, 'src/use.ts').trim()).toBe('group-already-open true');
  const options = '--noEmit --strict --module nodenext --target es2024 --types node --skipLibCheck';
  const types = ['--typeRoots', join(root, 'node_modules/@types')];
  run(folder, join(root, 'node_modules/.bin/tsc'), ...options.split(' '), ...types, 'src/use.ts');
}, 60_000);
