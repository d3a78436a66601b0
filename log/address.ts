/**
 * Opens the store that an address names.
 *
 * @module
 */
import { RequestError } from '../events/ledger-error.ts';
import type { RenewedReplica } from './replica-file.ts';
import { replicatedAddress, schemeOf } from './shown-address.ts';
import { memoryStore } from './memory.ts';
import { openSqliteStore } from './sqlite.ts';
import { NotALogError, type Store, StoreUnavailableError } from './store.ts';

interface StoreOptions {
  readonly readOnly: boolean;
  /** False: the log must exist. */
  readonly create: boolean;
  /** Told of a replica that was made anew, and what a user should know of an engine. */
  readonly told: (note: RenewedReplica | string) => void;
}

/**
 * Opens the store at an address: a path, `:memory:`, or the address of a server (`nats://…`), of which it
 * opens the replica. Rejects with `RequestError` if it is none of these, with `unsupported` for other
 * servers, and as `openSqliteStore` and `openReplica` do.
 */
export async function storeAt(
  address: string,
  { readOnly, create, told }: StoreOptions,
): Promise<Store> {
  if (typeof address !== 'string' || address === '' || address.includes('\0')) {
    throw new RequestError("the address of a log is a path, or ':memory:'");
  }
  if (address === ':memory:') {
    if (!create) throw new NotALogError('no log at :memory:, which is always a new, empty log');
    return memoryStore();
  }
  if (schemeOf(address) === null) return openSqliteStore(address, { readOnly, create });
  const { replica } = replicatedAddress(address);
  const { serverAt } = await import('./engines.ts');
  const engine = await serverAt(address);
  if (engine === null) throw new RequestError('the address of a log is empty');
  for (const note of engine.notes) told(note);
  const { openReplica } = await import('./replica-file.ts');
  const store = await openReplica(engine, { replica, renewed: told });
  return readOnly || !create ? existing(store, engine.name, readOnly) : store;
}

/** The store of an engine that holds a log. Closes it and throws `NotALogError` if it holds none. */
async function existing(store: Store, name: string, readOnly: boolean): Promise<Store> {
  try {
    if ((await store.streams()).length === 0) {
      throw new NotALogError(`no log at ${name}`, { isUnbegun: true });
    }
  } catch (error) {
    await store.close();
    throw error;
  }
  if (!readOnly) return store;
  const append = async () => {
    throw new StoreUnavailableError(`${name} is open for reading only`);
  };
  return { ...store, append, rows: { ...store.rows, append } };
}
