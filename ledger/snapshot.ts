/**
 * Records a reading of a running host: appends the differences between the reading and the log.
 *
 * @module
 */
import { objectGiven } from '../events/given.ts';
import type { HostReading } from '../evidence/reading/reading.ts';
import { newEvents } from '../evidence/new-events.ts';
import { eventsOf, factsOf, type SnapshotOptions } from '../evidence/snapshot/snapshot.ts';
import type { Told } from '../evidence/witness/inferences.ts';
import { type RecordedEvent, RevisionConflictError } from '../log/store.ts';
import { profileOfKernel } from '../machines/eras.ts';
import { hasIommufd, newestKernel } from '../machines/profile.ts';
import { type Appendable, catchUp } from './appendable.ts';
import { checkInstant } from './given-times.ts';
import { checkKind } from './log-kind.ts';

/** What a snapshot appended to a log. */
export interface SnapshotReport {
  /** Its last event, `snapshot.taken`. */
  readonly at: { readonly position: number; readonly time: string | null };
  /** Number of new events. */
  readonly appended: number;
  /** Its events without the last: the differences between the host and the log. */
  readonly changed: readonly RecordedEvent[];
  /** What could not be read, in sentences. */
  readonly unseen: readonly string[];
  /** Whether everything could be read: then a group without a visible holder is free. */
  readonly complete: boolean;
}

/**
 * Appends the differences between a reading and the log, and `snapshot.taken`.
 *
 * Rejects with `bad-request` if the log has a simulation, and with `bad-evidence` if the reading is
 * older than the log.
 */
export async function recordSnapshot(
  log: Appendable,
  reading: HostReading,
  options: SnapshotOptions,
): Promise<SnapshotReport> {
  objectGiven('snapshot', 'a reading of a host', reading);
  checkInstant(
    objectGiven('snapshot', 'options with a time', options).time,
    'the time of the reading',
  );
  for (;;) {
    checkKind(log, 'evidence');
    const { position } = log.head;
    const last = log.lastTime;
    const profile = profileBeside(reading);
    const told = factsOf(reading, log.suppose(position), { last, profile });
    const events = eventsOf(told, reading, options);
    const ids = await log.known(events.map(({ id }) => id));
    const fresh = newEvents(events, { host: log.host, ids, last });
    try {
      const { appended, head } = await log.append(position, fresh);
      await log.refresh();
      return reportOf(log, { first: position + 1, end: head.position, appended }, told);
    } catch (error) {
      if (!(error instanceof RevisionConflictError)) throw error;
      await catchUp(log, error);
    }
  }
}

function reportOf(
  log: Appendable,
  { first, end, appended }: { first: number; end: number; appended: number },
  told: readonly Told[],
): SnapshotReport {
  const length = Math.max(end - first, 0);
  const changed = Array.from({ length }, (_, index) => log.event(first + index)!);
  const taken = told.at(-1)?.fact;
  const { unseen, complete } =
    taken?.type === 'snapshot.taken' ? taken.data : { unseen: [], complete: false };
  const at = { position: end, time: log.event(end)?.time ?? null };
  return { at, appended, changed, unseen, complete };
}

/**
 * The profile to assume for a kernel without one, or for a host with iommufd if its profile has
 * none.
 */
function profileBeside({ kernel, iommufd }: HostReading): string | null {
  const profile = profileOfKernel(kernel ?? '');
  if (profile === null) return newestKernel;
  return iommufd && !hasIommufd(profile, true) ? 'linux-6.12' : null;
}
