/**
 * Logs on NATS JetStream: `nats://HOST[:PORT][/LOG]`.
 *
 * A log is one stream of JetStream, with a subject for each host and a message for each append.
 *
 * @module
 */
import type { Engine } from './engine.ts';
import { jetStreamAddress } from './jetstream-address.ts';
import { appendTo } from './jetstream-append.ts';
import { JetStreamLog } from './jetstream-log.ts';
import { connectTo, PATIENCE_MS } from './jetstream-server.ts';
import { StoreUnavailableError } from './store.ts';

interface JetStreamOptions {
  /** How long a call is repeated while the servers do not answer. */
  readonly patienceMs?: number;
}

/**
 * Connects to servers of NATS. Throws `RequestError` if the address is wrong, `StoreUnavailableError` if
 * no server answers, refuses the login or has no JetStream, and `NotALogError` if the stream is no log.
 */
export async function jetStreamEngine(
  text: string,
  { patienceMs = PATIENCE_MS }: JetStreamOptions = {},
): Promise<Engine> {
  const address = jetStreamAddress(text);
  const server = await connectTo(address, patienceMs);
  const log = new JetStreamLog(server);
  const closing = new AbortController();
  const checkOpen = () => {
    if (closing.signal.aborted) throw new StoreUnavailableError(`${address.name} is closed`);
  };

  return {
    name: address.name,
    identity: server.identity,
    isVerified: false,
    get notes() {
      return server.notes;
    },
    async append(host, expected, rows) {
      checkOpen();
      return appendTo(server, log, { host, expected, rows });
    },
    async *read(host, from) {
      checkOpen();
      yield* log.read(host, from, closing.signal);
      checkOpen();
    },
    async *follow(host, from, signal) {
      const either = AbortSignal.any([signal, closing.signal]);
      checkOpen();
      yield* log.follow(host, from, either);
    },
    async head(host) {
      checkOpen();
      return (await log.newest(host)).head;
    },
    async streams() {
      checkOpen();
      return log.hosts();
    },
    async close() {
      if (closing.signal.aborted) return;
      closing.abort();
      await server.connection.close();
    },
  };
}
