/**
 * A log on JetStream, on three servers of this machine, beside the bare client: it sends the same bytes
 * in messages of the same size, without a lock, ids or positions, and does not look at what it reads.
 *
 * @module
 */
import { join } from 'node:path';
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { jetStreamEngine } from '../log/jetstream-engine.ts';
import { genesisOf } from '../log/hash.ts';
import { ship } from '../log/ship.ts';
import { openSqliteStore } from '../log/sqlite.ts';
import { engineOf } from '../log/store-engine.ts';
import { natsServer, startCluster } from '../test/log/jetstream/cluster.ts';
import { type Contest, hold } from './contest.ts';
import type { Run } from './figure.ts';
import { begin, type Item, itemsAfter, take } from './history.ts';
import type { Measurement } from './measurement.ts';

const HOST = 'host';
/** Events of an append: one, as a recorder has it, or many, as `push` has them. */
const SIZES = [1, 1000] as const;
const EVENTS_OF_TURN = { 1: 100, 1000: 10_000 } as const;
const EVENTS_TO_READ = { 1: 10_000, 1000: 500_000 } as const;
/** Messages on the way at one time: a server drops a reader that is 64 MB behind. */
const WINDOW = { 1: 1000, 1000: 40 } as const;
const EVENTS_TO_PUSH = 200_000;
const BESIDE = 'the bare client, the same bytes';

/** The servers, and a bare client of them. */
async function started() {
  const cluster = await startCluster(3);
  const servers = cluster.servers.map(({ port }) => `127.0.0.1:${port}`);
  const connection = await connect({ servers, noAsyncTraces: true });
  const manager = await jetstreamManager(connection);
  const client = jetstream(connection);
  return {
    cluster,
    client,
    /** Makes a stream as bare as it can be with as many replicas. */
    bare: (name: string) =>
      manager.streams.add({ name, subjects: [`${name}.*`], num_replicas: 3, allow_direct: false }),
    end: async () => {
      await connection.close();
      await cluster.stop();
    },
  };
}

type Servers = Awaited<ReturnType<typeof started>>;

const rowsOf = (items: readonly Item[]) => items.map(({ row }) => row);

function appends({ cluster, client, bare }: Servers, size: 1 | 1000, load: number): Contest {
  const count = Math.max(size, EVENTS_OF_TURN[size] * load);
  return {
    name: `events appended to JetStream, ${size} in a message`,
    beside: BESIDE,
    target: 0.5,
    size: count,
    async start() {
      const [log, peer] = [`appends-${size}`, `peer-${size}`];
      await bare(peer);
      const engine = await jetStreamEngine(cluster.address(log));
      let head = await engine.head(HOST);
      const items = await itemsAfter('whole', genesisOf(HOST));
      const turn = () => {
        const work = Array.from({ length: count / size }, () => rowsOf(take(items, size)));
        const payloads = work.map((rows) => JSON.stringify(rows));
        return {
          async ours() {
            for (const rows of work) ({ head } = await engine.append(HOST, head, rows));
          },
          async peer() {
            for (const payload of payloads) await client.publish(`${peer}.${HOST}`, payload);
          },
        };
      };
      return { turn, end: () => engine.close() };
    },
  };
}

function catchUps({ cluster, client }: Servers, size: 1 | 1000, load: number): Contest {
  const count = Math.max(size, EVENTS_TO_READ[size] * load);
  return {
    name: `events read from JetStream, ${size} in a message`,
    beside: BESIDE,
    target: 0.5,
    size: count,
    isLong: true,
    async start() {
      const log = `reads-${size}`;
      const engine = await jetStreamEngine(cluster.address(log));
      const items = await itemsAfter('whole', genesisOf(HOST));
      let head = await engine.head(HOST);
      for (let written = 0; written < count; written += size) {
        const rows = rowsOf(take(items, size));
        ({ head } = await engine.append(HOST, head, rows));
      }
      const turn = () => ({
        async ours() {
          let read = 0;
          for await (const rows of engine.read(HOST, 0)) read += rows.length;
          if (read !== count) throw new Error(`${read} events were read, not ${count}`);
        },
        async peer() {
          const consumer = await client.consumers.get(log, { filter_subjects: `${log}.${HOST}` });
          let read = 0;
          for await (const { data } of await consumer.consume({ max_messages: WINDOW[size] })) {
            if (data.length > 0) read += size;
            if (read === count) break;
          }
        },
      });
      return { turn, end: () => engine.close() };
    },
  };
}

/** Makes a log, as the first append does: the servers take half a second to choose who leads it. */
async function beginLog(address: string): Promise<void> {
  const other = 'other';
  const engine = await jetStreamEngine(address);
  const items = await itemsAfter('whole', genesisOf(other));
  await engine.append(other, await engine.head(other), rowsOf(take(items, 1)));
  await engine.close();
}

/** A log of a file that is pushed to a log of the servers without its host, read and verified on the way. */
function pushes({ cluster, client, bare }: Servers, load: number): Contest {
  const count = Math.max(1000, EVENTS_TO_PUSH * load);
  return {
    name: 'events pushed from a file to JetStream',
    beside: BESIDE,
    target: 0.5,
    size: count,
    isLong: true,
    async start(folder) {
      const path = join(folder, 'pushed.ledger');
      const { position } = await begin(path, 'whole', count);
      const source = engineOf(openSqliteStore(path), path);
      const payloads: string[] = [];
      for await (const rows of source.read(HOST, 0)) payloads.push(JSON.stringify(rows));
      const peer = 'peer-push';
      await bare(peer);
      let round = 0;
      const turn = async () => {
        const address = cluster.address(`pushed-${(round += 1)}`);
        await beginLog(address);
        return {
          async ours() {
            const target = await jetStreamEngine(address);
            const { head } = await ship({ stream: HOST, source, target });
            if (head.position !== position) throw new Error(`${head.position} was pushed`);
            await target.close();
          },
          async peer() {
            for (const payload of payloads) await client.publish(`${peer}.${HOST}`, payload);
          },
        };
      };
      return { turn, end: () => source.close() };
    },
  };
}

export async function jetStream(run: Run): Promise<readonly Measurement[]> {
  if (natsServer === undefined) {
    run.leaveOut('nats-server');
    return [];
  }
  const servers = await started();
  const taken: Measurement[] = [];
  try {
    const { load } = run.effort;
    for (const contest of [
      ...SIZES.map((size) => appends(servers, size, load)),
      ...SIZES.map((size) => catchUps(servers, size, load)),
      pushes(servers, load),
    ]) {
      run.progress(contest.name);
      const measured = await hold(contest, run);
      if (measured !== null) taken.push(measured);
    }
  } finally {
    await servers.end();
  }
  return taken;
}
