/**
 * Imports evidence: reads all of it, then appends it to a log. If another writer was first, it
 * appends after that writer's events.
 *
 * @module
 */
import { collect, type CollectOptions } from '../evidence/collect.ts';
import type { Collected } from '../evidence/collected.ts';
import { callTraces } from '../evidence/importers.ts';
import { microsOf } from '../events/iso-8601.ts';
import type { HostBefore } from '../evidence/importer.ts';
import { newEvents, type ImportReport } from '../evidence/new-events.ts';
import type { Source } from '../evidence/source.ts';
import { arrayGiven, objectGiven, optionsGiven } from '../events/given.ts';
import { RequestError } from '../events/ledger-error.ts';
import type { LedgerEvent } from '../events/vocabulary.ts';
import { AppendTooLargeError } from '../log/engine.ts';
import { RevisionConflictError } from '../log/store.ts';
import type { SupposedHost } from '../machines/host-at.ts';
import { LiveHost } from '../machines/live-host.ts';
import { newestKernel } from '../machines/profile.ts';
import { type Appendable, catchUp, eventsAround } from './appendable.ts';
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
  for (const source of arrayGiven('importSources', 'an array of sources', sources)) {
    const { name, chunks } = objectGiven('importSources', 'sources with name and chunks', source);
    if (typeof name === 'string' && Object(chunks) === chunks) continue;
    throw new RequestError('importSources: a source has a name, and chunks of text');
  }
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
export function collectOptions(settings: ImportSettings, log: Appendable | null): CollectOptions {
  const { format, topology, profile, strict, progress, booted, day, zone, taken, clock } =
    optionsGiven('import', settings);
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
    ...(log !== null && {
      around: (from, to) => eventsAround(log, from, to),
      isTrace: tracesOf(log),
    }),
    admit: (event, source) => {
      isOneKind(event, source);
      // Evidence of a kernel without a profile is refused: no rules could judge it.
      if (event.type === 'host.booted') profileFor(event.data.profile ?? undefined, event.data);
    },
    ...(progress && { progress }),
  };
}

/** Says whether a source of a log is a trace that shows calls, and nothing else. */
function tracesOf(log: Appendable): (source: string) => boolean {
  let formats: Map<string, Set<string>> | null = null;
  return (name) => {
    formats ??= formatsIn(log);
    const all = [...(formats.get(name) ?? [])];
    return all.length > 0 && all.every((format) => callTraces.has(format));
  };
}

/** The formats of each source, as the log tells. */
function formatsIn(log: Appendable): Map<string, Set<string>> {
  const formats = new Map<string, Set<string>>();
  for (const event of log.each('evidence.begun')) {
    if (event.type !== 'evidence.begun') continue;
    const { source, format } = event.data;
    formats.set(source, (formats.get(source) ?? new Set()).add(format));
  }
  return formats;
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

const READ = 'what readEvidence resolves to';

/**
 * Appends evidence in as few appends as memory allows, mostly one. If the log has a boot, the
 * events that the evidence assumes before its own are left out.
 *
 * Rejects with `bad-evidence` if the evidence is older than the log.
 */
export async function recordEvidence(log: Appendable, collected: Collected): Promise<ImportReport> {
  const { events, ...counts } = objectGiven('record', READ, collected);
  objectGiven('record', READ, events);
  let appended = 0;
  let before = hasBooted(log) ? [] : events.preamble;
  for await (const batch of events.batches()) {
    appended += await recordBatch(log, before.length === 0 ? batch : [...before, ...batch]);
    before = [];
  }
  return { appended, skipped: events.length - appended, ...counts };
}

/**
 * Appends the events that the log does not have yet, in several appends if a server does not take them in
 * one. Resolves to their number.
 */
export async function recordBatch(
  log: Appendable,
  events: readonly LedgerEvent[],
): Promise<number> {
  try {
    return await recordAtOnce(log, events);
  } catch (error) {
    if (!(error instanceof AppendTooLargeError)) throw error;
    const parts = [...partsOf(events, (events.length * error.limit) / error.bytes)];
    if (parts.length < 2) throw error;
    let appended = 0;
    for (const part of parts) appended += await recordBatch(log, part);
    return appended;
  }
}

/** Parts of most of a number of events: those of one line stay together if they can. */
function* partsOf(events: readonly LedgerEvent[], most: number): Generator<readonly LedgerEvent[]> {
  // Some events are longer than others.
  const count = Math.max(Math.floor(most * 0.8), 1);
  for (let begin = 0; begin < events.length;) {
    let end = Math.min(begin + count, events.length);
    while (end > begin + 1 && isOneLine(events[end - 1], events[end])) end--;
    yield events.slice(begin, end);
    begin = end;
  }
}

function isOneLine(one: LedgerEvent | undefined, other: LedgerEvent | undefined): boolean {
  const [before, after] = [one?.data.evidence, other?.data.evidence];
  if (before === undefined || after === undefined) return false;
  return before.line !== null && before.source === after.source && before.line === after.line;
}

async function recordAtOnce(log: Appendable, events: readonly LedgerEvent[]): Promise<number> {
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
      await catchUp(log, error);
    }
  }
}
