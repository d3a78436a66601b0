/**
 * Raw events judged for the first time: every check, every holder, every lineage.
 *
 * @module
 */
import type { LedgerEvent, Placed } from '../events/vocabulary.ts';
import { callOf } from '../operations/table.ts';
import type { Kernel } from '../machines/kernel.ts';
import { LiveHost } from '../machines/live-host.ts';
import { type SubjectKey, noteSubjects } from '../projections/subjects.ts';
import { type Contest, hold } from './contest.ts';
import type { Figure } from './figure.ts';
import { hostHistory } from './host.ts';
import type { Measurement } from './measurement.ts';
import { actorKernel, transitionKernel } from './peers/xstate.ts';

/** In a turn. A log of any length is judged at the same pace. */
const SIZE = 5000;

interface Peer {
  readonly beside: string;
  readonly kernel: () => Kernel;
  /** How many times as fast ours is to be. */
  readonly target?: number;
}

const PEERS: readonly Peer[] = [
  { beside: "XState's transition() for the tables", kernel: transitionKernel, target: 100 },
  { beside: 'an XState actor for each machine', kernel: actorKernel },
];

export const firstJudging: Figure = async (run) => {
  const events = [...hostHistory(SIZE)].map((event, position) => ({ ...event, position }));
  const taken: Measurement[] = [];
  for (const peer of PEERS) {
    const measured = await hold(contestOf(peer, events), run);
    if (measured !== null) taken.push(measured);
  }
  return taken;
};

function contestOf(
  { beside, kernel, target }: Peer,
  events: readonly Placed<LedgerEvent>[],
): Contest {
  return {
    name: 'events judged for the first time',
    beside,
    ...(target !== undefined && { target }),
    size: events.length,
    async start() {
      const ours = () => judgeAll(events, new LiveHost());
      return {
        turn: () => ({ ours, peer: () => judgeAll(events, new LiveHost({ kernel: kernel() })) }),
        end: async () => {},
      };
    },
  };
}

/** What is kept of events once they are judged. */
interface Judged {
  /** By subject, the events that concern it: a file's are its lineage. */
  readonly positions: ReadonlyMap<SubjectKey, readonly number[]>;
  /** Groups in the order in which they changed hands, and whose they are from then on. */
  readonly changes: readonly string[];
}

/** Judges events, each on the host as it stood. Throws where the rules and the events disagree. */
export function judgeAll(events: readonly Placed<LedgerEvent>[], host: LiveHost): Judged {
  const positions = new Map<SubjectKey, number[]>();
  const owners = new Map<string, string | null>();
  const changes: string[] = [];
  for (const event of events) {
    if (!isExplained(host, event)) throw new Error(`the rules are against ${event.position}`);
    noteSubjects(host, event, (kind, id) => {
      const key: SubjectKey = `${kind} ${id}`;
      const known = positions.get(key);
      if (known === undefined) positions.set(key, [event.position]);
      else if (known.at(-1) !== event.position) known.push(event.position);
    });
    host.take(event);
    for (const group of host.touched.groups) {
      const owner = host.group(group)?.owner ?? null;
      if ((owners.get(group) ?? null) === owner) continue;
      owners.set(group, owner);
      changes.push(`${event.position} ${group} ${owner}`);
    }
  }
  return { positions, changes };
}

function isExplained(host: LiveHost, event: Placed<LedgerEvent>): boolean {
  if (event.type === 'operation.refused') {
    return host.explain(event.data).cause !== 'unknown';
  }
  const called = callOf(event);
  return called === null || host.objection(called.call) === null;
}
