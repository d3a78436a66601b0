/**
 * Addresses of EventStoreDB and KurrentDB. The connection string that the client gets has no credentials:
 * so no message, warning or trace of the client can show them. They go with each call instead.
 *
 * @module
 */
import { RequestError } from '../events/ledger-error.ts';
import { schemeOf, shownAddress } from './shown-address.ts';

/** The servers that the two clients speak to, by the name in the scheme of an address. */
export type EventStoreProduct = 'esdb' | 'kurrentdb';

/** The user and password of an address. */
export interface BasicCredentials {
  readonly username: string;
  readonly password: string;
}

export interface EventStoreAddress {
  /** How messages name it. */
  readonly name: string;
  readonly product: EventStoreProduct;
  /** For the client. */
  readonly connectionString: string;
  readonly credentials: BasicCredentials | null;
  /** How long one call may take, in ms: `defaultDeadline` of the address. */
  readonly deadline: number;
  /** Whether the connection has TLS. Without it the client sends no credentials. */
  readonly isSecure: boolean;
}

const PRODUCTS: Readonly<Record<string, EventStoreProduct>> = {
  'esdb:': 'esdb',
  'esdb+discover:': 'esdb',
  'kurrentdb:': 'kurrentdb',
  'kurrentdb+discover:': 'kurrentdb',
};

/** The parameters that both clients know. They print a warning with the whole address for any other. */
const PARAMETERS: readonly string[] = [
  'connectionName',
  'defaultDeadline',
  'discoveryInterval',
  'gossipTimeout',
  'keepAliveInterval',
  'keepAliveTimeout',
  'maxDiscoverAttempts',
  'nodePreference',
  'throwOnAppendFailure',
  'tls',
  'tlsCAFile',
  'tlsVerifyCert',
  'userCertFile',
  'userKeyFile',
];

const DEADLINE_MS = 10_000;

/** Few attempts: the client would go on long after the deadline. The engine makes further ones. */
const DISCOVERY = ['maxDiscoverAttempts', '2'] as const;

/** Parses an address. Throws `RequestError`, whose message shows no credentials. */
export function eventStoreAddress(address: string): EventStoreAddress {
  const scheme = schemeOf(address) ?? '';
  const product = PRODUCTS[scheme];
  const name = shownAddress(address);
  if (product === undefined) throw new RequestError(`${name} is no address of EventStoreDB`);
  const [, authority = '', query = ''] =
    /^([^?]*)(?:\?(.*))?$/s.exec(address.slice(scheme.length + 2)) ?? [];
  const at = authority.lastIndexOf('@');
  const hosts = authority.slice(at + 1).replace(/\/+$/, '');
  if (!/^[\w.-]+(:\d{1,5})?(,[\w.-]+(:\d{1,5})?)*$/.test(hosts) || query.includes('@')) {
    throw new RequestError(
      `${name}: an address is ${scheme}//[USER:PASSWORD@]HOST[:PORT][,HOST…][?KEY=VALUE&…]; ` +
        'in user and password, %40 stands for @, %3F for ? and %2F for /',
    );
  }
  const parameters = parametersOf(name, query);
  const deadline = Number(parameters.get('defaultDeadline') ?? DEADLINE_MS);
  if (!Number.isSafeInteger(deadline) || deadline <= 0) {
    throw new RequestError(`${name}: defaultDeadline takes a number of milliseconds`);
  }
  const text = [...parameters].map(([key, value]) => `${key}=${value}`).join('&');
  return {
    name,
    product,
    connectionString: `${scheme}//${hosts}?${text}`,
    credentials: at < 0 ? null : credentialsOf(name, authority.slice(0, at)),
    deadline,
    isSecure: parameters.get('tls') !== 'false',
  };
}

function parametersOf(name: string, query: string): Map<string, string> {
  const parameters = new Map<string, string>([DISCOVERY]);
  for (const parameter of query === '' ? [] : query.split('&')) {
    const [, given = '', value = ''] = /^([^=]*)=(.*)$/s.exec(parameter) ?? [];
    const key = PARAMETERS.find((known) => flat(known) === flat(given));
    if (key === undefined || value === '') {
      throw new RequestError(
        `${name}: an address takes KEY=VALUE, and as keys ${PARAMETERS.join(', ')}`,
      );
    }
    parameters.set(key, value);
  }
  return parameters;
}

/** Keys are compared as the clients compare them. */
function flat(key: string): string {
  return key.trim().toLowerCase().replace(/[_-]/g, '');
}

function credentialsOf(name: string, text: string): BasicCredentials {
  const [, username = '', password = ''] = /^([^:]*):(.*)$/s.exec(text) ?? [];
  try {
    const decoded = {
      username: decodeURIComponent(username),
      password: decodeURIComponent(password),
    };
    if (decoded.username !== '' && decoded.password !== '') return decoded;
  } catch {
    // As for no user or password.
  }
  throw new RequestError(`${name}: before @ an address has USER:PASSWORD, percent-encoded`);
}
