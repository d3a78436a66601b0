/**
 * Judges the attempts of a log by the rules of another kernel.
 *
 * The history stays as it was recorded: each attempt is judged on the state that it met. An attempt
 * that the other rules would let through has no effect on later ones.
 *
 * @module
 */
import type { Placed } from '../events/vocabulary.ts';
import { LiveHost } from '../machines/live-host.ts';
import type { AnsweredAttempt, Verdict } from '../machines/other-profile.ts';
import type { Profile } from '../machines/profile.ts';
import { callOf } from '../operations/table.ts';

/** An attempt that ended as `recorded`, and as `other` by the rules of another profile. */
export interface Difference {
  readonly position: number;
  /** Time of the attempt; null if it has none. */
  readonly time: string | null;
  readonly operation: string;
  readonly recorded: Verdict;
  readonly other: Verdict;
}

/** All attempts of a history, judged by the rules of another profile. */
export interface Replay {
  readonly attempts: number;
  /** Number of attempts that cannot be judged, because the state that they met is unknown. */
  readonly unknown: number;
  readonly differences: readonly Difference[];
}

/**
 * Judges every attempt by the rules of a profile. Without `isKnown`, older events were removed, and
 * attempts before the first boot count as `unknown`.
 */
export function replayBy(
  profile: Profile,
  events: Iterable<Placed>,
  { isKnown = true }: { readonly isKnown?: boolean } = {},
): Replay {
  const host = new LiveHost({ isKnown });
  const differences: Difference[] = [];
  let [attempts, unknown, configured] = [0, 0, false];
  for (const event of events) {
    const { position, time } = event;
    const attempt = attemptOf(event);
    if (attempt !== null) {
      attempts++;
      const verdicts = host.verdictsUnder(profile, attempt, configured);
      const { operation } = attempt.call;
      if (verdicts === null) unknown++;
      else if (!isSame(verdicts.recorded, verdicts.other)) {
        differences.push({ position, time, operation, ...verdicts });
      }
    }
    if (event.type === 'host.booted') configured = event.data.iommufd;
    if (host.isKnown || event.type === 'host.booted') host.take(event);
  }
  return { attempts, unknown, differences };
}

function attemptOf(event: Placed): AnsweredAttempt | null {
  if (event.type === 'operation.refused') {
    const { errno } = event.data;
    // What a program concluded was not attempted.
    return errno === null ? null : { call: event.data, passed: {}, errno };
  }
  const called = callOf(event);
  return called === null ? null : { ...called, errno: null };
}

function isSame(a: Verdict, b: Verdict): boolean {
  return a.errno === b.errno && a.cause === b.cause && a.dead === b.dead;
}
