/**
 * Replay of all of a log, beside what others would replay.
 *
 * @module
 */
import { join } from 'node:path';
import { type Contest, hold } from './contest.ts';
import { type Figure, type LogKind, ofEachHost, type Run } from './figure.ts';
import type { Measurement } from './measurement.ts';
import { changesOf, foldChanges } from './peers/bare-table.ts';
import { emmettInMemory, emmettOnSqlite, fill, foldStream, MOST_EVENTS } from './peers/emmett.ts';
import { foldLines } from './peers/json-lines.ts';
import { foldRows } from './peers/sqlite-rows.ts';
import { columnsOf, foldColumns } from './peers/typed-arrays.ts';
import { replaySegments, segmentsOf } from './replay-segments.ts';

type PeerRun = () => unknown;

interface Peer {
  readonly name: string;
  /** Makes it ready to replay a log; null where it is not there. */
  readonly ready: (run: Run, of: LogKind) => Promise<PeerRun | null>;
  /** Whether it replays any host, and not the whole one alone. */
  readonly isOfAny?: boolean;
  readonly most?: number;
  /** The part of its throughput that ours is to reach. */
  readonly target?: number;
  /** Whether it reads from a disk, and so have we to. */
  readonly isOnDisk?: boolean;
}

const PEERS: readonly Peer[] = [
  {
    name: 'a bare fold over typed arrays to the same table',
    target: 0.4,
    isOfAny: true,
    async ready({ logs }, of) {
      const { path } = await logs.at(of);
      const changes = changesOf(await segmentsOf(path));
      return () => foldChanges(changes);
    },
  },
  {
    name: 'a bare fold over typed arrays to the owners alone',
    most: MOST_EVENTS,
    async ready(_run, { events }) {
      const columns = columnsOf(events);
      return () => foldColumns(columns);
    },
  },
  {
    name: 'a fold over JSON lines',
    target: 50,
    most: MOST_EVENTS,
    isOnDisk: true,
    async ready({ logs }, { events }) {
      const path = await logs.lines(events);
      return async () => foldLines(path);
    },
  },
  {
    name: 'a fold over rows of node:sqlite',
    most: MOST_EVENTS,
    isOnDisk: true,
    async ready({ logs }, of) {
      const { path } = await logs.at(of);
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
    isOnDisk: find === emmettOnSqlite,
    async ready({ folder }, { events }) {
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
    run.progress(`beside ${peer.name}`);
    taken.push(...(await beside(peer, run)));
  }
  return taken;
};

function beside(peer: Peer, run: Run): Promise<Measurement[]> {
  const { most = Infinity, isOfAny = false } = peer;
  return ofEachHost(run, { most }, async (lengths, host) => {
    const taken: Measurement[] = [];
    if (host !== 'whole' && !isOfAny) return taken;
    for (const events of lengths) {
      const measured = await hold(await contestOf(peer, run, { host, events }), run);
      if (measured !== null) taken.push(measured);
    }
    return taken;
  });
}

async function contestOf(peer: Peer, run: Run, of: LogKind): Promise<Contest> {
  const { path } = await run.logs.at(of);
  const { target, isOnDisk = false } = peer;
  return {
    name: isOnDisk ? 'events replayed, segments read from files' : 'events replayed from segments',
    beside: peer.name,
    ...(target !== undefined && { target }),
    size: of.events,
    of,
    isLong: true,
    async start() {
      const theirs = await peer.ready(run, of);
      if (theirs === null) return null;
      const held = isOnDisk ? null : await segmentsOf(path);
      const ours = async () => replaySegments(held ?? (await segmentsOf(path)));
      return { turn: () => ({ ours, peer: theirs }), end: async () => {} };
    },
  };
}
