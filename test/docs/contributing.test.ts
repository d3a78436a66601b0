import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { ruleTable } from '../../machines/operations.ts';
import { profiles } from '../../machines/profile.ts';
import { causeWords } from '../../words/causes.ts';
import { root } from '../cli/program.ts';
import { temporaryFolder } from '../log/folder.ts';
import { inCampaigns, isCampaign } from '../support/effort.ts';
import { cannotPlay, Example } from './example.ts';

const invented = 'linux-8.1';
const example = new Example('Adding a kernel version');
const { steps, folder: copy } = example;
const patch = example.block('diff');
const paths = ['machines/profile.ts', 'machines/eras.ts', 'machines/operations/attach.ts'];

/** Somebody who changes a transcript waits for it, and a campaign. */
const isPlayed = isCampaign || process.env['UPDATE_TRANSCRIPTS'] !== undefined;

test.skipIf(cannotPlay)('the diff finds its places', async () => {
  const file = join(temporaryFolder(), 'patch');
  writeFileSync(file, patch);
  expect(await example.inShell(`git apply --check '${file}'`, root)).toMatchObject({ code: 0 });
});

const played = isPlayed ? ['played'] : [];
describe.skipIf(cannotPlay).each(played)('who adds a kernel version as it says, %s', () => {
  let printed: string[] = [];

  beforeAll(async () => {
    example.copySources();
    printed = await example.play(steps);
  });

  test('every command prints what is shown below it', () => {
    expect(steps.length).toBeGreaterThan(10);
    const played = steps.map(({ command }, index) => ({ command, shown: printed[index] }));
    if (process.env['UPDATE_TRANSCRIPTS'] === undefined) expect(played).toEqual(steps);
    else example.keep(printed);
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
      const { out } = await example.inShell(`npx vfio-ledger rules --json --profile ${profile}`);
      return (JSON.parse(out) as { profiles: string[] }[]).map((row) => ({
        ...row,
        profiles: row.profiles.filter((name) => name !== invented),
      }));
    };
    expect(profiles).not.toContain(invented);
    for (const profile of profiles) {
      const rows = ruleTable(profile).map((row) => ({ ...row, summary: causeWords(row.cause) }));
      expect(await rowsIn(profile)).toEqual(rows);
    }
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

  test.each(inCampaigns)('the tests that are generated have the new profile, %s', async () => {
    const run = await example.results(['test/machines', 'test/host'], invented);
    expect(run.filter(({ status }) => status === 'failed')).toEqual([]);
    const names = run.map(({ test }) => test);
    expect(names.filter((name) => !name.includes(invented))).toEqual([]);
    for (const generated of ['on any history', 'in every state', 'JSON', `${invented}: leaving`]) {
      expect(
        names.filter((name) => name.includes(generated)),
        generated,
      ).not.toEqual([]);
    }
  });

  test.each(inCampaigns)('the compiler and the formatter take the change, %s', async () => {
    const changed = [...patch.matchAll(/^\+\+\+ b\/(.*)$/gm)].map(([, path = '']) => path);
    expect(changed).toEqual(paths);
    const checks = [example.tool('tsc'), example.tool('oxfmt', '--check', ...changed)];
    for (const { code, out } of await Promise.all(checks)) {
      expect({ code, out }).toMatchObject({ code: 0 });
    }
  });

  test('the diff finds its places when lines have moved, and says where it does not', async () => {
    const moved = join(dirname(copy), 'moved');
    const lines = '// One more line.\n'.repeat(9);
    mkdirSync(join(moved, 'machines/operations'), { recursive: true });
    for (const path of paths) {
      writeFileSync(join(moved, path), lines + readFileSync(join(root, path), 'utf8'));
    }
    writeFileSync(join(moved, 'patch'), patch);
    expect(await example.inShell('git apply patch', moved)).toMatchObject({ code: 0, out: '' });
    for (const path of paths) {
      const changed = readFileSync(join(copy, path), 'utf8');
      expect(readFileSync(join(moved, path), 'utf8')).toBe(lines + changed);
    }
    expect(await example.inShell('git apply -R patch', moved)).toMatchObject({ code: 0, out: '' });
    for (const path of paths) {
      const source = readFileSync(join(moved, path), 'utf8');
      writeFileSync(
        join(moved, path),
        source.replaceAll(/'linux-7\.3',|'7\.3', |12, ATTACH/g, 'other'),
      );
    }
    const again = await example.inShell('git apply patch', moved);
    expect(again.code).not.toBe(0);
    expect(again.out.match(/patch does not apply/g)).toHaveLength(3);
  });
});

const text = readFileSync(join(root, 'CONTRIBUTING.md'), 'utf8');

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
