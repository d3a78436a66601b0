/**
 * Which store an address means.
 *
 * @module
 */
import { memoryStore } from './memory.ts';
import { openSqliteStore } from './sqlite.ts';
import { NotALogError, type Store } from './store.ts';

/** The store of an address: a path, or `:memory:`. Throws what opening it throws. */
export function storeAt(address: string, readOnly: boolean): Store {
  if (address === ':memory:') return memoryStore();
  const [scheme] = /^[a-z][a-z\d+]*:\/\//.exec(address) ?? [];
  if (scheme !== undefined) throw new NotALogError(`no engine for ${scheme} in this release`);
  return openSqliteStore(address, { readOnly });
}
