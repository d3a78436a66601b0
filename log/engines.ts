/**
 * Opens the engine that an address names. The module of a server's engine is loaded when an address of
 * its scheme is opened, and never before.
 *
 * @module
 */
import { LedgerError, RequestError } from '../events/ledger-error.ts';
import type { Engine } from './engine.ts';
import { genesisOf } from './hash.ts';
import { replicatedAddress, schemeOf } from './shown-address.ts';
import { openSqliteStore } from './sqlite.ts';
import { engineOf } from './store-engine.ts';
import { NotALogError } from './store.ts';

const jetStream = async (address: string): Promise<Engine> => {
  const { jetStreamEngine } = await import('./jetstream-engine.ts');
  return jetStreamEngine(address);
};

const eventStore = async (address: string): Promise<Engine> => {
  const { openEventStoreEngine } = await import('./eventstore-engine.ts');
  return openEventStoreEngine(address);
};

const servers: ReadonlyMap<string, (address: string) => Promise<Engine>> = new Map([
  ['nats:', jetStream],
  ['tls:', jetStream],
  ['esdb:', eventStore],
  ['esdb+discover:', eventStore],
  ['kurrentdb:', eventStore],
  ['kurrentdb+discover:', eventStore],
]);

interface EngineOptions {
  readonly readOnly: boolean;
  /** False: a file must exist. */
  readonly create: boolean;
}

/** The engine of a server; null if the address is a path. Rejects with `unsupported` for other schemes. */
export async function serverAt(address: string): Promise<Engine | null> {
  const scheme = schemeOf(address);
  if (scheme === null) return null;
  const open = servers.get(scheme);
  if (open !== undefined) return open(replicatedAddress(address).engine);
  throw new LedgerError('unsupported', `no engine for ${scheme}// in this release`);
}

/** Opens the engine at an address: of a server, or the log in a file, whose options are given. */
export async function engineAt(address: string, options: EngineOptions): Promise<Engine> {
  const server = await serverAt(address);
  if (server !== null) return server;
  if (address === '' || address === ':memory:' || address.includes('\0')) {
    throw new RequestError('a log is shipped to a path or the address of a server, or from one');
  }
  return engineOf(openSqliteStore(address, options), address);
}

/** Opens the engine at an address to append to it. A file that is missing is created by the first append. */
export async function engineToFill(address: string): Promise<Engine> {
  try {
    return await engineAt(address, { readOnly: false, create: false });
  } catch (error) {
    if (error instanceof NotALogError && error.isUnbegun) return unbegun(address);
    throw error;
  }
}

/** The engine of a log that is not there yet. */
function unbegun(path: string): Engine {
  let begun: Engine | null = null;
  return {
    name: path,
    notes: [],
    identity: '',
    isVerified: true,
    async append(stream, expected, rows) {
      begun ??= await engineAt(path, { readOnly: false, create: true });
      return begun.append(stream, expected, rows);
    },
    async *read(stream, from) {
      if (begun !== null) yield* begun.read(stream, from);
    },
    async *follow(stream, from, signal) {
      if (begun !== null) yield* begun.follow(stream, from, signal);
    },
    head: async (stream) =>
      begun === null ? { position: -1, hash: genesisOf(stream) } : begun.head(stream),
    streams: async () => (begun === null ? [] : begun.streams()),
    close: async () => begun?.close(),
  };
}
