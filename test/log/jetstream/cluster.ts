/**
 * Servers of NATS with JetStream on loopback, for tests: one, or a cluster that keeps replicas.
 *
 * @module
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { jetstreamManager, type JetStreamManager } from '@nats-io/jetstream';
import { connect, headers } from '@nats-io/transport-node';

export const LEAST = [2, 10, 27] as const;
export const INSTALL = 'test/log/jetstream/install-server.sh';

/** The program, on PATH or where `install-server.sh` puts it. */
export const natsServer = ['nats-server', join(import.meta.dirname, '.cache/nats-server')].find(
  isNewEnough,
);
function isNewEnough(program: string): boolean {
  try {
    const version = execFileSync(program, ['--version'], { encoding: 'utf8' });
    const found = (/(\d+)\.(\d+)\.(\d+)/.exec(version) ?? []).slice(1).map(Number);
    const [at = -1] = LEAST.flatMap((least, index) => (found[index] === least ? [] : [index]));
    return at === -1 || (found[at] ?? 0) > (LEAST[at] ?? 0);
  } catch {
    return false;
  }
}

interface NatsServer {
  readonly name: string;
  readonly port: number;
  /** The folder that it keeps its streams in. */
  readonly store: string;
  /** Undefined if it does not run. */
  readonly pid: () => number | undefined;
  /** Ends the process at once, as `kill -9`. */
  readonly kill: () => Promise<void>;
  /** Starts it again, with what is on its disk. */
  readonly start: () => Promise<void>;
}

export interface Cluster {
  readonly servers: readonly NatsServer[];
  /** The address of a log, of which all servers are named. */
  readonly address: (log: string) => string;
  /** The server that leads a log. */
  readonly leaderOf: (log: string) => Promise<NatsServer>;
  /** Resolves when JetStream answers and has as many servers as there are. */
  readonly ready: () => Promise<void>;
  /** Asks the servers as an administrator does. */
  readonly manage: <Result>(ask: (manager: JetStreamManager) => Promise<Result>) => Promise<Result>;
  /** Appends messages to streams, one after the other, as any client may. */
  readonly send: (messages: readonly Sent[]) => Promise<void>;
  readonly stop: () => Promise<void>;
}

interface Sent {
  readonly subject: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
}

interface ClusterOptions {
  /** More lines of each server's configuration. */
  readonly config?: string;
  /** How an administrator logs in: `USER:PASSWORD`, or a token. */
  readonly admin?: string;
  /** The certificate that an administrator believes. */
  readonly ca?: string;
  /** False: without JetStream. */
  readonly hasJetStream?: boolean;
}

/** How often other ports are tried when a server does not start: another process may have taken one. */
const TRIES = 3;

/** Starts servers, and waits until they answer. */
export async function startCluster(size: number, options: ClusterOptions = {}): Promise<Cluster> {
  for (let tries = 1; ; tries++) {
    const cluster = await newCluster(size, options);
    try {
      for (const { start } of cluster.servers) await start();
      await cluster.ready();
      return cluster;
    } catch (error) {
      await cluster.stop();
      if (tries === TRIES) throw error;
    }
  }
}

/** Servers that are not started yet. */
async function newCluster(
  size: number,
  { config = '', admin, ca, hasJetStream = true }: ClusterOptions,
): Promise<Cluster> {
  const folder = mkdtempSync(join(tmpdir(), 'vfio-ledger-nats-'));
  const ports = await freePorts(2 * size);
  const [clients, routes] = [ports.slice(0, size), ports.slice(size)];
  const servers = clients.map((port, index) => {
    const name = `s${index}`;
    const [path, store] = [join(folder, `${name}.conf`), join(folder, name)];
    writeFileSync(
      path,
      [
        `server_name: ${name}`,
        `listen: 127.0.0.1:${port}`,
        hasJetStream && `jetstream { store_dir: "${store}", sync_interval: always }`,
        size > 1 && `cluster { name: tests, listen: 127.0.0.1:${routes[index]}, routes: [`,
        size > 1 && `${routes.map((route) => `"nats://127.0.0.1:${route}"`).join(', ')}] }`,
        config,
      ]
        .filter((line) => line !== false)
        .join('\n'),
    );
    return serverAt({ name, port, store }, path);
  });
  const address = (log: string) =>
    `nats://${clients.map((port) => `127.0.0.1:${port}`).join(',')}/${log}`;

  async function manage<Result>(ask: (manager: JetStreamManager) => Promise<Result>) {
    const [user = '', pass] = decodeURIComponent(admin ?? '').split(':');
    const connection = await connect({
      servers: clients.map((port) => `127.0.0.1:${port}`),
      ...(pass === undefined ? { token: user } : { user, pass }),
      ...(ca !== undefined && { tls: { caFile: ca } }),
    });
    try {
      return await ask(await jetstreamManager(connection, { checkAPI: false }));
    } finally {
      await connection.close();
    }
  }

  const send = (messages: readonly Sent[]) =>
    manage(async (manager) => {
      const client = manager.jetstream();
      for (const { subject, headers: given, text } of messages) {
        const fields = headers();
        for (const [name, value] of Object.entries(given)) fields.set(name, value);
        await client.publish(subject, text, { headers: fields });
      }
    });

  async function ready(): Promise<void> {
    for (let tries = 0; ; tries++) {
      try {
        await manage(async (manager) => {
          const config = { name: 'ready', subjects: ['ready'], num_replicas: size };
          if (hasJetStream) await manager.streams.add(config);
          if (hasJetStream) await manager.streams.delete('ready');
        });
        return;
      } catch (error) {
        const isDown = servers.some(({ pid }) => pid() === undefined);
        if (isDown || tries > 300) throw error;
        await delay(100);
      }
    }
  }

  async function leaderOf(log: string): Promise<NatsServer> {
    for (;;) {
      const info = await manage((manager) => manager.streams.info(log)).catch(() => null);
      const leader = servers.find(({ name }) => name === info?.cluster?.leader);
      if (leader !== undefined) return leader;
      await delay(100);
    }
  }

  async function stop(): Promise<void> {
    for (const { kill } of servers) await kill();
    rmSync(folder, { recursive: true, force: true });
  }

  return { servers, address, leaderOf, ready, manage, send, stop };
}

function serverAt(place: Pick<NatsServer, 'name' | 'port' | 'store'>, config: string): NatsServer {
  let running: ChildProcess | undefined;
  const ended = async () => {
    const child = running;
    running = undefined;
    if (child === undefined || child.exitCode !== null) return;
    const end = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await end;
  };
  const atExit = () => running?.kill('SIGKILL');
  return {
    ...place,
    pid: () => (running?.exitCode === null ? running.pid : undefined),
    kill: async () => {
      await ended();
      process.off('exit', atExit);
    },
    start: async () => {
      if (natsServer === undefined) throw new Error(`there is no nats-server: run ${INSTALL}`);
      running = spawn(natsServer, ['-c', config], { stdio: 'ignore' });
      process.on('exit', atExit);
    },
  };
}

/** The ports below those that the kernel gives to connections. */
const PORTS = { first: 20_000, count: 12_000 };

/** Ports that are free now, all different. */
async function freePorts(count: number): Promise<readonly number[]> {
  const free = new Set<number>();
  while (free.size < count) {
    const port = PORTS.first + Math.floor(PORTS.count * Math.random());
    if (await isFree(port)) free.add(port);
  }
  return [...free];
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
