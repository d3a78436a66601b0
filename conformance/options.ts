/**
 * The command line of `npm run conformance`.
 *
 * @module
 */
import { parseArgs } from 'node:util';
import { isProfile, profiles, type Profile } from '../machines/profile.ts';

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
  /** A scenario or a recording to ask instead of generated sequences. */
  readonly scenario: string | null;
  /** Where to keep the kernel's answers. */
  readonly record: string | null;
  /** Where logs of disagreements are kept. */
  readonly found: string;
  readonly json: boolean;
}

export const usage = `npm run conformance -- --profile P [--operations N] [--seed N]

Boots a real kernel in QEMU, asks it what the machines are asked, and compares every answer.
Exit 0: all agree. 1: some differ; each is shrunk, printed and kept as a log. 2: bad request.
4: something is missing (it says what, and how to get it), or the guest failed.

  --profile P      ${profiles.filter((profile) => profile.startsWith('linux')).join(', ')}
  --operations N   how many; 10000 when left out
  --seed N         of the random histories; 1 when left out
  --host NAME      the emulated host: standard (when left out) or other
  --scenario FILE  asks the sequences of a scenario, or those of a recording, instead
  --record FILE    keeps the kernel's answers, as import takes them (.gz: compressed)
  --found FOLDER   where logs of disagreements are kept; conformance/found when left out
  --json           prints one JSON value
  --report         asks no kernel: writes REPORT.md anew from the recorded answers`;

const whole = (name: string, text: string): number => {
  if (!/^\d{1,9}$/.test(text)) throw new UsageError(`--${name} takes a number, not '${text}'`);
  return Number(text);
};

/** `help` and `report` ask for no kernel. Throws `UsageError`, or what `parseArgs` throws. */
export function optionsFrom(args: readonly string[]): Options | 'help' | 'report' {
  const { values } = parseArgs({
    args: [...args],
    options: {
      profile: { type: 'string' },
      operations: { type: 'string', default: '10000' },
      seed: { type: 'string', default: '1' },
      host: { type: 'string', default: 'standard' },
      scenario: { type: 'string' },
      record: { type: 'string' },
      found: { type: 'string', default: new URL('found', import.meta.url).pathname },
      json: { type: 'boolean', default: false },
      report: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return 'help';
  if (values.report) return 'report';
  const { profile } = values;
  if (profile === undefined) throw new UsageError('--profile is missing');
  if (!isProfile(profile)) {
    throw new UsageError(`no profile '${profile}'; known are ${profiles.join(', ')}`);
  }
  if (!profile.startsWith('linux')) throw new UsageError(`${profile} is no kernel: nobody to ask`);
  if (values.record === '') throw new UsageError('--record takes a file');
  return {
    profile,
    operations: whole('operations', values.operations),
    seed: whole('seed', values.seed),
    host: values.host,
    scenario: values.scenario ?? null,
    record: values.record ?? null,
    found: values.found,
    json: values.json,
  };
}
