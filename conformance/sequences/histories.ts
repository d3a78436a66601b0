/**
 * Random histories: ways to devices, interleaved, broken off and disturbed, which seek out the
 * situations that have been met least.
 *
 * @module
 */
import fc from 'fast-check';
import type { Sequence } from '../../host/simulation.ts';
import type { Profile } from '../../machines/profile.ts';
import type { OperationStatement, ProcessName } from '../../scenario/language.ts';
import type { Topology } from '../../scenario/topology.ts';
import { SequenceDraft } from './draft.ts';
import { moveOf, wayOf, type Pick, type MoveContext } from './moves.ts';
import { rolesOn, type Roles } from './roles.ts';
import { situationOf } from './situation.ts';

/** Drafts of an operation, of which the one in the rarest situation is taken. */
const DRAFTS = 4;

const lengths = Array.from({ length: 15 }, (_, index) => index + 10);
const three = [1, 2, 3] as const;

/** A way that a process is on: the lines that are left. */
interface Way {
  readonly process: ProcessName;
  readonly lines: string[];
}

/** Random histories on a host without end; the same ones for the same seed. */
export function* histories(
  topology: Topology,
  profile: Profile,
  seed: number,
): Generator<Sequence, never> {
  const met = new Map<string, number>();
  const casts = rolesOn(topology);
  for (let number = 0; ; number++) {
    const pick = pickOf(seed + number * 0x9e37);
    const name = `history.${seed}.${number}`;
    yield {
      name,
      operations: history(new SequenceDraft(topology, profile), pick(casts), pick, met),
    };
  }
}

/** fast-check's own generator draws, so that a seed says all. */
function pickOf(seed: number): Pick {
  const [draw] = fc.sample(fc.gen(), { seed, numRuns: 1 });
  if (draw === undefined) throw new RangeError('fast-check gave no sample');
  return (among) => {
    const index = draw(fc.nat, among.length - 1);
    const picked = among[index];
    if (picked === undefined) throw new RangeError('nothing to pick from');
    return picked;
  };
}

function history(
  draft: SequenceDraft,
  roles: Roles,
  pick: Pick,
  met: Map<string, number>,
): OperationStatement[] {
  const length = pick(lengths);
  const seat = (process: ProcessName): MoveContext => ({ draft, pick, roles, process });
  const ways = ['A', 'B', 'C'].slice(0, pick(three)).map((mark): Way => {
    const process: ProcessName = `P${pick(three)}`;
    return { process, lines: [...wayOf(seat(process), mark)] };
  });
  while (draft.statements.length < length) {
    const open = ways.filter(({ lines }) => lines.length > 0);
    const way = open.length > 0 && pick(three) > 1 ? pick(open) : null;
    const line = way?.lines.shift();
    const statement =
      way === null || line === undefined
        ? rarest(() => disturbance(seat(pick(draft.processes))), draft, met)
        : draft.statement(way.process, line);
    const { kind } = situationOf(draft.host, statement);
    met.set(kind, (met.get(kind) ?? 0) + 1);
    draft.play(statement);
    if (draft.processes.length === 0) break;
  }
  return draft.statements;
}

function disturbance(table: MoveContext): OperationStatement {
  return table.draft.statement(table.process, moveOf(table));
}

function rarest(
  make: () => OperationStatement,
  { host }: SequenceDraft,
  met: ReadonlyMap<string, number>,
): OperationStatement {
  const drafts = Array.from({ length: DRAFTS }, make).map((statement) => {
    return { statement, times: met.get(situationOf(host, statement).kind) ?? 0 };
  });
  return drafts.reduce((best, one) => (one.times < best.times ? one : best)).statement;
}
