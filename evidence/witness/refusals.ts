/**
 * Builds the event of a refused attempt.
 *
 * @module
 */
import type { Attempt, DataOf } from '../../events/vocabulary.ts';
import type { Report } from '../sighting.ts';

/** What a message says of a refusal besides the arguments of the call. */
export interface SaidOfRefusal extends Pick<Report, 'blocker'> {
  readonly cause?: string;
  readonly group?: string;
  readonly device?: string;
  /** The name of the process, if its pid is not shown. */
  readonly comm?: string;
}

/** `operation.refused` of an attempt; `errno` is null if a program concluded it. */
export function refused(attempt: Attempt, errno: string | null, said: SaidOfRefusal = {}) {
  const data = { ...attempt, errno, ...said };
  return { type: 'operation.refused', data: data as DataOf<'operation.refused'> } as const;
}
