/**
 * Opens the store of a ledger.
 *
 * @module
 */
import { storeAt } from '../log/address.ts';
import { shownAddress } from '../log/shown-address.ts';
import type { Store } from '../log/store.ts';
import { renewedWords } from '../words/replicas.ts';
import type { OpenOptions } from './settings.ts';
import { streamNamed } from './stream-named.ts';

/**
 * Opens the store at an address, and finds the stream that the options name. What is to be known of the
 * store goes to `note`. Rejects as `storeAt` and `streamNamed` do.
 */
export async function openStore(
  address: string,
  options: OpenOptions,
): Promise<{ readonly store: Store; readonly host: string }> {
  const store = await storeOf(address, options);
  try {
    return { store, host: await streamNamed(store, shownAddress(address), options) };
  } catch (error) {
    await store.close();
    throw error;
  }
}

/** Opens the store at an address, as `storeAt` does. */
export async function storeOf(
  address: string,
  { readOnly = false, create = true, note }: Pick<OpenOptions, 'readOnly' | 'create' | 'note'>,
): Promise<Store> {
  return storeAt(address, {
    readOnly,
    create,
    told: (so) => note?.(typeof so === 'string' ? so : renewedWords(so)),
  });
}
