/**
 * Replay of all of a log, beside what others would replay.
 *
 * @module
 */
import { join } from 'node:path';
import { type Contest, hold } from './contest.ts';
import type { Figure, Run } from './figure.ts';
import type { Measurement } from './measurement.ts';
import { emmettInMemory, emmettOnSqlite, fill, foldStream, MOST_EVENTS } from './peers/emmett.ts';
import { foldLines } from './peers/json-lines.ts';
import { foldRows } from './peers/sqlite-rows.ts';
import { columnsOf, foldColumns } from './peers/typed-arrays.ts';
import { replaySegments } from './replay-segments.ts';

type Replay = () => unknown;

interface Peer {
  readonly name: string;
  /** Makes it ready to replay so many events; null where it is not there. */
  readonly ready: (run: Run, events: number) => Promise<Replay | null>;
  readonly most?: number;
}

const PEERS: readonly Peer[] = [
  {
    name: 'a bare fold over typed arrays',
    async ready(_run, events) {
      const columns = columnsOf(events);
      return () => foldColumns(columns);
    },
  },
  {
    name: 'a fold over JSON lines',
    async ready({ logs }, events) {
      const path = await logs.lines(events);
      return async () => foldLines(path);
    },
  },
  {
    name: 'a fold over rows of node:sqlite',
    async ready({ logs }, events) {
      const { path } = await logs.at(events);
      return () => foldRows(path);
    },
  },
  emmett('Emmett in memory', emmettInMemory),
  emmett('Emmett on SQLite', emmettOnSqlite),
];

function emmett(name: string, find: typeof emmettInMemory): Peer {
  return {
    name,
    most: MOST_EVENTS,
    async ready({ folder }, events) {
      const open = await find();
      if (open === null) return null;
      const store = open(join(folder, `emmett-${events}.db`));
      await fill(store, events);
      return async () => foldStream(store);
    },
  };
}

export const replay: Figure = async (run) => {
  const taken: Measurement[] = [];
  for (const peer of PEERS) {
    const { most = Infinity } = peer;
    const lengths = new Set(run.lengths.map((length) => Math.min(length, most)));
    for (const events of lengths) {
      const measured = await hold(await contestOf(peer, run, events), run);
      if (measured !== null) taken.push(measured);
    }
  }
  return taken;
};

async function contestOf(peer: Peer, run: Run, events: number): Promise<Contest> {
  const { path } = await run.logs.at(events);
  return {
    name: 'events replayed',
    beside: peer.name,
    size: events,
    events,
    isLong: true,
    async start() {
      const theirs = await peer.ready(run, events);
      if (theirs === null) return null;
      const ours = async () => replaySegments(path);
      return { turn: () => ({ ours, peer: theirs }), end: async () => {} };
    },
  };
}
