/**
 * Protocol servers, and engines of them, in processes of their own, as a test uses them.
 *
 * @module
 */
import {
  AppendTooLargeError,
  DivergedError,
  type Engine,
  LostAnswerError,
} from '../../../log/engine.ts';
import type { EventStoreProduct } from '../../../log/eventstore-address.ts';
import { ServerAwayError } from '../../../log/eventstore-errors.ts';
import { LedgerError, RequestError } from '../../../events/ledger-error.ts';
import type { Row } from '../../../log/row.ts';
import {
  type AppendResult,
  CorruptLogError,
  type Head,
  RevisionConflictError,
  StoreUnavailableError,
} from '../../../log/store.ts';
import type { AppendFault, ReadFault } from './faults.ts';
import { RemoteProcess } from './remote.ts';
import type { ServerOptions } from './server.ts';

const classes = [
  AppendTooLargeError,
  CorruptLogError,
  DivergedError,
  LedgerError,
  LostAnswerError,
  RequestError,
  RevisionConflictError,
  StoreUnavailableError,
  ServerAwayError,
];

/** An error of the same class, as far as it is one that callers know. */
function revived(properties: Readonly<Record<string, unknown>>): Error {
  const { class: name, ...others } = properties;
  const { prototype } = classes.find((each) => each.name === name) ?? Error;
  return Object.assign(Object.create(prototype) as Error, others);
}

/** A protocol server. */
export class RemoteServer {
  readonly #process: RemoteProcess;
  readonly port: number;

  constructor(process: RemoteProcess, port: number) {
    this.#process = process;
    this.port = port;
  }

  async failAppends(...faults: readonly (AppendFault | null)[]): Promise<void> {
    await this.#process.call('failAppends', [this.port, faults]);
  }

  async failReads(...faults: readonly ReadFault[]): Promise<void> {
    await this.#process.call('failReads', [this.port, faults]);
  }

  async calls(): Promise<Readonly<Record<string, number>>> {
    return this.#process.call('calls', [this.port]);
  }

  async events(stream: string): Promise<
    readonly {
      readonly id: string;
      readonly type: string;
      readonly revision: number;
      readonly data: string;
      readonly metadata: string;
    }[]
  > {
    return this.#process.call('events', [this.port, stream]);
  }

  async put(stream: string, type: string, data: string): Promise<void> {
    await this.#process.call('put', [this.port, stream, type, data]);
  }

  async delete(stream: string, forGood: boolean): Promise<void> {
    await this.#process.call('delete', [this.port, stream, forGood]);
  }

  async cutAll(): Promise<void> {
    await this.#process.call('cutAll', [this.port]);
  }

  async close(): Promise<void> {
    await this.#process.call('close', [this.port]);
  }
}

/** A process with protocol servers. */
export class ServerProcess {
  readonly #process = new RemoteProcess(import.meta.resolve('./server-process.ts'));

  /** Starts a server; with `leader`, one that follows it. */
  async start(options: ServerOptions = {}, leader: RemoteServer | null = null) {
    const port: number = await this.#process.call('start', [options, leader?.port ?? null]);
    return new RemoteServer(this.#process, port);
  }

  async stop(): Promise<void> {
    await this.#process.stop();
  }
}

/** A process with engines, all of one client. */
export class EngineProcess {
  readonly #process: RemoteProcess;

  constructor(execArgv: readonly string[] = []) {
    this.#process = new RemoteProcess(import.meta.resolve('./engine-process.ts'), execArgv);
  }

  get ended() {
    return this.#process.ended;
  }

  async open(address: string): Promise<Engine> {
    const process = this.#process;
    const call = async <Result>(method: string, ...args: readonly unknown[]): Promise<Result> =>
      process.call(method, args, revived);
    interface Opened {
      readonly id: number;
      readonly name: string;
      readonly notes: readonly string[];
    }
    const { id, name, notes } = await call<Opened>('open', address);

    async function* iterate(
      method: 'read' | 'follow',
      stream: string,
      from: number,
      signal?: AbortSignal,
    ): AsyncGenerator<readonly Row[]> {
      const iterator = await call<number>('iterate', id, method, stream, from);
      const abort = () => void call('abort', iterator).catch(() => {});
      if (signal?.aborted === true) abort();
      signal?.addEventListener('abort', abort);
      interface Next {
        readonly done: boolean;
        readonly value: readonly Row[];
      }
      try {
        for (;;) {
          const { done, value } = await call<Next>('next', iterator);
          if (done) return;
          yield value;
        }
      } finally {
        signal?.removeEventListener('abort', abort);
        await call('leave', iterator).catch(() => {});
      }
    }

    return {
      name,
      notes,
      identity: '',
      isVerified: false,
      append: async (stream, expected, rows) =>
        call<AppendResult>('call', id, 'append', [stream, expected, rows]),
      read: (stream, from) => iterate('read', stream, from),
      follow: (stream, from, signal) => iterate('follow', stream, from, signal),
      head: async (stream) => call<Head>('call', id, 'head', [stream]),
      streams: async () => call<readonly string[]>('call', id, 'streams', []),
      close: async () => call('call', id, 'close', []),
    };
  }

  async stop(): Promise<void> {
    await this.#process.stop();
  }
}

/** The address of a server for a client. */
export function addressOf(
  product: EventStoreProduct,
  { port }: RemoteServer,
  { deadline = 10_000, login = '', isSecure = false, discover = false } = {},
): string {
  const scheme = discover ? `${product}+discover` : product;
  const ca = new URL('tls/ca.pem', import.meta.url).pathname;
  const tls = isSecure ? `tlsCAFile=${ca}` : 'tls=false';
  const user = login === '' ? '' : `${login}@`;
  // Node does not take a number as the name of a TLS server.
  const host = isSecure ? 'localhost' : '127.0.0.1';
  return `${scheme}://${user}${host}:${port}?${tls}&defaultDeadline=${deadline}`;
}

/** The processes of a test file, once they have started. */
export interface TestProcesses {
  readonly servers: () => ServerProcess;
  readonly engines: () => EngineProcess;
}
