/**
 * Writes a log that is in memory to a file, so that it can be opened after its process has ended.
 *
 * @module
 */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LedgerEvent } from '../events/vocabulary.ts';
import { openSqliteStore } from '../log/sqlite.ts';
import { StoreUnavailableError, type RecordedEvent, type Store } from '../log/store.ts';

/** A log in a file, and a part of it. */
export interface KeptLog {
  readonly path: string;
  readonly host: string;
  /** Whether the log has no other host: then no command has to name it. */
  readonly isOnly: boolean;
  /** Position of the last event of the history that it holds; of a what-if, where it forks. */
  readonly until: number;
}

/** The file of a log in memory, and the last position that was written to it. */
interface KeptCopy {
  readonly path: string;
  until: number;
}

const copies = new WeakMap<Store, KeptCopy>();

/**
 * The file of a log. If it is in memory, all events are in a file when this returns: those that the
 * file lacks are written. Throws `unavailable` if they cannot be.
 */
export function keptLog(store: Store, host: string, { head, events }: Events): KeptLog {
  if (store.path !== null) {
    const hosts = store.local?.streams() ?? [host];
    return { path: store.path, host, isOnly: hosts.length < 2, until: head };
  }
  const copy = copies.get(store) ?? { path: join(makeFolder(), 'kept.ledger'), until: -1 };
  copies.set(store, copy);
  const { path, until } = copy;
  if (head > until) {
    appendAtOnce(
      path,
      host,
      events.filter(({ position }) => position > until),
    );
    copy.until = head;
  }
  return { path, host, isOnly: true, until: head };
}

type PlacedEvent = LedgerEvent & { readonly position: number };

interface Events {
  readonly head: number;
  readonly events: readonly RecordedEvent[];
}

/** A folder that stays: those whose process has ended are cleared by the name that others have. */
export function makeFolder(): string {
  return mkdtempSync(join(tmpdir(), 'vfio-ledger-kept-'));
}

/** Appends events without waiting: closing a store writes what waits to be written. */
export function appendAtOnce(path: string, host: string, events: readonly PlacedEvent[]): void {
  const [first, last] = [events[0]?.position ?? 0, events.at(-1)?.position ?? -1];
  const store = openSqliteStore(path);
  store.append(host, first - 1, events).catch(() => {});
  void store.close();
  if (headOf(path, host) !== last) throw new StoreUnavailableError(`cannot write ${path}`);
}

function headOf(path: string, host: string): number {
  const store = openSqliteStore(path, { readOnly: true });
  const { head } = store.local!.extent(host);
  void store.close();
  return head.position;
}
