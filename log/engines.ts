/**
 * Opens the engine that an address names. The module of a server's engine is loaded when an address of
 * its scheme is opened, and never before.
 *
 * @module
 */
import { LedgerError, RequestError } from '../events/ledger-error.ts';
import type { Engine } from './engine.ts';
import { replicatedAddress, schemeOf } from './shown-address.ts';
import { openSqliteStore } from './sqlite.ts';
import { engineOf } from './store-engine.ts';

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
