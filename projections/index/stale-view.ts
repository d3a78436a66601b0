/**
 * The error of a view that is used too late.
 *
 * @module
 */
import { LedgerError } from '../../events/ledger-error.ts';

/** A view of the time index was used after the index had moved to another moment (`stale-view`). */
export class StaleViewError extends LedgerError {
  override readonly name = 'StaleViewError';

  constructor() {
    super('stale-view', 'this view has expired: the ledger moved to another moment; ask again');
  }
}
