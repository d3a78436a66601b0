import { describe, expect, test } from 'vitest';
import { parseScenario, simulate, type SimulatedAnswer } from '../../../host/simulation.ts';
import { type Ledger, openLedger, type RecordedEvent, type Why } from '../../../ledger.ts';
import type { Profile } from '../../../machines/profile.ts';
import type { Topology } from '../../../scenario/topology.ts';
import { kernelsAsked, recording } from '../../support/truth.ts';
import { sha256 } from '../../../log/hash.ts';

/** A sequence as lines of the scenario language. */
interface Sequence {
  readonly name: string;
  readonly lines: readonly string[];
}

/** The process that tries again, and keeps the caller's own files open meanwhile. */
const RETRIER = 'P8';

function sequencesOf(profile: Profile): { topology: Topology; sequences: Sequence[] } {
  const { topology, answers } = recording(profile, 'questions');
  const sequences = new Map<string, string[]>();
  for (const { seq, p, op } of answers) {
    const lines = sequences.get(seq) ?? [];
    sequences.set(seq, [...lines, /^P\d$/.test(p) ? `@${p} ${op}` : op]);
  }
  return { topology, sequences: [...sequences].map(([name, lines]) => ({ name, lines })) };
}

function answersTo(
  lines: readonly string[],
  topology: Topology,
  profile: Profile,
): SimulatedAnswer[] {
  const steps = [
    ...simulate(parseScenario(lines.join('\n')), topology, profile, { seed: '', digest: sha256 }),
  ];
  return steps.flatMap(({ answer }) => answer ?? []);
}

/** The answer to a marked line of a scenario. */
function answerAt(lines: readonly string[], index: number, topology: Topology, profile: Profile) {
  return answersTo(lines, topology, profile)[index];
}

/** What the call of a line names of the caller's own files. */
function ownNames(line: string): string[] {
  const [, operation = '', ...operands] = line.split(/\s+/);
  const [first = '', second = ''] = operands;
  switch (operation) {
    case 'open_cdev':
    case 'open_group':
    case 'open_path':
    case 'set_driver':
      return [];
    case 'bind':
    case 'set_container':
      return [first, second];
    case 'get_device':
    case 'mmap':
    case 'dup':
      return [second];
    case 'hot_reset':
      return operands;
    case 'alloc_hwpt':
      return [first];
    default:
      return [first];
  }
}

interface Case {
  readonly sequence: Sequence;
  readonly topology: Topology;
  readonly profile: Profile;
  /** Index of the refused line, and of the line that each position belongs to. */
  readonly refused: number;
  readonly lineAt: ReadonlyMap<number, number>;
  readonly ledger: Ledger;
  readonly why: Why;
}

async function casesOf(profile: Profile): Promise<Case[]> {
  const { topology, sequences } = sequencesOf(profile);
  const cases: Case[] = [];
  for (const sequence of sequences) {
    const ledger = await openLedger(':memory:');
    const answers = await ledger.simulate(sequence.lines.join('\n'), { profile, topology });
    const lineAt = new Map<number, number>();
    for (const [line, { position }] of answers.entries()) {
      if (!lineAt.has(position)) lineAt.set(position, line);
    }
    for (const [refused, { rc, position }] of answers.entries()) {
      if (rc !== -1) continue;
      cases.push({
        sequence,
        topology,
        profile,
        refused,
        lineAt,
        ledger,
        why: ledger.why(position),
      });
    }
  }
  return cases;
}

/** The sequence and topology without what stands at some positions, nor what was refused before. */
function leaveOut(
  { sequence, topology, lineAt, ledger, refused }: Case,
  positions: readonly number[],
) {
  const lines = new Set(positions.flatMap((position) => lineAt.get(position) ?? []));
  const refusals = new Set(
    [...lineAt].flatMap(([at, line]) =>
      ledger.events[at]?.type === 'operation.refused' ? line : [],
    ),
  );
  const drivers = new Set(
    positions.flatMap((position) => {
      const event = ledger.events[position];
      return event?.type === 'device.added' ? event.data.device : [];
    }),
  );
  return {
    lines: sequence.lines
      .slice(0, refused + 1)
      .filter((_line, index) => !lines.has(index) && (index === refused || !refusals.has(index))),
    topology: {
      ...topology,
      devices: topology.devices.map((d) => (drivers.has(d.bdf) ? { ...d, driver: null } : d)),
    },
  };
}

/**
 * Whether a call took what a map had taken. The range of the first map is in its event, but neither an
 * unmap nor any later map is an event: a log cannot say that the range was taken by this one.
 */
const isOfUnseenRange = ({ ledger, why }: Case, position: number): boolean =>
  why.errno === 'EEXIST' &&
  why.cause === 'not-ownership' &&
  ledger.events[position]?.type === 'ioas.mapped';

function isRefusedWithout(one: Case, positions: readonly number[]): boolean {
  const { lines, topology } = leaveOut(one, positions);
  return answerAt(lines, lines.length - 1, topology, one.profile)?.rc === -1;
}

/** The line with the ids of its objects in the place of names, which another process has not. */
function withIds(line: string, event: RecordedEvent | undefined): string {
  const words = line.split(' ');
  const data = (event?.data ?? {}) as Readonly<Record<string, unknown>>;
  const id = data['pt'] ?? data['object'] ?? data['ioas'];
  if (typeof id !== 'number' || data['operation'] === 'compat_ioas') return line;
  const place = words.findIndex((word) => word === data['operation']) + 2;
  return words.with(place, `:${id}`).join(' ');
}

/** Whether the refused call passes when it is made again right after a line. */
function passesAfter(
  { sequence, topology, profile, refused, ledger, why }: Case,
  after: number,
): boolean {
  const line = sequence.lines[refused] ?? '';
  const [at = ''] = line.split(' ');
  const caller = at.startsWith('@') ? at : '@P1';
  const again = at.startsWith('@') ? line.replace(/^@P\d/, `@${RETRIER}`) : line;
  const numbered = withIds(again, ledger.events[why.position]);
  const keep = ownNames(at.startsWith('@') ? line : `@P1 ${line}`).map(
    (name) => `${caller} send ${name} ${RETRIER} ${name}`,
  );
  const head = [...sequence.lines.slice(0, refused + 1), ...keep];
  const lines = [...head, ...sequence.lines.slice(refused + 1, after + 1), numbered];
  return answerAt(lines, lines.length - 1, topology, profile)?.rc !== -1;
}

/** Calls on a number that stands for nothing have no file to keep, and no way to be made elsewhere. */
function hasOwnFiles({ why }: Case): boolean {
  return !['bad-descriptor', 'driver-change-pending', 'no-driver-change'].includes(why.cause);
}

const nameOf = ({ sequence, refused, why }: Case) =>
  `${sequence.name} #${refused} ${sequence.lines[refused]}: ${why.cause}`;

describe.each(kernelsAsked('questions'))('every refusal in the questions, on %s,', (profile) => {
  const cases = casesOf(profile);

  test('has a cause that the rules know, and a sentence for it', async () => {
    for (const { why } of await cases) {
      expect(why.cause).not.toBe('unknown');
      expect(why.summary.length).toBeGreaterThan(10);
    }
  });

  test('would have passed without what it is because of', async () => {
    for (const one of await cases) {
      const { because } = one.why;
      if (because.length === 0) continue;
      expect(isRefusedWithout(one, because), nameOf(one)).toBe(false);
      for (const spared of because.length > 1 ? because : []) {
        const fewer = because.filter((position) => position !== spared);
        expect(isRefusedWithout(one, fewer), `${nameOf(one)} but ${spared}`).toBe(true);
      }
    }
  });

  test('is because of nothing only where nothing that was done made it', async () => {
    for (const one of await cases) {
      if (one.why.because.length > 0) continue;
      for (const position of one.lineAt.keys()) {
        if ((one.lineAt.get(position) ?? 0) >= one.refused) continue;
        if (isOfUnseenRange(one, position)) continue;
        expect(isRefusedWithout(one, [position]), `${nameOf(one)} without ${position}`).toBe(true);
      }
    }
  });

  test('would pass right after what would let it through, and not before', async () => {
    for (const one of (await cases).filter(hasOwnFiles)) {
      const { wouldPassAfter } = one.why;
      const let_through = wouldPassAfter === null ? null : one.lineAt.get(wouldPassAfter);
      const last = one.sequence.lines.length - 1;
      for (let line = one.refused; line < (let_through ?? last); line++) {
        expect(passesAfter(one, line), `${nameOf(one)} again after #${line}`).toBe(false);
      }
      if (let_through != null) expect(passesAfter(one, let_through), nameOf(one)).toBe(true);
    }
  });

  test('names somebody who stands in the way where somebody does', async () => {
    const inTheWay =
      /^(group-|cdev-bound|owned-by|device-open|container-in-use|sibling|device-leaving|object-in)/;
    for (const one of await cases) {
      if (!inTheWay.test(one.why.cause) || one.why.cause === 'group-dead') continue;
      expect(one.why.blocker, nameOf(one)).not.toBeNull();
      const { kind, holders = [] } = one.why.blocker ?? {};
      if (kind !== 'driver') expect(holders.length, nameOf(one)).toBeGreaterThan(0);
    }
  });
});
