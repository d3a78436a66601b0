/**
 * A reading of a running host on its way into a log: what it shows to be otherwise than the log knows.
 *
 * @module
 */
import type { HostReading } from '../evidence/reading/reading.ts';
import { sequel } from '../evidence/sequel.ts';
import { eventsOf, factsOf, type SnapshotOptions } from '../evidence/snapshot/snapshot.ts';
import type { Told } from '../evidence/witness/inferences.ts';
import { RequestError } from '../events/ledger-error.ts';
import { type RecordedEvent, RevisionConflictError } from '../log/store.ts';
import { hasIommufd, newestKernel, profileOfKernel } from '../machines/profile.ts';
import { type Appendable, isSimulated } from './appendable.ts';
import { instant } from './import.ts';

/** What a reading of a running host added to a log. */
export interface SnapshotReport {
  /** The last event that there is of it. */
  readonly at: { readonly position: number; readonly time: string | null };
  /** How many of the events are new. */
  readonly appended: number;
  /** The events but the last, which says that the host was read. */
  readonly changed: readonly RecordedEvent[];
  /** What could not be seen, in words. */
  readonly unseen: readonly string[];
  /** Whether nothing was out of sight: then who is not seen to have anything has nothing. */
  readonly complete: boolean;
}

/**
 * Appends in what a host that was read is otherwise than the log knows it, and that it was read.
 *
 * Rejects with `RequestError` where the log is of a simulation, and with `EvidenceError` where the
 * reading is older than the log.
 */
export async function recordSnapshot(
  log: Appendable,
  reading: HostReading,
  options: SnapshotOptions,
): Promise<SnapshotReport> {
  instant(options.time, 'the time of the reading');
  for (;;) {
    if ([...log.each('host.booted')].some(isSimulated)) {
      throw new RequestError('the log holds a simulation: a real host takes one of its own');
    }
    const { position } = log.head;
    const last = log.event(position)?.time ?? null;
    const profile = profileBeside(reading);
    const told = factsOf(reading, log.suppose(position), { last, profile });
    const events = eventsOf(told, reading, options);
    const ids = await log.known(events.map(({ id }) => id));
    const fresh = sequel(events, { host: log.host, ids, last });
    try {
      const { appended, head } = await log.append(position, fresh);
      await log.refresh();
      return reportOf(log, { first: position + 1, end: head.position, appended }, told);
    } catch (error) {
      if (!(error instanceof RevisionConflictError)) throw error;
      await log.refresh();
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

/** Whose rules judge a host whose kernel's rules are not known, or have no iommufd and it has one. */
function profileBeside({ kernel, iommufd }: HostReading): string | null {
  const profile = profileOfKernel(kernel ?? '');
  if (profile === null) return newestKernel;
  return iommufd && !hasIommufd(profile, true) ? 'linux-6.12' : null;
}
