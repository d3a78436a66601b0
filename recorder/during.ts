/**
 * Finds what a function did with VFIO files.
 *
 * @module
 */
import type { Activity, Ledger } from '../ledger.ts';
import { snapshotNow } from './snapshot.ts';

/** Options of `during`. */
export interface DuringOptions {
  /** Where a copy of the host is read; by default this host. */
  readonly root?: string | undefined;
}

/**
 * Calls a function, and returns what happened from before the call until its promise is settled, by any
 * process.
 *
 * In the log of a simulation these are the events that the function appends. In any other log, an empty
 * one included, the running host is read before and after; what lay between the two readings is known
 * only if a recorder appends to the log meanwhile. Rejects with what the function throws, with
 * `unavailable` if the host cannot be read, and with `bad-evidence` if the log is newer than a reading.
 */
export async function during(
  ledger: Ledger,
  act: () => unknown,
  { root }: DuringOptions = {},
): Promise<Activity> {
  const isOfHost = !isSimulated(ledger);
  const read = async () => {
    await ledger.refresh();
    if (isOfHost) await snapshotNow(ledger, root);
  };
  await read();
  const { position } = ledger.head;
  await act();
  await read();
  return ledger.between(position < 0 ? 'start' : position, 'end');
}

function isSimulated(ledger: Ledger): boolean {
  for (const { type, data } of ledger.each('host.booted')) {
    return type === 'host.booted' && data.simulated === true && data.evidence === undefined;
  }
  return false;
}
