/**
 * How a host stood before the evidence that is read: what the log knows of it already.
 *
 * @module
 */
import type { DataOf } from '../../events/vocabulary.ts';
import type { Seen } from './traced.ts';

export interface Seed {
  /** The position after which it stood so; null where it was only taken to. */
  readonly after: number | null;
  readonly devices: readonly DataOf<'device.added'>[];
  readonly groups: readonly string[];
  readonly processes: readonly {
    readonly pid: number;
    readonly comm: string;
    readonly descriptors: readonly (readonly [fd: number, seen: Seen, cloexec: boolean])[];
  }[];
}
