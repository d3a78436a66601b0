import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import { hosts } from '../../arbitraries/fast-check.ts';
import { openLedger, type Call } from '../../ledger.ts';
import { SystemError } from '../../virtual-host/virtual-host.ts';
import { root, run } from '../cli/program.ts';

const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');

/** What `npm start` prints. */
const started = execFileSync(process.execPath, ['examples/incident.ts'], {
  cwd: root,
  encoding: 'utf8',
});

/** What the program prints, in this process. */
async function printedBy(...words: string[]): Promise<string> {
  const { out, err } = await run(words);
  expect(err).toBe('');
  return out;
}

test('the transcript in README.md is what npm start prints', () => {
  const [, transcript = ''] = /```console\n([^]*?)```/.exec(readme) ?? [];
  const printed = started.replaceAll(/\S+\/incident\.ledger/g, 'incident.ledger');
  expect(transcript).toContain('$ npx vfio-ledger why');
  expect(printed).toContain(transcript);
});

const transcripts = [...readme.matchAll(/```console\n([^]*?)```/g)].map(([, text = '']) => text);
const imports = transcripts.filter((text) => text.includes('vfio-ledger import'));

test('README.md shows a trace, a post and recorded answers', () => {
  expect(imports).toHaveLength(3);
});

test.each(imports)('what README.md imports and asks gives what it shows: %s', async (shown) => {
  const folder = mkdtempSync(join(tmpdir(), 'vfio-ledger-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const [name = ''] = /\w+\.ledger/.exec(shown) ?? [];
  const log = join(folder, name);
  const printed: string[] = [];
  for (const part of shown.split(/^\$ npx vfio-ledger /m).slice(1)) {
    const [command = ''] = part.split('\n');
    const out = await printedBy(...command.replace(name, log).split(' '));
    printed.push(`$ npx vfio-ledger ${command}\n${out.replaceAll(log, name)}`);
  }
  expect(printed.join('')).toBe(shown);
});

test('what npm start says to try next works as printed', async () => {
  const commands = started.split('Try next')[1]?.match(/npx vfio-ledger .*/g) ?? [];
  expect(commands.length).toBeGreaterThan(4);
  for (const command of commands) {
    const [, , ...words] = command.split(' ');
    expect(await printedBy(...words), command).not.toBe('');
  }
});

test('the verbs in README.md are those that there are', async () => {
  const verbs = readme.slice(readme.indexOf('## Verbs'));
  const told = [...verbs.matchAll(/^\| `(\w+)` \|/gm)].map(([, verb]) => verb);
  const help = await printedBy('--help');
  const known = [...help.matchAll(/^ {2}(\w+) {2,}\S/gm)].map(([, verb]) => verb);
  expect(told.length).toBeGreaterThan(5);
  expect(known).toEqual(told);
});

test('the files that README.md and ARCHITECTURE.md link to are there', () => {
  const architecture = readFileSync(new URL('../../ARCHITECTURE.md', import.meta.url), 'utf8');
  const inRepository = /\]: https:\/\/github\.com\/vfio-ledger\/vfio-ledger\/blob\/main\/(\S+)/g;
  const paths = [/\]\(([^):]+)\)/g, inRepository].flatMap((links) =>
    [...`${readme}\n${architecture}`.matchAll(links)].map(([, path = '']) => path),
  );
  expect(paths).toEqual(expect.arrayContaining(['FORMAT.md', 'conformance/REPORT.md']));
  for (const path of paths) {
    expect(() => readFileSync(new URL(`../../${path}`, import.meta.url)), path).not.toThrow();
  }
});

test('what README.md asks of a past that went otherwise is answered as it says', async () => {
  const [, code = ''] = /```ts\n(const fork[^]*?)```/.exec(readme) ?? [];
  const calls = [...code.matchAll(/fork\.attempt\((\{.*?\})\)/g)].map(([, call = '']) => call);
  const text = readFileSync(
    new URL('../../examples/incident.truth.jsonl', import.meta.url),
    'utf8',
  );
  const ledger = await openLedger(':memory:');
  await ledger.import(text, { format: 'truth' });
  expect(ledger.why(29).errno).toBe('EINVAL');
  const without = ledger.without(ledger.why(29).because);
  expect(without.log({ refused: true }).map(({ id }) => id)).not.toContain(ledger.event(29)?.id);
  expect(without.who('1').owner.kind).toBe('iommufd');
  const fork = ledger.at(29).fork();
  const attempts = calls.map((call) =>
    fork.attempt(JSON.parse(call.replaceAll(/(\w+):/g, '"$1":').replaceAll("'", '"')) as Call),
  );
  expect(attempts.map(({ errno }) => errno)).toEqual([null, null]);
  expect(fork.at('end').group('1').owner.holders).toMatchObject([{ pid: 102 }, { pid: 102 }]);
  await ledger.close();
});

test('what README.md shows of a test without a device is in the example', () => {
  const [, code = ''] = /```ts\n(describe\.each[^]*?)```/.exec(readme) ?? [];
  const example = new URL('../../examples/open-order.test.ts', import.meta.url);
  expect(code).toContain('virtualHost');
  expect(readFileSync(example, 'utf8')).toContain(code);
});

test('what README.md shows of a property test is in the example, and fails as it shows', () => {
  const [, code = ''] = /```ts\n(test\('a driver that cannot have[^]*?)```/.exec(readme) ?? [];
  const example = new URL('../../examples/any-host.test.ts', import.meta.url);
  expect(code).toContain('fc.property(');
  expect(readFileSync(example, 'utf8')).toContain(code);

  const careless = fc.property(hosts({ profile: 'linux-7.3' }), (host) => {
    const driver = host.process('driver');
    let isOpen = false;
    const iommufd = driver.openIommufd();
    try {
      driver.openCdev('d0').bind(iommufd);
      isOpen = true;
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
    }
    expect(driver.fds()).toHaveLength(isOpen ? 2 : 0);
  });
  const printed = fc.defaultReportMessage(fc.check(careless, { seed: 1 })) ?? '';
  const [, log = ''] = /--log (\S+)$/m.exec(printed) ?? [];
  rmSync(dirname(log), { recursive: true });
  const [shown = ''] = /^Counterexample: \[\n[^]*?\n\]$/m.exec(readme) ?? [];
  expect(shown).toContain('# P2 is driver');
  expect(printed.replaceAll(/\/\S+\/(\w+)\.(scenario|topology\.json|ledger)/g, '$1.$2')).toContain(
    shown,
  );
});
