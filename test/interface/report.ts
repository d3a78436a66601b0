/**
 * What programs rely on, as text: the types of the package, the verbs with their options, the keys of
 * their JSON, and the errors. Written from what is there; a change of it is one that somebody reads.
 *
 * @module
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { exit, exitOf } from '../../cli/failure.ts';
import { verbs as loaders } from '../../cli/verbs.ts';
import * as library from '../../ledger.ts';
import { addKeys, emptyTree, pathsOf } from '../goldens/key-paths.ts';
import { printedBy } from '../support/verbs.ts';

const root = join(import.meta.dirname, '../..');
const verbs = await Promise.all([...loaders.values()].map((load) => load()));

/** The report, a file for each of its parts. */
export async function interfaceReport(): Promise<ReadonlyMap<string, string>> {
  return new Map([
    ['types.txt', packageTypes()],
    ['verbs.txt', verbsAndOptions()],
    ['json-keys.txt', await jsonKeys()],
    ['errors.txt', errorsAndCodes()],
  ]);
}

/** The declarations that the entries of the package lead to, each under the name of its file. */
function packageTypes(): string {
  const out = mkdtempSync(join(tmpdir(), 'vfio-ledger-types-'));
  try {
    const tsc = join(root, 'node_modules/typescript/bin/tsc');
    const options = ['--emitDeclarationOnly', '--removeComments', '--outDir', out];
    const project = join(root, 'tsconfig.build.json');
    execFileSync(process.execPath, [tsc, '-p', project, ...options], { cwd: root });
    const files = closureOf(typeEntries().map((path) => join(out, path)));
    return files
      .map((file) => `// ${relative(out, file)}\n${readFileSync(file, 'utf8')}`)
      .join('\n');
  } finally {
    rmSync(out, { recursive: true, force: true });
  }
}

/** The declarations that package.json exports, below its folder `dist`. */
function typeEntries(): string[] {
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    readonly exports: Readonly<Record<string, string | { readonly types: string }>>;
  };
  return Object.values(manifest.exports).flatMap((entry) =>
    typeof entry === 'string' ? [] : [relative('dist', entry.types)],
  );
}

function closureOf(entries: readonly string[]): string[] {
  const found = new Set(entries);
  for (const file of found) {
    const text = readFileSync(file, 'utf8');
    for (const [, path = ''] of text.matchAll(/(?:from |import\()['"](\.[^'"]+)['"]/g)) {
      found.add(resolve(dirname(file), path.replace(/\.ts$/, '.d.ts')));
    }
  }
  return [...found].toSorted();
}

function verbsAndOptions(): string {
  const lines = verbs.flatMap(({ name, usage, options }) => [
    `${name}: ${usage}`,
    ...Object.entries(options).map(([option, { type, value }]) =>
      type === 'boolean' ? `  --${option}` : `  --${option} ${value ?? 'VALUE'}`,
    ),
  ]);
  return `${lines.join('\n')}\n`;
}

/** In the place of strace: it shows what an example has written down, and runs the command. */
const TRACER = 'tracer.sh';
const tracer = `while [ "$1" != -- ]; do [ "$1" != -o ] || out=$2; shift; done
shift
cat '${join(root, 'examples/second-test.strace')}' >"$out"
exec "$@"
`;

/** What is asked of each verb so that its JSON shows all keys that it may have. */
const DEMO = 'demo.ledger';
const HOST = 'host';
const asked: readonly (readonly [verb: string, ...args: string[]])[] = [
  [
    'simulate',
    '--topology',
    'examples/host.topology.json',
    '--log',
    DEMO,
    'examples/two-contexts.scenario',
  ],
  ['import', '--log', 'second.ledger', 'examples/second-test.strace', '--json'],
  ['snapshot', '--root', HOST, '--log', 'here.ledger', '--json'],
  ['run', '--tracer', `sh ${TRACER}`, '--root', HOST, '--json', '--', 'true'],
  ...[DEMO, 'second.ledger', 'here.ledger'].flatMap((log): [string, ...string[]][] => [
    ['log', '--log', log, '--json'],
    ['table', '--log', log, '--json'],
    ['diff', 'start', 'end', '--log', log, '--json'],
    ['replay', '--profile', 'linux-6.1', '--log', log, '--json'],
    ['verify', '--log', log, '--json'],
    ['export', '--log', log],
  ]),
  ['table', '--at', '19', '--log', DEMO, '--json'],
  ['who', 'gpu', '--at', '19', '--log', DEMO, '--json'],
  ['who', 'gpu', '--at', '19', '--holdings', '--log', DEMO, '--json'],
  ['who', '--orphans', '--log', DEMO, '--json'],
  ['who', '/dev/vfio/26', '--now', '--root', HOST, '--json'],
  ['history', 'gpu', '--log', DEMO, '--json'],
  ['history', '26', '--by', 'P2', '--log', DEMO, '--json'],
  ['history', 'gpu', '--waiters', '--log', DEMO, '--json'],
  ['history', '--overlaps', '--log', DEMO, '--json'],
  ['attest', 'never-shared', 'comm:P1', 'comm:P2', '--log', DEMO, '--json'],
  ['attest', 'never-owned', '0', 'pid:4102', '--log', 'second.ledger', '--json'],
  ['why', 'gpu', '--log', DEMO, '--json'],
  ['bisect', '--invariant', 'one-context-per-group', '--log', DEMO, '--json'],
  ['bisect', '--where', 'owner.kind = iommufd', '--log', DEMO, '--json'],
  ['causes', '--json'],
  ['rules', 'bind', '--json'],
  ['machine', 'group', '--format', 'json'],
  ['seal', '--log', DEMO, '--json'],
  ['retain', '--keep', '1', '--log', DEMO, '--json'],
];

/** The keys of each verb's JSON, over answers about the examples. */
async function jsonKeys(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'vfio-ledger-keys-'));
  const trees = new Map(verbs.map(({ name }) => [name, emptyTree()]));
  try {
    writeFileSync(join(folder, TRACER), tracer);
    execFileSync('sh', [join(root, 'examples/host.sh'), join(folder, HOST)]);
    for (const [name, ...args] of asked) {
      const verb = verbs.find((known) => known.name === name);
      const tree = trees.get(name);
      if (verb === undefined || tree === undefined) throw new Error(`there is no verb '${name}'`);
      const placed = args.map((arg) => {
        if (arg.endsWith('.ledger') || arg === HOST) return join(folder, arg);
        if (arg.startsWith('examples/')) return join(root, arg);
        return arg.replace(TRACER, join(folder, TRACER));
      });
      const { out, err, code } = await printedBy(verb, placed);
      if (code > exit.no) throw new Error(`${name} ${args.join(' ')} ended with ${code}: ${err}`);
      for (const value of valuesIn(out)) addKeys(tree, value);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  const lines = [...trees].flatMap(([name, tree]) =>
    // What events hold is said once, with the verb that is about them.
    pathsOf(tree)
      .filter((path) => name === 'log' || !path.includes('data<'))
      .map((path) => `${name} ${path}`),
  );
  return `${lines.join('\n')}\n`;
}

/** One JSON value, or one a line. */
function valuesIn(text: string): unknown[] {
  try {
    return [JSON.parse(text)];
  } catch {
    return text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown);
  }
}

/** The exit codes; the code of every error, with the exit code that follows; the classes of errors. */
function errorsAndCodes(): string {
  const exits = Object.entries(exit).map(([name, code]) => `exit ${code} ${name}`);
  const codes = Object.entries(exitOf).map(([code, number]) => `code ${code} ${number}`);
  const classes = Object.values<unknown>(library).flatMap((value) =>
    typeof value === 'function' && [value, value.prototype].some(isLedgerError)
      ? [`class ${value.name}`]
      : [],
  );
  return `${[...exits, ...codes.toSorted(), ...classes.toSorted()].join('\n')}\n`;
}

function isLedgerError(value: unknown): boolean {
  return value === library.LedgerError || value instanceof library.LedgerError;
}
