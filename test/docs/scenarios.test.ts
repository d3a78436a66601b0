/**
 * SCENARIOS.md: each command prints in a terminal what is shown below it, and each operation is there.
 * `cat FILE` shows a file that is written before the commands run. `UPDATE_TRANSCRIPTS=1` writes what
 * the commands print into the page.
 *
 * @module
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, inject, test } from 'vitest';
import { operationNames } from '../../operations/table.ts';
import { profiles } from '../../machines/profile.ts';
import { root } from '../cli/program.ts';
import { temporaryFolder } from '../log/folder.ts';
import { shownBy } from '../support/terminal.ts';

const path = join(root, 'SCENARIOS.md');
const page = readFileSync(path, 'utf8');
const block = /^```console\n([^]*?)^```$/gm;

interface Step {
  readonly command: string;
  readonly shown: string;
}

function stepsIn(text: string): Step[] {
  return text
    .split(/^\$ /m)
    .slice(1)
    .map((step) => {
      const end = step.indexOf('\n');
      return { command: step.slice(0, end), shown: step.slice(end + 1) };
    });
}

const steps = [...page.matchAll(block)].flatMap(([, text = '']) => stepsIn(text));
const fileOf = ({ command }: Step) => /^cat (\S+)$/.exec(command)?.[1];

/** What each command prints in a terminal, in a folder that has the files of the page. */
async function printed(): Promise<string[]> {
  const folder = temporaryFolder();
  for (const step of steps) {
    const file = fileOf(step);
    if (file !== undefined) writeFileSync(join(folder, file), step.shown);
  }
  const script = [
    `cd '${folder}'; npx() { shift; '${process.execPath}' '${inject('program')}' "$@"; }`,
    ...steps.map(({ command }) => `${command}\nprintf '\\036'`),
  ];
  const { bytes } = await shownBy(['bash', '-c', script.join('\n')], { NO_COLOR: '1' });
  return bytes.toString().replaceAll('\r', '').split('\u001E').slice(0, -1);
}

test('each command of SCENARIOS.md prints what is shown below it', async () => {
  expect(steps.length).toBeGreaterThan(10);
  const now = await printed();
  const played = steps.map(({ command }, index) => ({ command, shown: now[index] ?? '' }));
  if (process.env['UPDATE_TRANSCRIPTS'] === undefined) return expect(played).toEqual(steps);
  let index = 0;
  const kept = page.replaceAll(block, (_, text: string) => {
    const own = stepsIn(text).map(({ command }) => `$ ${command}\n${now[index++] ?? ''}`);
    return `\`\`\`console\n${own.join('')}\`\`\``;
  });
  writeFileSync(path, kept);
});

test('each operation and each profile is in SCENARIOS.md', () => {
  const { shown = '' } = steps.find(({ command }) => command.endsWith('--operations')) ?? {};
  const listed = shown.split('\n').map((line) => line.split(' ')[0]);
  expect(listed).toEqual(['OPERATION', ...operationNames, '']);
  const told = [...page.matchAll(/^\| `((?:linux|rfc)-[\d.]+)` \|/gm)].map(([, name]) => name);
  expect(told).toEqual(profiles);
});
