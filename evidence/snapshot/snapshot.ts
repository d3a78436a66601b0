/**
 * Turns a reading of a running host into facts: the differences from what the log knows, in an order in
 * which they can have happened.
 *
 * The changes themselves were not seen. A file that is open is told as opened. What must have happened
 * before, but cannot be read, is inferred by a named rule. What cannot be known is a gap.
 *
 * @module
 */
import { hash } from 'node:crypto';
import type { Fact, LedgerEvent } from '../../events/vocabulary.ts';
import type { SupposedHost } from '../../machines/host-at.ts';
import { instantOf, microsOf } from '../../events/iso-8601.ts';
import type { HostReading } from '../reading/reading.ts';
import type { Told } from '../witness/inferences.ts';
import { tellDevices } from './devices.ts';
import { tellEnds } from './ends.ts';
import { tellGaps } from './gaps.ts';
import { tellGranted } from './granted.ts';
import {
  placeMapped,
  tellCdevs,
  tellContexts,
  tellFlags,
  tellGroupFiles,
  tellMappings,
  tellProcesses,
} from './opens.ts';
import { Scene } from './scene.ts';

export interface SnapshotOptions {
  /** The time of the reading, ISO 8601. */
  readonly time: string;
  /** `evidence.source` of the events. */
  readonly source?: string;
}

/** What is known besides the reading. */
interface Circumstances {
  /** The time of the last event of the log. */
  readonly last: string | null;
  /** The profile to assume for the host; null if its kernel decides. */
  readonly profile: string | null;
}

/** The facts by which a reading differs from the log. They are applied to `host`, the log's end. */
export function factsOf(
  reading: HostReading,
  host: SupposedHost,
  circumstances: Circumstances,
): readonly Told[] {
  const boot = bootOf(reading, host.boot, circumstances);
  if (boot !== null) host.suppose(boot.fact, boot.certainty);
  const scene = new Scene(reading, host);
  tellEnds(scene);
  tellDevices(scene);
  tellProcesses(scene);
  placeMapped(scene);
  tellContexts(scene);
  tellGroupFiles(scene);
  tellGranted(scene);
  tellCdevs(scene);
  tellMappings(scene);
  tellFlags(scene);
  tellGaps(scene);
  scene.tell(takenOf(scene), undefined, 'observed');
  return [...(boot === null ? [] : [boot]), ...scene.told];
}

/** The boot of the host; null if the log knows it. */
function bootOf(
  reading: HostReading,
  known: string | null,
  { last, profile }: Circumstances,
): Told | null {
  if (known !== null && isSameBoot(reading, known, last)) return null;
  const { kernel, devices, processes } = reading;
  const descriptors = processes.flatMap((process) => process.descriptors);
  const iommufd =
    reading.iommufd ||
    devices.some(({ cdev }) => cdev !== null) ||
    descriptors.some(({ kind, cdev }) => kind === 'iommufd' || cdev !== null);
  const boot = reading.boot ?? `unseen-${hash('sha256', JSON.stringify(reading)).slice(0, 8)}`;
  const data = { boot, kernel: kernel ?? 'unknown', profile, iommufd, simulated: false };
  const fact: Fact = { type: 'host.booted', data };
  return profile === null
    ? { fact, certainty: 'inferred', rule: 'read-from-the-host' }
    : { fact, certainty: 'assumed', rule: 'rules-of-the-newest-kernel' };
}

/**
 * Whether the host is still in the boot that the log knows. An importer makes up a name for a boot that
 * was not recorded; such a boot is the same if the host booted before the last event.
 */
function isSameBoot({ boot, bootedAt }: HostReading, known: string, last: string | null): boolean {
  if (boot !== null && !known.startsWith('unseen-')) return boot === known;
  const [booted, until] = [bootedAt, last].map((time) => time && microsOf(time));
  return booted == null || until == null || booted <= until;
}

function takenOf({ reading, devices, unseen, suspects }: Scene): Fact {
  const isPlugged = reading.hasDevices && [...devices.values()].every(({ isSeen }) => isSeen);
  const complete = reading.isComplete && isPlugged && suspects.size === 0;
  return { type: 'snapshot.taken', data: { complete, unseen: [...reading.unseen, ...unseen] } };
}

/** Turns facts into events. Ids depend on reading and time, so appending them again adds nothing. */
export function eventsOf(
  told: readonly Told[],
  reading: HostReading,
  { time, source = 'snapshot' }: SnapshotOptions,
): readonly LedgerEvent[] {
  const micros = microsOf(time);
  const at = micros === null ? null : instantOf(micros);
  const digest = hash('sha256', `${at} ${JSON.stringify(reading)}`);
  const counts = new Map<string, number>();
  return told.map(({ fact: { type, data }, certainty, rule }) => {
    const what = `${type} ${JSON.stringify(data)}`;
    const nth = counts.get(what) ?? 0;
    counts.set(what, nth + 1);
    const id = hash('sha256', `${digest} ${what} ${nth}`).slice(0, 24);
    const evidence = { source, line: null, certainty, ...(rule !== null && { rule }) };
    return { id, time: at, type, data: { ...data, evidence } } as LedgerEvent;
  });
}
