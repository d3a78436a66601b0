/**
 * What many hosts take of the servers of a log on JetStream: each has a connection of its own and
 * appends one event at a time.
 *
 * @module
 */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { jetStreamEngine } from '../log/jetstream-engine.ts';
import { genesisOf } from '../log/hash.ts';
import { type Cluster, natsServer, startCluster } from '../test/log/jetstream/cluster.ts';
import { seconds } from './contest.ts';
import type { Figure } from './figure.ts';
import { itemsAfter, take } from './history.ts';
import { measurement } from './measurement.ts';

const HOSTS = 1000;
const EVENTS = 20;
/** Connections that are opened at the same time. */
const TOGETHER = 20;

export const jetStreamHosts: Figure = async (run) => {
  if (natsServer === undefined) {
    run.leaveOut('nats-server');
    return [];
  }
  const count = Math.max(TOGETHER, HOSTS * run.effort.load);
  const hosts = Array.from({ length: count }, (_, n) => `host-${n}.example.org`);
  const cluster = await startCluster(3);
  try {
    const alone = memoryOf(cluster);
    const address = cluster.address('hosts');
    const engines = await inGroups(hosts, () => jetStreamEngine(address));
    const connected = memoryOf(cluster);
    const rows = await Promise.all(
      hosts.map(async (host) => take(await itemsAfter('whole', genesisOf(host)), EVENTS)),
    );
    const begun = diskOf(cluster);
    const spent = await seconds(() =>
      Promise.all(
        engines.map(async (engine, n) => {
          const host = hosts[n] ?? '';
          let head = await engine.head(host);
          for (const { row } of rows[n] ?? []) ({ head } = await engine.append(host, head, [row]));
        }),
      ),
    );
    const [disk, written] = [diskOf(cluster), memoryOf(cluster)];
    for (const engine of engines) await engine.close();
    const events = count * EVENTS;
    const of = `${count} hosts`;
    const each = (figure: string, ours: number) =>
      measurement({ figure, unit: 'MB', ours: [ours] });
    return [
      each('memory of a server without hosts', alone),
      each(`memory of a server with the connections of ${of}`, connected),
      each(`memory of a server after ${events} events of ${of}`, written),
      each(`disk of a server for ${events} events of ${of}, 1 in a message`, disk - begun),
      measurement({
        figure: `events appended by ${of} at the same time, 1 in a message`,
        unit: '/s',
        ours: [events / spent],
      }),
    ];
  } finally {
    await cluster.stop();
  }
};

async function inGroups<From, To>(
  from: readonly From[],
  make: (value: From) => Promise<To>,
): Promise<readonly To[]> {
  const made: To[] = [];
  for (let n = 0; n < from.length; n += TOGETHER) {
    made.push(...(await Promise.all(from.slice(n, n + TOGETHER).map(make))));
  }
  return made;
}

/** In MB, of the server that has most. */
function memoryOf({ servers }: Cluster): number {
  return Math.max(
    ...servers.map(({ pid }) => {
      const status = readFileSync(`/proc/${pid()}/status`, 'utf8');
      return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024;
    }),
  );
}

/** In MB, of the server that has most. */
function diskOf({ servers }: Cluster): number {
  const bytes = servers.map(({ store }) =>
    readdirSync(store, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .reduce((sum, { parentPath, name }) => sum + statSync(join(parentPath, name)).size, 0),
  );
  return Math.max(...bytes) / 1_048_576;
}
