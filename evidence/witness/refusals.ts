/**
 * Attempts that were turned down.
 *
 * @module
 */
import type { DataOf, RecordedAttempt } from '../../events/vocabulary.ts';

/** A refused attempt as the log holds it. */
export function refused(attempt: RecordedAttempt, errno: string, cause: string | null = null) {
  const data = { ...attempt, errno, ...(cause !== null && { cause }) };
  return { type: 'operation.refused', data: data as DataOf<'operation.refused'> } as const;
}
