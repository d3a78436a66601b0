/**
 * Which store an address means.
 *
 * @module
 */
import { LedgerError, RequestError } from '../events/ledger-error.ts';
import { memoryStore } from './memory.ts';
import { openSqliteStore } from './sqlite.ts';
import { NotALogError, type Store } from './store.ts';

interface StoreOptions {
  readonly readOnly: boolean;
  /** False where the log must exist. */
  readonly create: boolean;
}

/**
 * The store of an address: a path, or `:memory:`. Throws `RequestError` where it is neither,
 * `unsupported` where it names an engine, and what opening it throws.
 */
export function storeAt(address: string, { readOnly, create }: StoreOptions): Store {
  if (typeof address !== 'string' || address === '' || address.includes('\0')) {
    throw new RequestError("the address of a log is a path, or ':memory:'");
  }
  if (address === ':memory:') {
    if (!create) throw new NotALogError('no log at :memory:, where each one is new');
    return memoryStore();
  }
  const [scheme] = /^[a-z][a-z\d+]*:\/\//.exec(address) ?? [];
  if (scheme !== undefined) {
    throw new LedgerError('unsupported', `no engine for ${scheme} in this release`);
  }
  return openSqliteStore(address, { readOnly, create });
}
