/**
 * CONTRIBUTING.md, played by somebody who does what it says: in a copy of the sources, which it
 * changes as its own diff block says.
 *
 * @module
 */
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { ruleTable } from '../../machines/operations.ts';
import { profiles } from '../../machines/profile.ts';
import { root, runCommand, type Ended } from '../cli/program.ts';
import { temporaryFolder } from '../log/folder.ts';

const invented = 'linux-8.1';
const text = readFileSync(join(root, 'CONTRIBUTING.md'), 'utf8');
const copy = join(temporaryFolder(), 'checkout');

/** A command of a console block, and what is shown below it. */
interface Step {
  readonly command: string;
  readonly shown: string;
}

function stepsOf(block: string): Step[] {
  return block
    .split(/^\$ /m)
    .slice(1)
    .map((step) => {
      const end = step.indexOf('\n');
      return { command: step.slice(0, end), shown: step.slice(end + 1) };
    });
}

const consoleBlock = /^```console\n([^]*?)^```$/gm;
const steps = [...text.matchAll(consoleBlock)].flatMap(([, block = '']) => stepsOf(block));
const [, patch = ''] = /^```diff\n([^]*?)^```$/m.exec(text) ?? [];

/** Runs a script as in a terminal in `folder`, whatever repository the folder lies in. */
function inShell(folder: string, script: string): Promise<Ended> {
  const lines = [
    'exec 2>&1; unset "${!GIT_@}"; export GIT_CEILING_DIRECTORIES="${PWD%/*}"',
    // What npx does in a checkout, and what a test cannot wait for each time.
    `npx() { shift; '${process.execPath}' cli/main.ts "$@"; }`,
    script,
  ];
  const env = { NODE_COMPILE_CACHE: join(dirname(copy), 'compiled') };
  return runCommand('bash', ['-c', lines.join('\n')], { cwd: folder, env });
}

/** Runs a tool of this project in the copy. */
function tool(name: string, ...args: string[]): Promise<Ended> {
  return runCommand(join('node_modules', '.bin', name), args, { cwd: copy });
}

const isSource = (path: string) =>
  !/^(\.git|node_modules|dist|\.cache|found)$|\.ledger/.test(basename(relative(root, path)));

function textWith(outputs: readonly string[]): string {
  let index = 0;
  return text.replaceAll(consoleBlock, (_, block: string) => {
    const lines = stepsOf(block).map(({ command }) => `$ ${command}\n${outputs[index++] ?? ''}`);
    return `\`\`\`console\n${lines.join('')}\`\`\``;
  });
}

// Where CI runs git is there; elsewhere it may not be.
const hasGit = spawnSync('git', ['--version']).status === 0;
describe.skipIf(!hasGit && process.env['CI'] === undefined)('who does what it says', () => {
  let printed: string[] = [];

  beforeAll(async () => {
    cpSync(root, copy, { recursive: true, filter: isSource });
    symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
    const mark = '\u001E\n';
    const script = steps.map(({ command }) => `${command}\nprintf '\\036\\n'`).join('\n');
    printed = (await inShell(copy, script)).out.split(mark).slice(0, -1);
  });

  test('every command prints what is shown below it', () => {
    expect(steps.length).toBeGreaterThan(10);
    const played = steps.map(({ command }, index) => ({ command, shown: printed[index] }));
    if (process.env['UPDATE_TRANSCRIPTS'] === undefined) expect(played).toEqual(steps);
    else writeFileSync(join(root, 'CONTRIBUTING.md'), textWith(printed));
  });

  test('what is asked before the change and after it is answered otherwise', () => {
    const before = steps.findIndex(({ command }) => command.includes('git apply'));
    const answers = Map.groupBy(steps, ({ command }) => command);
    const twice = [...answers].filter(([, asked]) => asked.length > 1);
    expect(twice.map(([command]) => command.split(' ')[2])).toEqual(['why', 'verify', 'simulate']);
    for (const [command, [first, second]] of twice) {
      expect(steps.findIndex((step) => step === first)).toBeLessThan(before);
      expect(second?.shown, command).not.toBe(first?.shown);
    }
  });

  test('the rules of all other profiles are what they were', async () => {
    const rowsIn = async (profile: string) => {
      const { out } = await inShell(copy, `npx vfio-ledger rules --json --profile ${profile}`);
      return (JSON.parse(out) as { profiles: string[] }[]).map((row) => ({
        ...row,
        profiles: row.profiles.filter((name) => name !== invented),
      }));
    };
    expect(profiles).not.toContain(invented);
    for (const profile of profiles) expect(await rowsIn(profile)).toEqual(ruleTable(profile));
  });

  test('the arrow that is guarded is gone from the picture, and nothing else', () => {
    const difference = printed[steps.findIndex(({ command }) => command.startsWith('diff '))] ?? '';
    const lines = difference.split('\n').filter((line) => /^[<>]/.test(line));
    const labels = (line = '') => line.slice(2).split(/: |<br\/>/);
    expect(labels(lines[0])).toContain('device.attached');
    expect(lines.map(labels)).toEqual([
      labels(lines[0]),
      labels(lines[0]).filter((label) => label !== 'device.attached'),
    ]);
  });

  test('the tests that are generated have the new profile, and pass', async () => {
    // What they keep would lie beside what the tests of this checkout keep.
    const caches = ['--cache=false', '--fsModuleCache=false'];
    const report = ['--reporter=json', '--outputFile=report.json'];
    const only = ['test/machines', 'test/host', '-t', invented];
    const { code } = await tool('vitest', 'run', ...only, ...caches, ...report);
    const { testResults } = JSON.parse(readFileSync(join(copy, 'report.json'), 'utf8')) as {
      testResults: { assertionResults: { fullName: string; status: string }[] }[];
    };
    const run = testResults
      .flatMap(({ assertionResults }) => assertionResults)
      .filter(({ status }) => status === 'passed' || status === 'failed');
    expect(run.filter(({ status }) => status === 'failed')).toEqual([]);
    expect(code).toBe(0);
    const names = run.map(({ fullName }) => fullName);
    expect(names.filter((name) => !name.includes(invented))).toEqual([]);
    for (const generated of ['on any history', 'in every state', 'JSON', `${invented}: leaving`]) {
      expect(
        names.filter((name) => name.includes(generated)),
        generated,
      ).not.toEqual([]);
    }
  });

  test('the compiler and the formatter take the change', async () => {
    const changed = [...patch.matchAll(/^\+\+\+ b\/(.*)$/gm)].map(([, path = '']) => path);
    expect(changed).toEqual(['machines/profile.ts', 'machines/operations/attach.ts']);
    const checks = [tool('tsc'), tool('oxfmt', '--check', ...changed)];
    for (const { code, out } of await Promise.all(checks)) {
      expect({ code, out }).toMatchObject({ code: 0 });
    }
  });

  test('the diff finds its places when lines have moved, and says where it does not', async () => {
    const moved = join(dirname(copy), 'moved');
    const paths = ['machines/profile.ts', 'machines/operations/attach.ts'];
    const lines = '// One more line.\n'.repeat(9);
    mkdirSync(join(moved, 'machines/operations'), { recursive: true });
    for (const path of paths) {
      writeFileSync(join(moved, path), lines + readFileSync(join(root, path), 'utf8'));
    }
    writeFileSync(join(moved, 'patch'), patch);
    expect(await inShell(moved, 'git apply patch')).toMatchObject({ code: 0, out: '' });
    for (const path of paths) {
      const changed = readFileSync(join(copy, path), 'utf8');
      expect(readFileSync(join(moved, path), 'utf8')).toBe(lines + changed);
    }
    expect(await inShell(moved, 'git apply -R patch')).toMatchObject({ code: 0, out: '' });
    for (const path of paths) {
      const source = readFileSync(join(moved, path), 'utf8');
      writeFileSync(join(moved, path), source.replaceAll(/'linux-7\.3',|12, ATTACH/g, 'other'));
    }
    const again = await inShell(moved, 'git apply patch');
    expect(again.code).not.toBe(0);
    expect(again.out.match(/patch does not apply/g)).toHaveLength(2);
  });
});

test('the paths, links and scripts that it names are there', () => {
  const links = [...text.matchAll(/\]\(([^):]+)\)/g)].map(([, path = '']) => path);
  const named = [...text.matchAll(/`([\w.-]+\/[\w./-]*)`/g)].map(([, path = '']) => path);
  const paths = [...links, ...named];
  expect(paths.length).toBeGreaterThan(15);
  expect(paths.filter((path) => !existsSync(join(root, path)))).toEqual([]);
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>;
  };
  for (const [, script = ''] of text.matchAll(/npm run (\w+)/g)) {
    expect(Object.keys(scripts)).toContain(script);
  }
});
