/**
 * The connection to servers of NATS, and the stream of JetStream that holds a log.
 *
 * The packages of NATS are optional, and are loaded when an address is opened.
 *
 * @module
 */
import { setTimeout as delay } from 'node:timers/promises';
import { readFileSync } from 'node:fs';
import type {
  JetStreamClient,
  JetStreamManager,
  StreamConfig,
  StreamInfo,
} from '@nats-io/jetstream';
import type {
  ConnectionOptions,
  credsAuthenticator,
  headers,
  NatsConnection,
} from '@nats-io/transport-node';
import { isError } from '../events/is-error.ts';
import { LedgerError } from '../events/ledger-error.ts';
import type { JetStreamAddress } from './jetstream-address.ts';
import {
  isPassing,
  isStreamMissing,
  NotConnected,
  reasonOf,
  Unanswered,
} from './jetstream-errors.ts';
import { NotALogError, StoreUnavailableError } from './store.ts';

export interface JetStreamServer {
  readonly address: JetStreamAddress;
  readonly connection: NatsConnection;
  readonly client: JetStreamClient;
  readonly manager: JetStreamManager;
  readonly headers: typeof headers;
  readonly notes: readonly string[];
  /** See `Engine.identity`: accounts of one server have a stream of the same name each. */
  readonly identity: string | null;
  /** How long `patiently` calls. */
  readonly patienceMs: number;
  /** How many bytes of rows a message can have. */
  readonly limit: () => number;
  /** Whether the stream is there. Throws `NotALogError` if it is no log. */
  readonly hasLog: () => Promise<boolean>;
  /** Makes the stream, unless it is there. */
  readonly create: () => Promise<void>;
  /** Asks once there is a connection, and waits for the answer until the connection breaks. */
  readonly answer: <Result>(ask: () => Promise<Result>) => Promise<Result>;
  /** Calls until the call does not fail for a reason that passes. Throws `StoreUnavailableError`. */
  readonly patiently: <Result>(call: () => Promise<Result>) => Promise<Result>;
  readonly unavailable: (error: unknown) => LedgerError;
}

/** How long a call is repeated while the servers are away or choose a leader. */
export const PATIENCE_MS = 30_000;
/** How long an append waits for its answer, before it is looked for. */
export const APPEND_MS = 3_000;
/** How long other requests wait. A server does not answer while the log has no leader. */
const REQUEST_MS = 1_000;
const CONNECT_MS = 5_000;
/** How long JetStream may take to answer at first: longer, and the server has none. */
const START_MS = 3_000;
const RECONNECT_MS = 200;
/** A server tells each user on this subject who it is, unless the user may not publish to it. */
const USER_INFO = '$SYS.REQ.USER.INFO';
/** How often a call looks whether there is a connection again. */
const LOOK_EVERY_MS = 20;
/** Of a message's bytes, what its headers and their names have at most. */
const HEADER_BYTES = 512;
const FORMAT = { 'vfio-ledger': '1' };
const REPLICAS_IN_CLUSTER = 3;

/** Connects. Throws `StoreUnavailableError`, and `NotALogError` if the stream is of another kind. */
export async function connectTo(
  address: JetStreamAddress,
  patienceMs: number,
): Promise<JetStreamServer> {
  const { name, log, replicas } = address;
  const nats = await packages();
  const unavailable = (error: unknown) =>
    error instanceof LedgerError ? error : new StoreUnavailableError(`${name}: ${reasonOf(error)}`);

  const connection = await nats
    .connect(optionsOf(address, nats.credsAuthenticator))
    .catch((error: unknown) => {
      throw unavailable(error);
    });
  const options = { timeout: REQUEST_MS };
  const client = nats.jetstream(connection, options);
  const manager = await nats.jetstreamManager(connection, { ...options, checkAPI: false });
  const answer = whileConnected(connection);
  let known: StreamInfo | null = null;

  async function patiently<Result>(call: () => Promise<Result>, ms = patienceMs): Promise<Result> {
    const deadline = Date.now() + ms;
    for (let pause = 50; ; pause = Math.min(2 * pause, 1_000)) {
      try {
        return await answer(call);
      } catch (error) {
        if (!isPassing(error) || connection.isClosed() || Date.now() + pause > deadline) {
          throw unavailable(error);
        }
      }
      await delay(pause);
    }
  }

  async function hasLog(): Promise<boolean> {
    if (known === null) {
      const found = await patiently(async () => {
        try {
          return await manager.streams.info(log);
        } catch (error) {
          if (isStreamMissing(error)) return null;
          throw error;
        }
      });
      known = found === null ? null : checked(found, address);
    }
    return known !== null;
  }

  let creating: Promise<void> | undefined;
  async function create(): Promise<void> {
    if (await hasLog()) return;
    creating ??= createNow().finally(() => {
      creating = undefined;
    });
    await creating;
  }

  async function createNow(): Promise<void> {
    const wanted = replicas ?? (connection.info?.cluster === undefined ? 1 : REPLICAS_IN_CLUSTER);
    try {
      await patiently(() => manager.streams.add(configOf(log, wanted)));
    } catch (error) {
      // Another writer may have made it at the same time, with other settings.
      if (!(await hasLog())) throw error;
    }
    await hasLog();
  }

  const ready = async () => {
    await patiently(() => manager.getAccountInfo(), START_MS);
    await hasLog();
    // Not every user is told the account: then the time at which the stream was made.
    const account = await patiently(() => accountOf(connection), START_MS).catch(() => null);
    return account ?? known?.created ?? null;
  };
  const identity = await closingIfFailed(connection, ready);
  return {
    address,
    connection,
    client,
    manager,
    headers: nats.headers,
    identity,
    patienceMs,
    get notes() {
      const one = known?.config.num_replicas === 1 || connection.info?.cluster === undefined;
      return one && replicas === null ? [`${name} keeps the log in one replica only`] : [];
    },
    limit: () => (connection.info?.max_payload ?? 1_048_576) - HEADER_BYTES,
    hasLog,
    create,
    answer,
    patiently,
    unavailable,
  };
}

async function closingIfFailed<T>(connection: NatsConnection, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    await connection.close();
    throw error;
  }
}

/** The name that the server has for the account that a connection belongs to. */
async function accountOf(connection: NatsConnection): Promise<string | null> {
  const answer = await connection.request(USER_INFO, '', { timeout: REQUEST_MS });
  const { data } = answer.json<{ readonly data?: { readonly account?: unknown } }>();
  return typeof data?.account === 'string' ? data.account : null;
}

/** What `JetStreamServer.answer` is: a request that is made without a connection would be lost. */
function whileConnected(connection: NatsConnection): JetStreamServer['answer'] {
  let isConnected = true;
  const waiting = new Set<(error: Error) => void>();
  const watch = async () => {
    for await (const { type } of connection.status()) {
      if (type === 'reconnect') isConnected = true;
      if (type !== 'disconnect') continue;
      isConnected = false;
      for (const reject of waiting) reject(new Unanswered());
    }
  };
  void watch();
  return async (ask) => {
    const deadline = Date.now() + APPEND_MS;
    while (!isConnected && !connection.isClosed()) {
      if (Date.now() > deadline) throw new NotConnected();
      await delay(LOOK_EVERY_MS);
    }
    return new Promise((resolve, reject) => {
      waiting.add(reject);
      ask()
        .then(resolve, reject)
        .finally(() => waiting.delete(reject));
    });
  };
}

async function packages() {
  try {
    const [jetstream, transport] = await Promise.all([
      import('@nats-io/jetstream'),
      import('@nats-io/transport-node'),
    ]);
    return { ...jetstream, ...transport };
  } catch (error) {
    if (codeOf(error) !== 'ERR_MODULE_NOT_FOUND') throw error;
    throw new StoreUnavailableError(
      'nats:// needs two packages that are not installed: ' +
        'npm install @nats-io/jetstream @nats-io/transport-node',
    );
  }
}

/** Node's name of an error, such as ENOENT. */
function codeOf(error: unknown): string {
  const { code } = error as { readonly code?: unknown };
  return isError(error) && typeof code === 'string' ? code : 'unknown';
}

function optionsOf(
  { servers, login: { creds, ...login }, tls }: JetStreamAddress,
  authenticate: typeof credsAuthenticator,
): ConnectionOptions {
  return {
    servers: [...servers],
    ...login,
    ...(creds !== undefined && { authenticator: authenticatorOf(creds, authenticate) }),
    ...(tls !== null && { tls }),
    name: 'vfio-ledger',
    timeout: CONNECT_MS,
    maxReconnectAttempts: -1,
    reconnectTimeWait: RECONNECT_MS,
    noAsyncTraces: true,
  };
}

function authenticatorOf(path: string, authenticate: typeof credsAuthenticator) {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    throw new StoreUnavailableError(`the credentials in ${path} cannot be read: ${codeOf(error)}`);
  }
  const answer = authenticate(bytes);
  return (nonce?: string) => {
    try {
      return answer(nonce);
    } catch {
      // The error of the package would quote the file.
      throw new StoreUnavailableError(`${path} is no file of credentials`);
    }
  };
}

/** Only appends are possible: messages can be neither deleted nor purged, nor do they expire. */
function configOf(log: string, replicas: number): Partial<StreamConfig> & { name: string } {
  return {
    name: log,
    description: 'Ownership of VFIO devices and IOMMU groups: the events of a host in each subject',
    subjects: [`${log}.*`],
    storage: 'file',
    retention: 'limits',
    discard: 'new',
    num_replicas: replicas,
    deny_delete: true,
    deny_purge: true,
    allow_direct: false,
    metadata: FORMAT,
  };
}

function checked(info: StreamInfo, { name, log, replicas }: JetStreamAddress): StreamInfo {
  const { metadata, subjects, num_replicas: there } = info.config;
  const format = metadata?.['vfio-ledger'];
  if (format === undefined || String(subjects) !== `${log}.*`) {
    throw new NotALogError(`the stream ${log} of ${name} is not a log of vfio-ledger`);
  }
  if (format !== FORMAT['vfio-ledger']) {
    throw new NotALogError(`a newer release wrote ${name} (format ${format})`, { isNewer: true });
  }
  if (replicas !== null && replicas !== there) {
    throw new LedgerError(
      'bad-request',
      `${name} has ${there} replicas, not ${replicas}; nats stream update changes that`,
    );
  }
  return info;
}
