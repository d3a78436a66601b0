import { describe, expect, test } from 'vitest';
import { plan } from '../../conformance/sequences/plan.ts';
import { trial } from '../../conformance/trial.ts';
import type { MachineName } from '../../machines/admission.ts';
import type { Machine } from '../../machines/flat-machine.ts';
import { kernelRules } from '../../machines/machines.ts';
import type { Profile } from '../../machines/profile.ts';
import { countOf } from '../support/effort.ts';
import { pretended } from './guest.ts';

/** What a machine does with an event, in any of its machines' terms. */
type Told = { readonly type: string } & Readonly<Record<string, unknown>>;
type Memory = Readonly<Record<string, unknown>>;

/** A machine that is broken on purpose: other memories, another target, or a guard that gives in. */
interface Mutant {
  readonly machine: MachineName;
  readonly profile?: Profile;
  readonly remembers?: (before: Memory, event: Told, after: Memory) => Memory;
  readonly goes?: (from: string, event: Told, to: string | null) => string | null;
  readonly lets?: string;
  /** Operations that it takes to show it at all, where that is more than eight. */
  readonly takes?: number;
}

const on =
  (type: string, change: (before: Memory, after: Memory, event: Told) => Memory) =>
  (before: Memory, event: Told, after: Memory): Memory =>
    event.type === type ? change(before, after, event) : after;

const mutants: Readonly<Record<string, Mutant>> = {
  'a group is open to a second file': { machine: 'group', lets: 'fileClosed' },
  'a bound cdev does not keep group files out': { machine: 'group', lets: 'noCdevBound' },
  'any iommufd is the same': { machine: 'group', lets: 'sameIommufd' },
  'a container is given up while a device is open': { machine: 'groupFile', lets: 'noUsers' },
  'a device is bound twice': { machine: 'device', lets: 'notOpen' },
  'an object goes while it is used': { machine: 'iommufd', lets: 'objectUnused' },
  'the first release of several ends ownership': {
    machine: 'group',
    goes: (_, event, to) =>
      event.type === 'device.released' && event['claim'] === true ? 'unowned' : to,
  },
  'ownership outlives the last release': {
    machine: 'group',
    goes: (from, event, to) => (event.type === 'device.released' ? from : to),
  },
  'a bound cdev is never forgotten': {
    machine: 'group',
    remembers: on('device.released', ({ cdevBound }, after) => ({ ...after, cdevBound })),
  },
  'a container forgets nothing when its last group leaves': {
    machine: 'container',
    goes: (from, event, to) => (event.type === 'container.left' ? from : to),
  },
  'a container keeps counting groups': {
    machine: 'container',
    remembers: on('container.left', (before) => before),
  },
  'a released device leaves its page table behind': {
    machine: 'iommufd',
    remembers: on('device.released', (before, after, { id }) => {
      const objects = new Map(before['objects'] as Map<unknown, unknown>);
      objects.delete(id);
      return { ...after, objects };
    }),
  },
  'opens of a device are not counted down': {
    machine: 'device',
    remembers: on('device.released', ({ opens }, after) => ({ ...after, opens })),
  },
  'the first release of several gives the container up': {
    machine: 'groupFile',
    remembers: on('device.released', (_, after) => ({ ...after, users: 0 })),
  },
  'a dead group file forgets its iommufd': {
    machine: 'groupFile',
    remembers: on('group.died', () => ({ container: null, users: 0 })),
  },
  'a replaced page table keeps a user': {
    machine: 'iommufd',
    takes: 11,
    remembers: (before, event, after) => {
      const attachment = event['attachment'] as { from: number | null; users: number } | undefined;
      if (event.type !== 'device.attached' || attachment?.from == null) return after;
      if (attachment.users < 2) return after;
      const objects = new Map(after['objects'] as Map<unknown, unknown>);
      objects.set(
        attachment.from,
        (before['objects'] as Map<unknown, unknown>).get(attachment.from),
      );
      return { ...after, objects };
    },
  },
};

/** Breaks a machine, and gives what mends it. */
function broken({ machine: name, profile = 'linux-7.3', remembers, goes, lets }: Mutant) {
  const machine = kernelRules(profile).machines[name] as {
    -readonly [key in keyof Machine]: Machine[key];
  };
  const { table } = machine;
  const { guards } = machine.machine.implementations;
  const guard = guards[lets ?? ''];
  return {
    breaks: () => {
      if (lets !== undefined) guards[lets] = () => true;
      if (remembers !== undefined) {
        const record: Machine['table']['record'] = (before: Memory, event: Told) =>
          remembers(before, event, table.record(before, event) as Memory);
        machine.table = { ...table, record };
      }
      if (goes !== undefined) {
        const next: Machine['table']['next'] = (from, memory, event) =>
          goes(from, event as Told, table.next(from, memory, event));
        machine.table = { ...machine.table, next };
      }
    },
    mends: () => {
      if (lets !== undefined && guard !== undefined) guards[lets] = guard;
      machine.table = table;
    },
  };
}

const all = Object.entries(mutants);
const some = all.slice(0, countOf('mutants', { test: all.length, soak: all.length }));
const operations = countOf('operations asked of a mutant', { test: 2000, soak: 2000, full: 4000 });

describe('a machine that is broken on purpose', () => {
  test.each(some)('is found out: %s', async (_, mutant) => {
    const { profile = 'linux-7.3' } = mutant;
    const { breaks, mends } = broken(mutant);
    const real = pretended(profile);
    // The kernel is whole: only what is asked of it, and what is compared with it, is broken.
    const guest = {
      ...real,
      topology: real.topology,
      async perform(...asked: Parameters<typeof real.perform>) {
        mends();
        const answers = await real.perform(...asked);
        breaks();
        return answers;
      },
    };
    breaks();
    try {
      const ask = (operations: number, seed: number) =>
        plan(guest.topology, profile, { operations, seed });
      const found = await trial(
        ask(operations, 5),
        () => ask(2 * operations, 5),
        guest,
        profile,
        () => {},
      );
      expect(found.disagreements).toBeGreaterThan(0);
      const [shortest] = found.shrunk;
      expect(shortest?.answers.length).toBeLessThanOrEqual(mutant.takes ?? 8);
    } finally {
      mends();
    }
  });
});
