/**
 * Which stream of a log is opened: each host has its own.
 *
 * @module
 */
import { RequestError } from '../events/ledger-error.ts';
import { nearestClause } from '../events/nearest.ts';
import type { Store } from '../log/store.ts';
import type { OpenOptions } from './settings.ts';

/** The name of the stream of a new log, unless the caller names one. */
export const DEFAULT_HOST = 'host';

/**
 * The stream of the host that is named, else the only one. Throws `bad-request` if there are several
 * and none is named, and without `create`, which a reader does not have by default, if there is no such host.
 */
export async function streamNamed(
  store: Store,
  address: string,
  { host, readOnly = false, create = !readOnly }: OpenOptions,
): Promise<string> {
  const names = await store.streams();
  const [only = DEFAULT_HOST, ...others] = names;
  if (host === undefined) {
    if (others.length === 0) return only;
    throw new RequestError(`the log has several hosts, name one: ${names.join(', ')}`);
  }
  if (create || names.length === 0 || names.includes(host)) return host;
  const near = nearestClause(host, names);
  throw new RequestError(`the log at ${address} holds no host '${host}'${near}`);
}
