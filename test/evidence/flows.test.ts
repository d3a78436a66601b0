/**
 * Whole flows that were recorded in guests by three recorders at once with what the kernel answered:
 * deep states, killed and executed processes, descriptors that are passed on, drivers that go.
 *
 * What a recording tells is what the kernel did, or it is unknown; it is never anything else.
 *
 * @module
 */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { openLedger, type Ledger } from '../../ledger.ts';
import type { Profile } from '../../machines/profile.ts';
import { isCampaign } from '../support/effort.ts';

type Recorder = 'ftrace' | 'bpftrace' | 'strace';
const endings = { ftrace: 'ftrace.txt', bpftrace: 'bpftrace.jsonl', strace: 'strace.txt' } as const;
const all = ['ftrace', 'bpftrace', 'strace'] as const;
const recorders = isCampaign ? all : all.slice(1, 2);

const flows: readonly [name: string, profile: Profile][] = [
  ['any', 'linux-7.3'],
  ['questions', 'linux-7.3'],
  ['drivers', 'linux-7.3'],
  ['any', 'linux-6.1'],
];
const recordings = (isCampaign ? flows : flows.slice(0, 1)).flatMap(([name, profile]) =>
  recorders.map((recorder): [string, Profile, Recorder] => [name, profile, recorder]),
);

function read(name: string, profile: Profile, ending: string): string {
  const url = new URL(`flows/${profile}/${name}.${ending}.gz`, import.meta.url);
  return gunzipSync(readFileSync(url)).toString();
}

const ledgers = new Map<string, Promise<Ledger>>();

function once(key: string, make: () => Promise<Ledger>): Promise<Ledger> {
  const known = ledgers.get(key) ?? make();
  ledgers.set(key, known);
  return known;
}

function kernelOf(name: string, profile: Profile): Promise<Ledger> {
  return once(`${name} ${profile}`, async () => {
    const ledger = await openLedger(':memory:');
    await ledger.import(read(name, profile, 'answers.jsonl'), { format: 'truth', profile });
    return ledger;
  });
}

function recorded(name: string, profile: Profile, recorder: Recorder): Promise<Ledger> {
  return once(`${name} ${profile} ${recorder}`, async () => {
    const [topology] = read(name, profile, 'answers.jsonl').split('\n', 1);
    const ledger = await openLedger(':memory:');
    await ledger.import(read(name, profile, endings[recorder]), { profile, topology });
    return ledger;
  });
}

/** Of anybody's descriptors, of memory, or made by writing to a file: no recorder shows them all. */
const untraced = new Set(['bg_wait', 'close', 'dup', 'mmap', 'read', 'send', 'set_driver']);

interface Refused {
  readonly attempt: string;
  readonly cause: string;
}

function refusalsOf(ledger: Ledger): Refused[] {
  return ledger.log({ refused: true }).flatMap(({ position }) => {
    const { operation, errno, cause } = ledger.why(position);
    // A node that is not there has no kind; of what is no file of ours nobody tells.
    const name = operation === 'open_cdev' && errno === 'ENOENT' ? 'open_path' : operation;
    if (untraced.has(operation) || (operation === 'bind' && errno === 'ENOTTY')) return [];
    return [{ attempt: `${name} ${errno}`, cause }];
  });
}

/**
 * What hangs on something that a recorder does not show: the arguments of an ioctl, the driver that a
 * device has by now.
 */
const hidden = new Set(['container-empty', 'device-leaving', 'group-dead', 'malformed-argument']);

/** The kinds of owners that a group had one after the other, without those that nobody knows. */
function ownersOf(ledger: Ledger, group: string): string[] {
  let last = '';
  return ledger.history(`g${group}`).flatMap(({ owner: { kind, file } }) => {
    const key = `${kind} ${file}`;
    const isNew = key !== last && (kind === 'iommufd' || kind === 'container');
    last = key;
    return isNew ? [kind] : [];
  });
}

function isWithin(some: readonly string[], all: readonly string[]): boolean {
  let at = 0;
  for (const one of all) if (one === some[at]) at++;
  return at === some.length;
}

const groups = ['1', '2', '3', '7', '10', '12'];

describe.concurrent.each(recordings)('%s on %s by %s', (name, profile, recorder) => {
  test('shows what was refused, with its cause or none', async () => {
    const [kernel, trace] = [
      refusalsOf(await kernelOf(name, profile)),
      refusalsOf(await recorded(name, profile, recorder)),
    ];
    expect(trace.map(({ attempt }) => attempt)).toEqual(kernel.map(({ attempt }) => attempt));
    const others = kernel.flatMap(({ attempt, cause }, index) => {
      const told = trace[index]?.cause;
      return told === cause || told === 'unknown' ? [] : [{ attempt, cause, told }];
    });
    expect(others.filter(({ cause }) => !hidden.has(cause))).toEqual([]);
    const known = trace.filter(({ cause }) => cause !== 'unknown').length;
    // strace shows no state of a file that was open before it was attached.
    expect(known / trace.length).toBeGreaterThan(recorder === 'strace' ? 0.75 : 0.8);
  });

  test('shows who owned, and nobody else', async () => {
    const [kernel, trace] = [
      await kernelOf(name, profile),
      await recorded(name, profile, recorder),
    ];
    for (const group of groups) {
      const [wanted, seen] = [ownersOf(kernel, group), ownersOf(trace, group)];
      expect(isWithin(seen, wanted), `${group}: ${seen.join()} of ${wanted.join()}`).toBe(true);
      if (name === 'any' && recorder !== 'strace') expect(seen).toEqual(wanted);
    }
    const broken = trace.verify().faults.filter(({ kind }) => kind === 'invariant');
    expect(broken).toEqual([]);
  });
});
