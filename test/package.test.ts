/**
 * The package as its users have it: packed once, and installed into an empty project.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { beforeAll, expect, inject, test } from 'vitest';
import { hostHistory } from '../bench/host.ts';
import { openLedger } from '../ledger.ts';
import { rulesVersion } from '../ledger/rules-version.ts';
import { packing } from '../log/packing.ts';
import { openSqliteStore } from '../log/sqlite.ts';
import { decodeSegment } from '../projections/index/segment-bytes.ts';
import { loadedBy, root, runCommand } from './cli/program.ts';
import { temporaryFolder } from './log/folder.ts';
import { inCampaigns, isCampaign, someOf } from './support/effort.ts';

const project = temporaryFolder();
const installed = join(project, 'node_modules/vfio-ledger');
const bin = join(project, 'node_modules/.bin');
/** The command as installed, and this very Node, before whatever else the machine has. */
const env = { PATH: [bin, dirname(process.execPath), process.env['PATH']].join(delimiter) };
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  readonly dependencies: Readonly<Record<string, string>>;
  readonly engines: { readonly node: string };
};

function npm(cwd: string, ...args: string[]): void {
  execFileSync('npm', args, { cwd, env: { ...process.env, ...env }, stdio: 'pipe' });
}

/**
 * As it is published in a campaign. To compile its types takes as long as all else: they are not
 * there while somebody waits, and the interface has a test of its own.
 */
function pack(): void {
  const into = ['--silent', '--pack-destination', project];
  if (isCampaign) {
    npm(root, 'pack', ...into);
    return;
  }
  rmSync(join(root, 'dist'), { recursive: true, force: true });
  cpSync(dirname(inject('program')), join(root, 'dist'), { recursive: true });
  npm(root, 'pack', '--ignore-scripts', ...into);
}

beforeAll(() => {
  pack();
  const packed = readdirSync(project).find((name) => name.endsWith('.tgz')) ?? 'none.tgz';
  // What it depends on is here already: nothing is fetched.
  const dependencies = Object.keys(manifest.dependencies).map((name) => [
    name,
    `file:${realpathSync(join(root, 'node_modules', name))}`,
  ]);
  write('package.json', {
    private: true,
    type: 'module',
    dependencies: { 'vfio-ledger': `file:${packed}`, ...Object.fromEntries(dependencies) },
  });
  npm(project, 'install', '--offline', '--install-links', '--ignore-scripts', '--no-audit');
});

function write(name: string, content: string | object): void {
  const text = typeof content === 'string' ? content : JSON.stringify(content);
  writeFileSync(join(project, name), text);
}

const node = (path: string, ...args: string[]) => runCommand(path, args, { cwd: project, env });

/** How programs get at the library. */
const ways = {
  'use.js': `import { openLedger } from 'vfio-ledger';`,
  'use.cjs': `const { openLedger } = require('vfio-ledger');`,
};

test.each(Object.entries(ways))('the library opens a ledger in %s', async (name, way) => {
  const topology = readFileSync(join(installed, 'examples/host.topology.json'), 'utf8');
  const program = `
    openLedger(':memory:').then(async (ledger) => {
      const { topology } = ${topology};
      await ledger.simulate('open_group G gpu\\nopen_group H gpu\\n', { topology });
      console.log(ledger.why('gpu').cause);
    });`;
  write(name, way + program);
  const { out, err } = await node(process.execPath, name);
  expect({ out, err }).toEqual({ out: 'group-already-open\n', err: '' });
});

test('the virtual host and the library of the package share their classes', async () => {
  const topology = readFileSync(join(installed, 'examples/host.topology.json'), 'utf8');
  write(
    'virtual.js',
    `import { LedgerError } from 'vfio-ledger';
    import { SystemError, virtualHost } from 'vfio-ledger/virtual-host';
    const p = virtualHost(${topology}).process('p');
    p.openGroup('gpu');
    const told = [];
    for (const open of [() => p.openGroup(26), () => p.openCdev('gpuu')]) {
      try { open(); } catch (error) { told.push(error); }
    }
    console.log(told[0] instanceof SystemError, told[0].refusal.cause);
    console.log(told[1] instanceof LedgerError, told[1].code);`,
  );
  const { out, err } = await node(process.execPath, 'virtual.js');
  expect({ out, err }).toEqual({
    out: 'true group-already-open\ntrue unknown-subject\n',
    err: '',
  });
});

test.each(inCampaigns)('its types fit a strict program, and name none of XState, %s', async () => {
  write(
    'types.ts',
    `import { openLedger, type HostAt, type Why } from 'vfio-ledger';
    import { virtualHost, type SystemError } from 'vfio-ledger/virtual-host';
    const ledger = await openLedger(':memory:', { readOnly: true });
    const then = ledger.at(3);
    const why: Why = ledger.why(3);
    const host: HostAt = ledger.hostAt(3);
    const { errno } = then.fork().attempt({ operation: 'close', pid: 101, fd: 4 });
    console.log(then.table(), ledger.who('gpu'), why.cause, host.group('1')?.owner, errno);
    const virtual = virtualHost({ topology: '{}' });
    const device = virtual.process('qemu').openCdev('gpu');
    const refusal = (error: SystemError): Why => error.refusal;
    console.log(device.bind(3), virtual.ledger.who('gpu'), refusal);
    await ledger.close();`,
  );
  const compilerOptions = {
    strict: true,
    exactOptionalPropertyTypes: true,
    module: 'nodenext',
    noEmit: true,
    listFiles: true,
    types: [],
  };
  write('tsconfig.json', { compilerOptions, files: ['types.ts'] });
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  const { code, out } = await node(process.execPath, tsc, '-p', '.');
  expect(code, out).toBe(0);
  expect(out).toContain('/vfio-ledger/dist/ledger.d.ts');
  expect(out).not.toContain('/xstate/');
});

/** Whether what an example needs is on this machine. */
const hasStrace = spawnSync('strace', ['-V']).error === undefined;
const canRun = (example: string) => hasStrace || !example.startsWith('vfio-ledger run ');

/** The lines of a help text that are to be run. */
const examplesIn = (help: string) => {
  const [, list = ''] = /^Examples?.*:\n((?: {2}.*\n)+)/m.exec(help) ?? [];
  return list
    .trimEnd()
    .split('\n')
    .map((line) => line.trim());
};

/** Of what a verb shows somebody waits for one, and a campaign for all. */
const oneOf = (examples: readonly string[]) => (isCampaign ? examples : examples.slice(0, 1));

test('every example of every help text works as it stands', async () => {
  const sh = (line: string) => runCommand('sh', ['-c', line], { cwd: installed, env });
  const { out: overview } = await sh('vfio-ledger --help');
  const [, list = ''] = /^Verbs .*\n((?: {2}\w.*\n)+)/m.exec(overview) ?? [];
  const verbs = [...list.matchAll(/^ {2}(\w+)/gm)].map(([, name = '']) => name);
  expect(verbs).toContain('why');
  const helps = await Promise.all(
    someOf(verbs, 6).map(async (verb) => (await sh(`vfio-ledger ${verb} --help`)).out),
  );
  const runAll = async (help: string, chosen = oneOf) => {
    const examples = examplesIn(help);
    expect(examples).not.toEqual(['']);
    for (const example of chosen(examples.filter(canRun))) {
      const { code, out, err } = await sh(example);
      expect({ example, code, err }).toEqual({ example, code: 0, err: '' });
      expect(out !== '' || example.includes('>')).toBe(true);
    }
  };
  // The overview makes the log that the others read.
  await runAll(overview, (examples) => examples);
  await Promise.all(helps.map((help) => runAll(help)));
});

const major = (version: string) => Number(/\d+/.exec(version)?.[0]);

/** A Node of this machine that is too old; `.ci/run` brings one. */
function olderNode(): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  return folders
    .map((folder) => join(folder, 'node'))
    .filter((path) => existsSync(path))
    .find((path) => {
      const version = execFileSync(path, ['--version'], { encoding: 'utf8' });
      return major(version) < major(manifest.engines.node);
    });
}

const older = olderNode();

test.skipIf(older === undefined)('on an older Node it says what to do', async () => {
  const sentence =
    `vfio-ledger needs Node ${major(manifest.engines.node)} or newer, and this is Node ` +
    String.raw`\d+\.\d+\.\d+: install one from https://nodejs\.org, or .* npm install node@24`;
  const command = await node(older ?? '', join(bin, 'vfio-ledger'), '--help');
  expect(command).toMatchObject({ code: 4, out: '' });
  expect(command.err).toMatch(new RegExp(`^${sentence}\n$`));
  for (const [name, way] of Object.entries(ways)) {
    write(name, way);
    const { code, err } = await node(older ?? '', name);
    expect(code).toBe(1);
    expect(err).toContain(`[LedgerError]: ${command.err}`);
    expect(err).toContain(`code: 'unsupported-runtime'`);
  }
});

test('the package holds what its texts link to', () => {
  for (const text of ['README.md', 'FORMAT.md', 'SCENARIOS.md', 'CHANGELOG.md']) {
    const links = readFileSync(join(installed, text), 'utf8').matchAll(/\]\(([^):#]+)\)/g);
    for (const [, path = ''] of links) expect(existsSync(join(installed, path)), path).toBe(true);
  }
});

test('recorder/ is packed as scripts, which the bundle finds', async () => {
  const folder = join(installed, 'recorder');
  const scripts = ['ftrace.sh', 'vfio-ledger.service', 'vfio.bt'];
  expect(readdirSync(folder).toSorted()).toEqual(scripts);
  mkdirSync(join(project, 'shell'));
  write('shell/sh', '#!/bin/sh\necho "$@" >&2\nexit 1\n');
  chmodSync(join(project, 'shell/sh'), 0o755);
  const asRoot = ['--import', 'data:text/javascript,process.getuid = () => 0'];
  const record = [join(installed, 'bin/vfio-ledger.js'), 'record', '--with', 'ftrace'];
  const { err } = await runCommand(
    process.execPath,
    [...asRoot, ...record, '--log', 'new.ledger'],
    {
      cwd: project,
      env: { PATH: [join(project, 'shell'), env.PATH].join(delimiter) },
    },
  );
  expect(err).toContain(realpathSync(join(folder, 'ftrace.sh')));
});

test('the code of other packages is bundled, and their licences are packed', () => {
  const packed = (name: string) => readFileSync(join(installed, 'dist', name), 'utf8');
  const imported = readdirSync(join(installed, 'dist'))
    .filter((name) => name.endsWith('.js'))
    .flatMap((name) => [...packed(name).matchAll(/^import .*"([^."][^"]*)";$/gm)])
    .map(([, name = '']) => name);
  const others = imported.filter((name) => !name.startsWith('node:'));
  // The runners of the entries for tests are those of the project.
  const runners = ['#supported-node', '@jest/globals', '@playwright/test', 'fast-check', 'vitest'];
  expect([...new Set(others)].toSorted()).toEqual(runners);
  for (const licence of ['valibot/LICENSE.md', 'xstate/LICENSE']) {
    const text = readFileSync(join(root, 'node_modules', licence), 'utf8');
    expect(packed('LICENSES.md')).toContain(text);
  }
});

test.each(['ledger.js', 'cli.js', 'recorder.js', 'vitest.js', 'matchers.js', 'fast-check.js'])(
  '%s asks which Node it is before all else',
  (name) => {
    const [first] = readFileSync(join(installed, 'dist', name), 'utf8').split('\n');
    expect(first).toBe('import "#supported-node";');
  },
);

test('--version and --help load the words of the command line, and nothing else', async () => {
  const lengthOf = async (words: string) => {
    const files = await loadedBy(join(installed, 'bin/vfio-ledger.js'), words);
    return files.reduce((sum, file) => sum + statSync(file).size, 0);
  };
  expect(await lengthOf('--version')).toBeLessThan(32_000);
  expect(await lengthOf('--help')).toBeLessThan(32_000);
  expect(await lengthOf('causes')).toBeGreaterThan(200_000);
});

test.each(inCampaigns)(
  'checkout, command and library use the index of the others, %s',
  async () => {
    const log = join(project, 'indexed.ledger');
    const store = openSqliteStore(log);
    await store.append('host', -1, [...hostHistory(12_000, 3)]);
    await store.close();
    write(
      'open.js',
      `import { openLedger } from 'vfio-ledger'; await (await openLedger('${log}')).close();`,
    );
    const openers = {
      checkout: async () => (await openLedger(log)).close(),
      command: async () => node(join(bin, 'vfio-ledger'), 'table', '--log', log),
      library: async () => node(process.execPath, 'open.js'),
    };
    for (const [name, open] of Object.entries(openers)) {
      rmSync(`${log}.index`, { recursive: true, force: true });
      await open();
      const [segment = 'none'] = readdirSync(`${log}.index`, { recursive: true, encoding: 'utf8' })
        .filter((file) => file.endsWith('.segment'))
        .map((file) => join(`${log}.index`, file));
      const { rules } = decodeSegment(readFileSync(segment), packing).stamp;
      expect(rules, name).toBe(rulesVersion);
      const { ino } = statSync(segment);
      // An index that is made anew is another file.
      for (const other of Object.values(openers)) await other();
      expect(statSync(segment).ino, name).toBe(ino);
    }
  },
);
