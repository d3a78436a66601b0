/**
 * A reading of a running host as facts: what is otherwise than a log knows it, in an order in which it
 * can have come about.
 *
 * Nobody has seen it happen. What is open is told as if it had been opened; what must have happened for
 * it to be so, and cannot be read, is told by a rule of its own; and what nobody can say is a gap.
 *
 * @module
 */
import { hash } from 'node:crypto';
import type { Fact, LedgerEvent } from '../../events/vocabulary.ts';
import type { SupposedHost } from '../../machines/host-at.ts';
import { instantOf, microsOf } from '../instants.ts';
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
  /** When the host was read, in ISO 8601. */
  readonly time: string;
  /** What events say that they were read from. */
  readonly source?: string;
}

/** What is known beside the reading. */
interface Circumstances {
  /** When the last event of the log happened. */
  readonly last: string | null;
  /** Whose rules judge the host where its kernel does not say; null where it does. */
  readonly profile: string | null;
}

/** The facts by which a reading differs from what the log knows. `host` is told every one of them. */
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

/** The boot of the host, where the log does not know it; nobody has seen it. */
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
 * Whether the host is still in the boot that the log has. Evidence that does not name its boot has
 * given it a name of its own: then it is the same if the host had booted before the last event.
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

/** Facts as events: the same reading at the same time tells the same fact once. */
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
