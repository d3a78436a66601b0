/**
 * The command line of `npm run conformance`.
 *
 * @module
 */
import { parseArgs } from 'node:util';
import { isProfile, isSince, profiles, type Profile } from '../machines/profile.ts';
import { recordedProfiles } from './recordings.ts';

/** A request that cannot be met as it was put. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

export interface Options {
  readonly profile: Profile;
  readonly operations: number;
  readonly seed: number;
  /** Which emulated host. */
  readonly host: string;
  /** Whether only hosts that live long are asked. */
  readonly isLongLived: boolean;
  /** A scenario or a recording to ask instead of generated sequences. */
  readonly scenario: string | null;
  /** Where to keep the kernel's answers. */
  readonly record: string | null;
  /** Where logs of disagreements are kept. */
  readonly found: string;
  readonly json: boolean;
}

/** What is asked of the recorder. */
export interface RecorderRequest {
  readonly profiles: readonly Profile[];
  /** What records, the program or the script by itself, by what comes of it. */
  readonly mode: 'log' | 'trace';
  readonly scenario: string | null;
  readonly keep: string | null;
}

/** A part of the recordings that is asked again. */
export interface RepeatRequest {
  readonly repeated: readonly Profile[];
  readonly seed: number;
}

const kernels = profiles.filter((profile) => profile.startsWith('linux'));
/** The recorder's scripts are for Linux 6.1 and later. */
const recordable = kernels.filter((profile) => isSince(profile, 'linux-6.1'));

export const usage = `npm run conformance -- --profile P [--operations N] [--seed N]

Boots a real kernel in QEMU, asks it what the machines are asked, and compares every answer.
Exit 0: all agree. 1: some differ; each is shrunk, printed and kept as a log. 2: bad request.
4: something is missing (it says what, and how to get it), or the guest failed.

  --profile P      ${kernels.join(', ')}
  --operations N   how many; 10000 when left out
  --seed N         of the random histories; 1 when left out
  --long-lived     asks only hosts that live long: 60 to 300 operations a sequence
  --host NAME      the emulated host: standard (when left out), other or ports
  --scenario FILE  asks the sequences of a scenario, or those of a recording, instead
  --record FILE    keeps the kernel's answers, as import takes them (.gz: compressed)
  --found FOLDER   where logs of disagreements are kept; conformance/found when left out
  --json           prints one JSON value
  --repeat [P…]    asks one in a hundred operations of each recording again: the answers have to be the
                   recorded ones. --seed chooses which; of all kernels, or of those named
  --report         asks no kernel: writes REPORT.md anew from the recorded answers

  --recorder [P…]  has the host record itself while the kernel is asked, with \`vfio-ledger record\` in
                   the guest, and compares who owned what and what was refused: of linux-6.1,
                   linux-6.12 and linux-7.3, or of those named
  --script         the same with recorder/ftrace.sh by itself, whose trace is imported
  --keep FOLDER    keeps their answers, and what was recorded`;

const whole = (name: string, text: string): number => {
  if (!/^\d{1,9}$/.test(text)) throw new UsageError(`--${name} takes a number, not '${text}'`);
  return Number(text);
};

function kernelNamed(name: string): Profile {
  if (!isProfile(name)) {
    throw new UsageError(`no profile '${name}'; known are ${profiles.join(', ')}`);
  }
  if (!kernels.includes(name)) throw new UsageError(`${name} is no kernel: nobody to ask`);
  return name;
}

/** `help` and `report` ask for no kernel. Throws `UsageError`, or what `parseArgs` throws. */
export function optionsFrom(
  args: readonly string[],
): Options | RecorderRequest | RepeatRequest | 'help' | 'report' {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: args.includes('--recorder') || args.includes('--repeat'),
    options: {
      profile: { type: 'string' },
      operations: { type: 'string', default: '10000' },
      seed: { type: 'string', default: '1' },
      'long-lived': { type: 'boolean', default: false },
      host: { type: 'string', default: 'standard' },
      scenario: { type: 'string' },
      record: { type: 'string' },
      found: { type: 'string', default: new URL('found', import.meta.url).pathname },
      json: { type: 'boolean', default: false },
      report: { type: 'boolean', default: false },
      repeat: { type: 'boolean', default: false },
      recorder: { type: 'boolean', default: false },
      script: { type: 'boolean', default: false },
      keep: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return 'help';
  if (values.report) return 'report';
  const named = values.profile === undefined ? positionals : [values.profile, ...positionals];
  if (values.repeat) {
    const repeated = (named.length > 0 ? named : recordedProfiles()).map(kernelNamed);
    return { repeated, seed: whole('seed', values.seed) };
  }
  if (values.recorder) {
    return {
      profiles: (named.length > 0 ? named : recordable).map(kernelNamed),
      mode: values.script ? 'trace' : 'log',
      scenario: values.scenario ?? null,
      keep: values.keep ?? null,
    };
  }
  if (values.profile === undefined) throw new UsageError('--profile is missing');
  const profile = kernelNamed(values.profile);
  if (values.record === '') throw new UsageError('--record takes a file');
  return {
    profile,
    operations: whole('operations', values.operations),
    seed: whole('seed', values.seed),
    isLongLived: values['long-lived'],
    host: values.host,
    scenario: values.scenario ?? null,
    record: values.record ?? null,
    found: values.found,
    json: values.json,
  };
}
