/**
 * The refusals and claims that a log has: of two sources that told the same, it has the events of one.
 *
 * @module
 */
import type { DataOf, LedgerEvent } from '../../events/vocabulary.ts';
import { KERNEL_PID } from '../../processes/process-table.ts';
import { instantOf, microsOf } from '../../events/iso-8601.ts';
import { claimKind, isOne, refusalKind, SAME, UNNAMED, type Telling } from './told.ts';

/** Gives the events of a log from one instant to another, both ISO 8601 as in the log. */
export type EventsAround = (from: string, to: string) => Iterable<LedgerEvent>;

/** The ids of the events that record a statement. `at`: its time, in microseconds since 1970. */
export function idsOfTelling(telling: Telling, at: number, around: EventsAround): string[] {
  const [from, to] = [instantOf(at - SAME), instantOf(at + SAME)];
  if (from === null || to === null) return [];
  const placed: Telling = { ...telling, stamps: [{ clock: 'wall', at }] };
  return [...around(from, to)].flatMap((event) => {
    const recorded = tellingOf(event);
    return recorded !== null && isOne(recorded, placed) ? [event.id] : [];
  });
}

/** An event as it was told; null if no message tells of such events, or it has no time. */
function tellingOf(event: LedgerEvent): Telling | null {
  const at = event.time === null ? null : microsOf(event.time);
  if (at === null || event.data.evidence === undefined) return null;
  const told = {
    ...UNNAMED,
    host: null,
    stamps: [{ clock: 'wall', at }],
    line: -Infinity,
  } as const;
  switch (event.type) {
    case 'operation.refused': {
      const kind = refusalKind(event.data);
      const { pid, group, device, driver, cause } = event.data as Partial<Named>;
      const isNamed = typeof pid === 'number' && pid < KERNEL_PID;
      return {
        ...told,
        kind,
        group: group ?? null,
        device: device ?? null,
        driver: driver ?? null,
        cause: cause ?? null,
        pid: isNamed ? pid : null,
      };
    }
    case 'claim.granted':
      return { ...told, kind: kindOfClaim('granted', event.data) };
    case 'claim.released':
      return { ...told, kind: kindOfClaim('released', event.data) };
    case 'claim.refused': {
      const { claimant } = event.data;
      return { ...told, kind: kindOfClaim('refused', event.data), claimant };
    }
    default:
      return null;
  }
}

/** What the events of refusals may name. */
type Named = Pick<Telling, 'group' | 'device' | 'driver' | 'cause' | 'pid'>;

function kindOfClaim(
  outcome: 'granted' | 'released' | 'refused',
  { device, group, claimant: name, uuid, manager, reason }: DataOf<'claim.refused'>,
): string {
  const claimant = name === null ? null : { name, uuid };
  const of = { device, ...(group !== undefined && { group }) };
  return claimKind({ outcome, ...of, claimant, manager, reason });
}
