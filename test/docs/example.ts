/**
 * A section of CONTRIBUTING.md, played by somebody who does what it says: in a copy of the sources,
 * which it changes as its own diff blocks say.
 *
 * @module
 */
import { spawnSync } from 'node:child_process';
import { cpSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { root, runCommand, type Ended } from '../cli/program.ts';
import { temporaryFolder } from '../log/folder.ts';
import { EFFORT, WHOLE } from '../support/effort.ts';

const path = join(root, 'CONTRIBUTING.md');
const read = () => readFileSync(path, 'utf8');

/** A command of a console block, and what is shown below it. */
interface Step {
  readonly command: string;
  readonly shown: string;
}

/** Change of one place, as a patch of its own. */
export interface Hunk {
  readonly path: string;
  /** The path and the first line that is added, without white space around it. */
  readonly name: string;
  readonly patch: string;
}

// Where CI runs git is there; elsewhere it may not be.
const hasGit = spawnSync('git', ['--version']).status === 0;
export const cannotPlay = !hasGit && process.env['CI'] === undefined;

/** What a test's own Node is refused, the tools of a copy need: without it Vite resolves no `import()`. */
const toolOptions = { NODE_OPTIONS: '' };

const consoleBlock = /^```console\n([^]*?)^```$/gm;

function stepsOf(block: string): Step[] {
  return block
    .split(/^\$ /m)
    .slice(1)
    .map((step) => {
      const end = step.indexOf('\n');
      return { command: step.slice(0, end), shown: step.slice(end + 1) };
    });
}

function sectionOf(text: string, heading: string): string {
  const begin = text.indexOf(`## ${heading}\n`);
  const end = text.indexOf('\n## ', begin);
  return begin === -1 ? '' : text.slice(begin, end);
}

const isSource = (file: string) =>
  !/^(\.git|node_modules|dist|\.cache|found)$|\.ledger/.test(basename(relative(root, file))) ||
  file.includes('/test/log/corpus/');

export class Example {
  readonly #heading: string;
  readonly #text: string;
  readonly steps: readonly Step[];
  /** The copy of the sources. */
  readonly folder = join(temporaryFolder(), 'checkout');

  constructor(heading: string) {
    this.#heading = heading;
    this.#text = sectionOf(read(), heading);
    this.steps = [...this.#text.matchAll(consoleBlock)].flatMap(([, block = '']) => stepsOf(block));
  }

  copySources(): void {
    cpSync(root, this.folder, { recursive: true, filter: isSource });
    symlinkSync(join(root, 'node_modules'), join(this.folder, 'node_modules'));
  }

  /** What stands in the block that is opened with these words; empty where there is none. */
  block(words: string): string {
    const [, after = ''] = this.#text.split(`\n\`\`\`${words}\n`);
    return after.slice(0, after.indexOf('```'));
  }

  hunks(words: string): Hunk[] {
    return this.block(words)
      .split(/^(?=--- )/m)
      .flatMap((file) => {
        const [head = '', ...hunks] = file.split(/^(?=@@ )/m);
        const [, path = ''] = /^\+\+\+ b\/(.*)$/m.exec(head) ?? [];
        return hunks.map((hunk) => {
          const [, added = ''] = /^\+(.*\S.*)$/m.exec(hunk) ?? [];
          return { path, name: `${path}: ${added.trim()}`, patch: head + hunk };
        });
      });
  }

  /** Runs a script as in a terminal in `folder`, whatever repository the folder lies in. */
  inShell(script: string, folder = this.folder): Promise<Ended> {
    const options = process.env['NODE_OPTIONS'] ?? '';
    const program = `NODE_OPTIONS='${options}' '${process.execPath}' cli/main.ts`;
    const lines = [
      'exec 2>&1; unset "${!GIT_@}"; export GIT_CEILING_DIRECTORIES="${PWD%/*}"',
      // What npx does in a checkout, and what a test cannot wait for each time.
      'npx() { local tool="$1"; shift; case "$tool" in',
      `vfio-ledger) ${program} "$@";; *) "node_modules/.bin/$tool" "$@";; esac; }`,
      script,
    ];
    const env = { ...toolOptions, NODE_COMPILE_CACHE: join(dirname(this.folder), 'compiled') };
    return runCommand('bash', ['-c', lines.join('\n')], { cwd: folder, env });
  }

  /** Runs a tool of this project in the copy. */
  tool(name: string, ...args: string[]): Promise<Ended> {
    const env = { ...toolOptions, [EFFORT]: 'test', [WHOLE]: 'yes' };
    return runCommand(join('node_modules', '.bin', name), args, { cwd: this.folder, env });
  }

  /** What each of these steps prints, one after the other in one terminal. */
  async play(steps: readonly Step[]): Promise<string[]> {
    const script = steps.map(({ command }) => `${command}\nprintf '\\036\\n'`).join('\n');
    return (await this.inShell(script)).out.split('\u001E\n').slice(0, -1);
  }

  /** Runs tests in the copy; what each came to by its file and name, without those left out. */
  async results(files: readonly string[], name = ''): Promise<TestResult[]> {
    // What they keep would lie beside what the tests of this checkout keep.
    const caches = ['--cache=false', '--fsModuleCache=false'];
    const report = ['--reporter=json', '--outputFile=report.json'];
    const config = ['--config', 'test/vitest.config.ts', '--root', '.'];
    await this.tool('vitest', 'run', ...config, ...files, '-t', name, ...caches, ...report);
    const { testResults } = JSON.parse(readFileSync(join(this.folder, 'report.json'), 'utf8')) as {
      testResults: {
        name: string;
        status: string;
        assertionResults: { ancestorTitles: string[]; title: string; status: string }[];
      }[];
    };
    return testResults.flatMap(({ name: file, status, assertionResults }) => {
      const path = relative(this.folder, file);
      // A file that does not even load has no tests.
      if (assertionResults.length === 0) return [{ test: `${path}: `, status }];
      return assertionResults
        .filter(({ status }) => status === 'passed' || status === 'failed')
        .map(({ ancestorTitles, title, status }) => {
          return { test: `${path}: ${[...ancestorTitles, title].join(' > ')}`, status };
        });
    });
  }

  /** Writes into CONTRIBUTING.md what the steps have printed. */
  keep(printed: readonly string[]): void {
    let index = 0;
    const kept = this.#text.replaceAll(consoleBlock, (_, block: string) => {
      const lines = stepsOf(block).map(({ command }) => `$ ${command}\n${printed[index++] ?? ''}`);
      return `\`\`\`console\n${lines.join('')}\`\`\``;
    });
    const text = read();
    writeFileSync(
      path,
      text.replace(sectionOf(text, this.#heading), () => kept),
    );
  }
}

interface TestResult {
  /** The file, and the test as vitest calls it. */
  readonly test: string;
  readonly status: string;
}
