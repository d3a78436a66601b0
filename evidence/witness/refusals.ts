/**
 * Builds the event of a refused attempt.
 *
 * @module
 */
import type { DataOf, RecordedAttempt } from '../../events/vocabulary.ts';

/** `operation.refused` of an attempt. */
export function refused(attempt: RecordedAttempt, errno: string, cause: string | null = null) {
  const data = { ...attempt, errno, ...(cause !== null && { cause }) };
  return { type: 'operation.refused', data: data as DataOf<'operation.refused'> } as const;
}
