/**
 * Addresses of logs: a path, `:memory:`, or the URL of an engine, which may hold credentials.
 *
 * @module
 */
import { RequestError } from '../events/ledger-error.ts';

/** The scheme of an engine's address in small letters, such as `nats:`; null for a path. */
export function schemeOf(address: string): string | null {
  return /^([a-z][a-z\d+.-]*:)\/\//i.exec(address)?.[1]?.toLowerCase() ?? null;
}

/**
 * The address as it may be shown: without user, password and parameters. Where it is not sure which part
 * is which, all that follows the scheme is left out.
 */
export function shownAddress(address: string): string {
  const scheme = schemeOf(address);
  if (scheme === null) return address;
  const rest = address.slice(scheme.length + 2);
  const parameters = rest.search(/[?#]/);
  const credentials = rest.lastIndexOf('@');
  if (parameters >= 0 && parameters < credentials) return `${scheme}//…`;
  const shown = rest.slice(credentials + 1, parameters < 0 ? undefined : parameters);
  return `${scheme}//${shown}`;
}

/** An address without `?replica=`, and what that says: a path, `:memory:`, or null if it says nothing. */
interface ReplicatedAddress {
  readonly engine: string;
  readonly replica: string | null;
}

/** Takes `?replica=` out of an engine's address. Throws `RequestError` if it is given twice or is empty. */
export function replicatedAddress(address: string): ReplicatedAddress {
  const scheme = schemeOf(address) ?? '';
  const at = address.indexOf('?');
  const place = scheme + address.slice(scheme.length, at < 0 ? undefined : at);
  if (at < 0) return { engine: place, replica: null };
  const parameters = address.slice(at + 1).split('&');
  const isReplica = (parameter: string) => parameter.startsWith('replica=');
  const given = parameters.filter(isReplica).map((parameter) => decoded(parameter.slice(8)));
  const others = parameters.filter((parameter) => !isReplica(parameter));
  if (given.length > 1 || given[0] === '') {
    throw new RequestError('an address takes one ?replica=PATH, or ?replica=:memory:');
  }
  const engine = place + (others.length === 0 ? '' : `?${others.join('&')}`);
  return { engine, replica: given[0] ?? null };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new RequestError('?replica= of an address has a % that does not encode a character');
  }
}
