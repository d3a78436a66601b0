/**
 * Imports evidence: reads all of it, then appends it to a log. If another writer was first, it
 * appends after that writer's events.
 *
 * @module
 */
import { collect, type CollectOptions } from '../evidence/collect.ts';
import type { Collected } from '../evidence/collected.ts';
import { microsOf } from '../evidence/instants.ts';
import type { HostBefore } from '../evidence/importer.ts';
import { newEvents, type ImportReport } from '../evidence/new-events.ts';
import type { Source } from '../evidence/source.ts';
import type { LedgerEvent } from '../events/vocabulary.ts';
import { RevisionConflictError } from '../log/store.ts';
import type { SupposedHost } from '../machines/host-at.ts';
import { LiveHost } from '../machines/live-host.ts';
import { newestKernel } from '../machines/profile.ts';
import { type Appendable, eventsAround } from './appendable.ts';
import { midnight, takenAt, zoneMicros } from './given-times.ts';
import { JudgedKernels } from './judged-kernels.ts';
import { checkKindOf, oneKind } from './log-kind.ts';
import { type ImportSettings, profileFor, profileNamed, topologyFrom } from './settings.ts';

/** What `readEvidence` does. */
export async function readSources(
  sources: readonly Source[],
  settings: ImportSettings,
  log: Appendable | null,
): Promise<Collected> {
  const judged = new JudgedKernels();
  const { admit, ...options } = collectOptions(settings, log);
  const collected = await collect(sources, {
    ...options,
    admit(event, source) {
      admit(event, source);
      judged.note(event);
    },
  });
  return { ...collected, judgedAs: judged.asNeighbours };
}

/** Converts settings for the importers. Throws `bad-request`. */
export function collectOptions(
  { format, topology, profile, strict, progress, booted, day, zone, taken, clock }: ImportSettings,
  log: Appendable | null,
): CollectOptions {
  const isOneKind = oneKind(log);
  return {
    format: format ?? null,
    isStrict: strict === true,
    topology: topology === undefined ? null : topologyFrom(topology),
    profile: profile === undefined ? null : profileNamed(profile),
    usualProfile: newestKernel,
    zero: {
      booted: booted === undefined ? null : microsOf(takenAt(booted, { day, clock }, '--booted')),
      day: day === undefined ? null : midnight(day),
      zone: zone === undefined ? null : zoneMicros(zone),
    },
    taken: taken === undefined ? null : takenAt(taken, { day, clock }),
    before: (begun) => (log === null ? null : hostBefore(log, begun)),
    ...(log !== null && { around: (from, to) => eventsAround(log, from, to) }),
    admit: (event, source) => {
      isOneKind(event, source);
      // Evidence of a kernel without a profile is refused: no rules could judge it.
      if (event.type === 'host.booted') profileFor(event.data.profile ?? undefined, event.data);
    },
    ...(progress && { progress }),
  };
}

/**
 * The host before evidence. For evidence that the log has already, the host before it at that time.
 */
function hostBefore(log: Appendable, begun: string): HostBefore | null {
  for (const event of log.each('evidence.begun')) {
    if (event.type !== 'evidence.begun' || event.id !== begun) continue;
    const { after } = event.data;
    return { after, host: after === null ? hostAsTold(log) : log.suppose(after) };
  }
  const { position } = log.head;
  return hasBooted(log) ? { after: position, host: log.suppose(position) } : null;
}

/** A host with the devices that earlier evidence took from a topology. */
function hostAsTold(log: Appendable): SupposedHost {
  const host = new LiveHost();
  for (const event of log.each('device.added')) {
    if (event.type !== 'device.added') continue;
    if (event.data.evidence?.rule === 'as-the-topology-says') host.suppose(event, 'assumed');
  }
  return host;
}

function hasBooted(log: Appendable): boolean {
  for (const _ of log.each('host.booted')) return true;
  return false;
}

/**
 * Appends evidence in as few appends as memory allows, mostly one. If the log has a boot, the
 * events that the evidence assumes before its own are left out.
 *
 * Rejects with `bad-evidence` if the evidence is older than the log.
 */
export async function recordEvidence(log: Appendable, collected: Collected): Promise<ImportReport> {
  const { events, ...counts } = collected;
  let appended = 0;
  let before = hasBooted(log) ? [] : events.preamble;
  for await (const batch of events.batches()) {
    appended += await recordBatch(log, before.length === 0 ? batch : [...before, ...batch]);
    before = [];
  }
  return { appended, skipped: events.length - appended, ...counts };
}

/** Appends the events that the log does not have yet. Resolves to their number. */
export async function recordBatch(
  log: Appendable,
  events: readonly LedgerEvent[],
): Promise<number> {
  for (;;) {
    checkKindOf(log, events);
    const last = log.lastTime;
    const ids = await log.known(events.map(({ id }) => id));
    const fresh = newEvents(events, { host: log.host, ids, last });
    try {
      const { appended } = await log.append(log.head.position, fresh);
      await log.refresh();
      return appended;
    } catch (error) {
      if (!(error instanceof RevisionConflictError)) throw error;
      await log.refresh();
    }
  }
}
