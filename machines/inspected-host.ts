/**
 * `InspectedHost`: a view of a host that says on a console (`util.inspect`) what there is, by name.
 *
 * @module
 */
import { INSPECT } from '../events/inspect-symbol.ts';
import { LedgerError } from '../events/ledger-error.ts';
import type { HostAt } from './host-at.ts';

type Shown = Pick<HostAt, 'isKnown' | 'groups' | 'devices' | 'files' | 'processes'>;

export abstract class InspectedHost implements Shown {
  abstract readonly isKnown: boolean;
  abstract groups(): ReturnType<HostAt['groups']>;
  abstract devices(): ReturnType<HostAt['devices']>;
  abstract files(): ReturnType<HostAt['files']>;
  abstract processes(): ReturnType<HostAt['processes']>;

  /** @internal */
  [INSPECT](): object {
    try {
      return {
        isKnown: this.isKnown,
        groups: Array.from(this.groups(), ({ group }) => group),
        devices: Array.from(this.devices(), ({ device }) => device),
        files: Array.from(this.files(), ({ id }) => id),
        processes: Array.from(this.processes(), ({ pid }) => pid),
      };
    } catch (error) {
      // The view is that of another moment by now.
      if (error instanceof LedgerError) return { code: error.code };
      throw error;
    }
  }
}
