/**
 * The hosts of a log.
 *
 * @module
 */
import type { LedgerError } from '../events/ledger-error.ts';
import { isOfOneStream } from '../log/engine.ts';
import type { Store } from '../log/store.ts';
import type { OpenOptions } from './settings.ts';
import { storeOf } from './open-store.ts';

/** The hosts of a log that was brought up to date. */
export interface HostsInLog {
  /** In order of name. */
  readonly hosts: readonly string[];
  /** Path of the log, or of its replica, which has all that the server has; null if it is in memory. */
  readonly path: string | null;
  /** Hosts whose events cannot be read to the end, and why: their replica lacks some. */
  readonly unread: ReadonlyMap<string, LedgerError>;
}

/** Streams of a server that are read at the same time. */
const TOGETHER = 16;

/**
 * Finds the hosts of an existing log. Of a server's log it brings the replica up to date, several hosts
 * at the same time. Rejects as `openLedger` does.
 */
export async function hostsIn(
  address: string,
  { note }: Pick<OpenOptions, 'note'> = {},
): Promise<HostsInLog> {
  const store = await storeOf(address, { readOnly: true, ...(note && { note }) });
  try {
    const hosts = await store.streams();
    const unread = new Map<string, LedgerError>();
    const coming = [...hosts];
    await Promise.all(
      Array.from({ length: TOGETHER }, async () => {
        for (let host = coming.shift(); host !== undefined; host = coming.shift()) {
          const fault = await faultOf(store, host);
          if (fault !== null) unread.set(host, fault);
        }
      }),
    );
    return { hosts, path: store.path, unread };
  } finally {
    await store.close();
  }
}

/** Why a stream cannot be brought up to date; null if it can. Throws what concerns all hosts. */
async function faultOf(store: Store, host: string): Promise<LedgerError | null> {
  try {
    for await (const _ of store.read(host, { from: Number.MAX_SAFE_INTEGER })) break;
    return null;
  } catch (error) {
    if (isOfOneStream(error)) return error;
    throw error;
  }
}
