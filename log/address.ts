/**
 * Opens the store that an address names.
 *
 * @module
 */
import { LedgerError, RequestError } from '../events/ledger-error.ts';
import { memoryStore } from './memory.ts';
import { openSqliteStore } from './sqlite.ts';
import { NotALogError, type Store } from './store.ts';

interface StoreOptions {
  readonly readOnly: boolean;
  /** False: the log must exist. */
  readonly create: boolean;
}

/**
 * Opens the store at an address: a path, or `:memory:`. Throws `RequestError` if it is neither,
 * `unsupported` if it names an engine (`esdb://…`), and what `openSqliteStore` throws.
 */
export function storeAt(address: string, { readOnly, create }: StoreOptions): Store {
  if (typeof address !== 'string' || address === '' || address.includes('\0')) {
    throw new RequestError("the address of a log is a path, or ':memory:'");
  }
  if (address === ':memory:') {
    if (!create) throw new NotALogError('no log at :memory:, which is always a new, empty log');
    return memoryStore();
  }
  const [scheme] = /^[a-z][a-z\d+]*:\/\//.exec(address) ?? [];
  if (scheme !== undefined) {
    throw new LedgerError('unsupported', `no engine for ${scheme} in this release`);
  }
  return openSqliteStore(address, { readOnly, create });
}
