/**
 * The address of a log on NATS JetStream:
 *
 *     nats://[USER:PASSWORD@|TOKEN@]HOST[:PORT][,HOST[:PORT]…][/LOG][?PARAMETER=VALUE&…]
 *
 * `tls://` in place of `nats://` refuses a server without TLS. LOG names the log on the server; without
 * it the name is `vfio-ledger`. Parameters: `replicas`, `creds`, `ca`, `cert` and `key`.
 *
 * @module
 */
import { RequestError } from '../events/ledger-error.ts';

export interface JetStreamAddress {
  /** The address without credentials and parameters. */
  readonly name: string;
  /** Each as HOST:PORT. */
  readonly servers: readonly string[];
  /** The name of the stream of JetStream. */
  readonly log: string;
  readonly login: JetStreamLogin;
  /** Files of a TLS client; null if the server decides whether there is TLS. */
  readonly tls: { readonly [Option in 'caFile' | 'certFile' | 'keyFile']?: string } | null;
  /** Null: three in a cluster, else one. */
  readonly replicas: number | null;
}

interface JetStreamLogin {
  readonly user?: string;
  readonly pass?: string;
  readonly token?: string;
  /** Path of a file of credentials. */
  readonly creds?: string;
}

const DEFAULT_PORT = 4222;
const DEFAULT_LOG = 'vfio-ledger';
/** `replica` is for the local copy of the log; the server does not see it. */
const PARAMETERS = new Set(['replicas', 'replica', 'creds', 'ca', 'cert', 'key']);

/** Throws `RequestError`, which holds no part of the credentials. */
export function jetStreamAddress(address: string): JetStreamAddress {
  const [, scheme, login, hosts = '', path = '', query = ''] =
    /^(nats|tls):\/\/(?:([^/?]*)@)?([^/?@]*)(?:\/([^?]*))?(?:\?(.*))?$/s.exec(address) ?? [];
  if (scheme === undefined || hosts === '') {
    throw new RequestError('the address of a log on JetStream is nats://HOST[:PORT][/LOG]');
  }
  const servers = hosts.split(',').map(serverOf);
  const log = path === '' ? DEFAULT_LOG : path;
  if (!/^[\w-]{1,128}$/.test(log)) {
    throw new RequestError('the name of a log on JetStream has letters, digits, - and _');
  }
  const parameters = parametersOf(query);
  const creds = parameters.get('creds');
  return {
    name: `${scheme}://${hosts}${path === '' ? '' : `/${path}`}`,
    servers,
    log,
    login: { ...loginOf(login), ...(creds !== undefined && { creds }) },
    tls: tlsOf(scheme, parameters),
    replicas: replicasOf(parameters.get('replicas')),
  };
}

function serverOf(host: string): string {
  const [, name, port = String(DEFAULT_PORT)] =
    /^([^\s:[\]]+|\[[\da-f:.]+\])(?::(\d{1,5}))?$/i.exec(host) ?? [];
  if (name === undefined || Number(port) > 65_535) {
    throw new RequestError('a server in nats://… is HOST, HOST:PORT or [IPV6]:PORT');
  }
  return `${name}:${port}`;
}

function parametersOf(query: string): ReadonlyMap<string, string> {
  const parameters = new Map<string, string>();
  for (const [name, value] of new URLSearchParams(query)) {
    if (!PARAMETERS.has(name)) {
      const known = [...PARAMETERS].join(', ');
      throw new RequestError(`nats://… has no parameter of this name; there are ${known}`);
    }
    if (value === '' || parameters.has(name)) {
      throw new RequestError(`nats://…: the parameter ${name} needs one value`);
    }
    parameters.set(name, value);
  }
  return parameters;
}

function loginOf(login: string | undefined): JetStreamLogin {
  if (login === undefined) return {};
  const [user = '', ...rest] = login.split(':');
  try {
    if (rest.length === 0) return { token: decodeURIComponent(user) };
    return { user: decodeURIComponent(user), pass: decodeURIComponent(rest.join(':')) };
  } catch {
    throw new RequestError('nats://…: a % in the user, the password or the token is written %25');
  }
}

function tlsOf(scheme: string, parameters: ReadonlyMap<string, string>): JetStreamAddress['tls'] {
  const [ca, cert, key] = ['ca', 'cert', 'key'].map((name) => parameters.get(name));
  if ((cert === undefined) !== (key === undefined)) {
    throw new RequestError('nats://…: cert and key are given together');
  }
  if (scheme === 'nats' && ca === undefined && cert === undefined) return null;
  return {
    ...(ca !== undefined && { caFile: ca }),
    ...(cert !== undefined && { certFile: cert }),
    ...(key !== undefined && { keyFile: key }),
  };
}

function replicasOf(text: string | undefined): number | null {
  if (text === undefined) return null;
  if (!/^[1-5]$/.test(text)) throw new RequestError('nats://…?replicas= is a number from 1 to 5');
  return Number(text);
}
