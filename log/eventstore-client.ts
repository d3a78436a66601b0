/**
 * The two clients behind one interface. They are the same library under an older and a newer name.
 *
 * Each is loaded when an address asks for it. They register the same names in the process, and the one
 * that was loaded first breaks when the other is loaded: so a process has one of them only.
 *
 * @module
 */
import { isError } from '../events/is-error.ts';
import { RequestError } from '../events/ledger-error.ts';
import type {
  BasicCredentials,
  EventStoreAddress,
  EventStoreProduct,
} from './eventstore-address.ts';
import type { ProposedEvent, StoredEvent } from './eventstore-events.ts';
import { StoreUnavailableError } from './store.ts';

interface CallOptions {
  readonly credentials?: BasicCredentials;
  readonly requiresLeader: boolean;
  /** In ms. */
  readonly deadline?: number;
}

type Expected = bigint | 'any' | 'no_stream';

interface AppendCallOptions extends CallOptions {
  /** As the client of EventStoreDB calls it. */
  readonly expectedRevision: Expected;
  /** As the client of KurrentDB calls it. */
  readonly streamState: Expected;
}

interface ReadCallOptions extends CallOptions {
  readonly direction: 'forwards' | 'backwards';
  readonly fromRevision: bigint | 'end';
  readonly maxCount: number;
}

interface SubscribeCallOptions extends CallOptions {
  /** The event before the first one that is wanted. */
  readonly fromRevision: bigint | 'start';
}

interface ResolvedEvent {
  readonly event?: StoredEvent;
}

/** A subscription to a stream, which also has the events `end`, `close` and `confirmation`. */
interface EventSubscription {
  on(event: 'data', listener: (resolved: ResolvedEvent) => void): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
  on(event: 'end' | 'close' | 'confirmation', listener: () => void): unknown;
  pause(): unknown;
  resume(): unknown;
  unsubscribe(): Promise<void>;
}

/** What both clients can do, as far as it is used here. */
export interface EventStoreClient {
  appendToStream(
    stream: string,
    events: readonly ProposedEvent[],
    options: AppendCallOptions,
  ): Promise<{ readonly success: boolean; readonly nextExpectedRevision: bigint }>;
  readStream(stream: string, options: ReadCallOptions): AsyncIterable<ResolvedEvent>;
  subscribeToStream(stream: string, options: SubscribeCallOptions): EventSubscription;
  dispose(): Promise<void>;
}

type Connect = (connectionString: string) => EventStoreClient;

const PACKAGES: Readonly<Record<EventStoreProduct, string>> = {
  esdb: '@eventstore/db-client',
  kurrentdb: '@kurrent/kurrentdb-client',
};

/** The client that this process has loaded. */
let loaded: EventStoreProduct | null = null;

/**
 * Loads the client of an address. The result opens connections. Throws `StoreUnavailableError` if the
 * package is not installed, or if the process has loaded the other client.
 */
export async function clientOf({ name, product }: EventStoreAddress): Promise<Connect> {
  if (loaded !== null && loaded !== product) {
    throw new StoreUnavailableError(
      `${name} cannot be opened: this process has opened an address of ${loaded}://, and the clients ` +
        'of the two do not work in one process; open it in another process',
    );
  }
  loaded = product;
  try {
    const connect = await load(product);
    return (connectionString) => onlyClassic(name, () => connect(connectionString));
  } catch (error) {
    loaded = null;
    const { code } = error as { readonly code?: unknown };
    if (code !== 'ERR_MODULE_NOT_FOUND' && code !== 'MODULE_NOT_FOUND') throw error;
    throw new StoreUnavailableError(
      `${product}:// needs a package that is not installed: npm install ${PACKAGES[product]}`,
    );
  }
}

async function load(product: EventStoreProduct): Promise<Connect> {
  if (product === 'esdb') {
    const { EventStoreDBClient } = await import('@eventstore/db-client');
    return (text) => EventStoreDBClient.connectionString(text) as unknown as EventStoreClient;
  }
  const { KurrentDBClient } = await import('@kurrent/kurrentdb-client');
  return (text) => KurrentDBClient.connectionString(text) as unknown as EventStoreClient;
}

/**
 * Opens a client that makes every append as a call of its own. A client that finds `BatchAppend` on the
 * server sends all appends over one shared call, which keeps no deadline; what is wrong with one answer
 * there is wrong for all later ones, or ends the process.
 */
function onlyClassic(name: string, open: () => EventStoreClient): EventStoreClient {
  try {
    return Object.assign(open(), { supports: async () => false });
  } catch (error) {
    // A value that the client does not take, or a certificate that is not there.
    throw new RequestError(`${name}: ${isError(error) ? error.message : String(error)}`);
  }
}
