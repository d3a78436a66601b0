/**
 * What is said of the replica of an engine.
 *
 * @module
 */

/** That a replica was made anew, why, and where the old one is. */
export function renewedWords({
  path,
  kept,
  reason,
}: {
  readonly path: string;
  readonly kept: string;
  readonly reason: string;
}): string {
  return `the replica ${path} was made anew, and the old one is kept as ${kept}: ${reason}`;
}
