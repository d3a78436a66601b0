/**
 * Reads the running host, and appends how it stands before anything is traced.
 *
 * @module
 */
import { isDeepStrictEqual } from 'node:util';
import { instantOf } from '../events/iso-8601.ts';
import { LedgerError, readHost, type HostReading, type Ledger } from '../ledger.ts';
import type { RunningTracer } from './tracer.ts';

/** A host that changes with every reading is taken as it is. */
const MOST_READINGS = 5;

/**
 * Reads this host, or a copy of its /proc, /sys and /dev below `root`. Throws `bad-evidence` if
 * `root` holds no host, and `unavailable` if no process can be read.
 */
export function hostReading(root: string | undefined): HostReading {
  if (root === undefined && process.platform !== 'linux') {
    throw new LedgerError(
      'unavailable',
      'this is not a Linux host; read a copy of one with --root',
    );
  }
  const reading = readHost(root ?? '/');
  if (reading.listed.pids.length > 0) return reading;
  throw new LedgerError('unavailable', `${root ?? ''}/proc: no process can be read`);
}

/** Appends how the host stands. */
export async function snapshotNow(ledger: Ledger, root: string | undefined): Promise<void> {
  const at = now();
  await append(ledger, hostReading(root), at);
}

/**
 * Appends how the host stands; what the tracer shows goes on from there. Nothing falls between the
 * two: the host is read until two readings are equal, and what was traced before the last is dropped.
 */
export async function snapshotBeside(
  tracer: RunningTracer,
  ledger: Ledger,
  root: string | undefined,
): Promise<void> {
  let last: HostReading | null = null;
  for (let count = 1; ; count++) {
    await tracer.passOver();
    const at = now();
    const reading = hostReading(root);
    if (count > MOST_READINGS || (last !== null && isSame(reading, last))) {
      return append(ledger, reading, at);
    }
    last = reading;
  }
}

/** A clock that was set back does not make a reading older than the log. */
async function append(ledger: Ledger, reading: HostReading, at: string): Promise<void> {
  const last = ledger.lastTime;
  await ledger.snapshot(reading, { time: last !== null && last > at ? last : at });
}

function now(): string {
  return instantOf(Date.now() * 1000) ?? '';
}

function isSame(one: HostReading, other: HostReading): boolean {
  const shown = ({ devices, nodes, processes }: HostReading) => ({ devices, nodes, processes });
  return isDeepStrictEqual(shown(one), shown(other));
}
