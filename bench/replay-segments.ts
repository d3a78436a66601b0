/**
 * Replay as it is done here.
 *
 * @module
 */
import { openLedger } from '../ledger.ts';

/** Replays a log to its end; gives how many events that were. */
export async function replaySegments(path: string): Promise<number> {
  const ledger = await openLedger(path);
  ledger.at('end').table();
  const events = ledger.head.position + 1;
  await ledger.close();
  return events;
}
