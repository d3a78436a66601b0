/**
 * Evidence on its way into a log: read to its end, then appended after what is there already, and
 * again after what is there then where another writer was first.
 *
 * @module
 */
import { collect, type Collected, type CollectOptions } from '../evidence/collect.ts';
import { microsOf } from '../evidence/instants.ts';
import type { HostBefore } from '../evidence/importer.ts';
import { sequel, type ImportReport } from '../evidence/sequel.ts';
import type { Source } from '../evidence/source.ts';
import { RequestError } from '../events/ledger-error.ts';
import type { LedgerEvent } from '../events/vocabulary.ts';
import { RevisionConflictError } from '../log/store.ts';
import type { SupposedHost } from '../machines/host-at.ts';
import { LiveHost } from '../machines/live-host.ts';
import { newestKernel } from '../machines/profile.ts';
import type { Appendable } from './appendable.ts';
import { type ImportSettings, profileFor, profileNamed, topologyFrom } from './settings.ts';

/**
 * Reads evidence to its end, before any log is touched; `log` is what it is to be added to.
 *
 * Rejects with `EvidenceError`, whose message names source and line or
 * `RequestError`.
 */
export async function readEvidence(
  sources: readonly Source[],
  settings: ImportSettings = {},
  log: Appendable | null = null,
): Promise<Collected> {
  return collect(sources, collectOptions(settings, log));
}

/** Settings as importers take them. Throws `RequestError`. */
export function collectOptions(
  { format, topology, profile, strict, progress, booted, day, zone }: ImportSettings,
  log: Appendable | null,
): CollectOptions {
  return {
    format: format ?? null,
    isStrict: strict === true,
    topology: topology === undefined ? null : topologyFrom(topology),
    profile: profile === undefined ? null : profileNamed(profile),
    usualProfile: newestKernel,
    zero: {
      booted: booted === undefined ? null : instant(booted, '--booted'),
      day: day === undefined ? null : instant(`${day}T00:00:00Z`, '--day'),
      zone: zone === undefined ? null : zoneMicros(zone),
    },
    before: (begun) => (log === null ? null : hostBefore(log, begun)),
    // Every boot has rules to be judged by, or the evidence is not taken.
    admit: (event) => {
      if (event.type === 'host.booted') profileFor(event.data.profile ?? undefined, event.data);
    },
    ...(progress && { progress }),
  };
}

export function instant(text: string, option: string): number {
  const micros = microsOf(text);
  if (micros === null) throw new RequestError(`${option}: '${text}' is no instant`);
  return micros;
}

/** A zone such as +01:00, in microseconds. */
function zoneMicros(text: string): number {
  const [, sign, hours, minutes] = /^([+-])(\d\d):?(\d\d)$/.exec(text) ?? [];
  if (sign === undefined) throw new RequestError(`--zone takes one such as +01:00, not '${text}'`);
  const ahead = (Number(hours) * 60 + Number(minutes)) * 60e6;
  return sign === '-' ? -ahead : ahead;
}

/** How the host stood before evidence: as it stood then where that is in the log already. */
function hostBefore(log: Appendable, begun: string): HostBefore | null {
  for (const event of log.each('evidence.begun')) {
    if (event.type !== 'evidence.begun' || event.id !== begun) continue;
    const { after } = event.data;
    return { after, host: after === null ? hostAsTold(log) : log.suppose(after) };
  }
  const { position } = log.head;
  return hasBooted(log) ? { after: position, host: log.suppose(position) } : null;
}

/** What was taken for granted of a host of which nothing was known. */
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
 * Appends evidence in as few appends as fit into memory, mostly one. What it takes for granted of the
 * host is passed over where the log knows better.
 *
 * Rejects with `EvidenceError` where it is older than the log.
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

/** Appends events after what is there already. Resolves to how many of them were new. */
export async function recordBatch(
  log: Appendable,
  events: readonly LedgerEvent[],
): Promise<number> {
  for (;;) {
    const last = log.event(log.head.position)?.time ?? null;
    const ids = await log.known(events.map(({ id }) => id));
    const fresh = sequel(events, { host: log.host, ids, last });
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
