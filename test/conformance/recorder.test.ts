/**
 * What was recorded once in guests, by the recorder as it is shipped, beside what the kernels answered
 * there; kept by `npm run conformance -- --recorder --keep`, and `--script`.
 */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import type { ArchiveEntry } from '../../conformance/initramfs.ts';
import { optionsFrom } from '../../conformance/options.ts';
import { comparisonOf } from '../../conformance/recorder/check.ts';
import { librariesIn, withFolders } from '../../conformance/recorder/overlay.ts';
import type { RecordedRun } from '../../conformance/recorder/run.ts';
import { joined } from '../../conformance/recorder/sequence.ts';
import { parseScenario } from '../../host/simulation.ts';
import { recording } from '../support/truth.ts';
import { inCampaigns, isCampaign, someOf } from '../support/effort.ts';

const kernels = ['linux-6.1', 'linux-6.12', 'linux-7.3'] as const;
const compared = isCampaign ? kernels : (['linux-7.3'] as const);
const modes = { trace: 'trace.txt.gz', log: 'log.jsonl.gz' } as const;
type Kernel = (typeof kernels)[number];

function runOf(profile: Kernel, mode: keyof typeof modes, scenario = ''): RecordedRun {
  const folder = new URL(`../evidence/recorded/${profile}/${scenario}`, import.meta.url);
  const read = (name: string) => gunzipSync(readFileSync(new URL(name, folder))).toString();
  return { mode, answers: read('answers.jsonl.gz'), recorded: read(modes[mode]) };
}

/** The first line that matches, by its number. */
function lineOf(text: string, pattern: RegExp): number {
  const index = text.split('\n').findIndex((line) => pattern.test(line));
  expect(index).toBeGreaterThan(0);
  return index;
}

describe.concurrent('a recording tells what the kernel answered', () => {
  test.each(compared)('%s, by the script', async (profile) => {
    const { differences, statements } = await comparisonOf(runOf(profile, 'trace'), profile);
    expect(differences).toEqual([]);
    expect(statements).toBeGreaterThan(60);
  });

  // The scenarios of that name in conformance/questions/.
  test.each(someOf(['mappers', 'pasid'], 2))('linux-7.3, by the script: %s', async (scenario) => {
    const run = runOf('linux-7.3', 'trace', `${scenario}/`);
    const { differences, statements } = await comparisonOf(run, 'linux-7.3');
    expect(differences).toEqual([]);
    expect(statements).toBeGreaterThan(60);
  });

  test.each(compared)('%s, by the program', async (profile) => {
    const { differences, events } = await comparisonOf(runOf(profile, 'log'), profile);
    expect(differences).toEqual([]);
    expect(events).toBeGreaterThan(300);
  });
});

describe.concurrent.each(inCampaigns)('what a recorder misses is told, %s', () => {
  const without = (pattern: RegExp) => {
    const run = runOf('linux-7.3', 'trace');
    const lines = run.recorded.split('\n');
    lines.splice(lineOf(run.recorded, pattern), 1);
    return comparisonOf({ ...run, recorded: lines.join('\n') }, 'linux-7.3');
  };
  const abouts = async (pattern: RegExp) =>
    (await without(pattern)).differences.map(({ about }) => about);

  test('an owner that was not seen', async () => {
    expect(await abouts(/ cdev_ioctl_ret: .* ret=0$/)).toEqual(
      expect.arrayContaining(['owners of g3', 'owners of 0000:00:04.0']),
    );
  });

  test('a refusal that was not seen', async () => {
    const { differences } = await without(/ cdev_ioctl_ret: .* ret=-1$/);
    expect(differences).toEqual([
      {
        about: 'refusal 1',
        kernel: 'P1 bind: EPERM, owned-by-other-iommufd',
        recorded: 'P1 open_group: EBUSY, cdev-bound-in-group',
      },
    ]);
  });

  test('a driver that was not seen to go', async () => {
    expect(await abouts(/ unbind_store_ret: /)).toEqual(
      expect.arrayContaining(['owners of 0000:00:02.0']),
    );
  });

  test('a holder that was not seen', async () => {
    const { differences } = await without(/ task_newtask: pid=\d+ comm=P1 /);
    const about = differences.find((difference) => difference.about === 'owners of g1');
    expect(about?.kernel).toMatch(/^none > iommufd\[P1 P2 P3\] > /);
    // P3 got the file from P2: nobody saw from whom, but a later line shows that it has it.
    expect(about?.recorded).toMatch(/^none > iommufd\[P1 P3\] > none > /);
  });

  test('another answer of the kernel', async () => {
    const run = runOf('linux-7.3', 'log');
    const answers = run.answers.replace('"rc":-1,"errno":"EPERM"', '"rc":0,"devid":1');
    const { differences } = await comparisonOf({ ...run, answers }, 'linux-7.3');
    expect(differences.map(({ about }) => about)).toContain('refusal 1');
  });
});

describe('sequences as one', () => {
  const { topology } = recording('linux-7.3', 'questions');
  const texts = (scenario: string) =>
    joined('all', parseScenario(scenario), topology).operations.map(
      ({ process, text }) => `@${process} ${text}`,
    );

  test('each ends all that it has begun', () => {
    const scenario = 'seq a\n@P2 open_iommufd I\n@P2 fork P3\n@P3 send I P5\nseq b\nspawn P4';
    expect(texts(scenario)).toEqual([
      '@P2 open_iommufd I',
      '@P2 fork P3',
      '@P3 send I P5',
      ...['P2', 'P3', 'P5'].map((process) => `@P1 kill ${process}`),
      '@P1 spawn P4',
      ...['P1', 'P4'].map((process) => `@P1 kill ${process}`),
    ]);
  });

  test('drivers are put back, once nobody waits for them', () => {
    const scenario = 'open_cdev A d0\nset_driver d0 none\nset_driver u0 e1000\nset_driver u0 none';
    expect(texts(scenario).slice(4)).toEqual([
      '@P1 kill P1',
      '@P1 bg_wait 12000',
      '@P1 set_driver d0 vfio-pci ms=3000',
    ]);
  });
});

test('the libraries of a program are those that ldd names', () => {
  const listing = [
    '\tlinux-vdso.so.1 (0x00007fbb0745d000)',
    '\tlibdl.so.2 => /lib/x86_64-linux-gnu/libdl.so.2 (0x00007fbb07447000)',
    '\tlibnone.so => not found',
    '\t/lib64/ld-linux-x86-64.so.2 (0x00007fbb0745f000)',
  ];
  expect(librariesIn(listing.join('\n'))).toEqual([
    '/lib/x86_64-linux-gnu/libdl.so.2',
    '/lib64/ld-linux-x86-64.so.2',
  ]);
  expect(librariesIn('\tnot a dynamic executable\n')).toEqual([]);
});

test('an archive has each folder once, before what is in it', () => {
  const file = (path: string): ArchiveEntry => ({ path, content: Buffer.from('x') });
  const entries = [{ path: 'bin', content: null }, file('bin/node'), file('/lib/a/b.so')];
  const paths = withFolders([...entries, file('lib/a/c.so'), file('lib/d')]);
  expect(paths.map(({ path, content }) => (content === null ? `${path}/` : path))).toEqual([
    'bin/',
    'bin/node',
    'lib/',
    'lib/a/',
    'lib/a/b.so',
    'lib/a/c.so',
    'lib/d',
  ]);
});

describe('the command line', () => {
  test('all kernels are recorded by the program unless others are named', () => {
    const all = { profiles: kernels, mode: 'log', scenario: null, keep: null };
    expect(optionsFrom(['--recorder'])).toEqual(all);
    expect(optionsFrom(['--recorder', '--script', 'linux-7.3', '--keep', 'x'])).toEqual({
      ...all,
      profiles: ['linux-7.3'],
      mode: 'trace',
      keep: 'x',
    });
  });

  test.each([
    [['--recorder', 'linux-9'], /no profile 'linux-9'/],
    [['--recorder', 'rfc-2021'], /rfc-2021 is no kernel/],
    [['linux-7.3'], /Unexpected argument/],
  ])('%j is a bad request', (args, reason) => {
    expect(() => optionsFrom(args)).toThrow(reason);
  });
});
