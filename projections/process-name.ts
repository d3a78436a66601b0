/**
 * What a process was called.
 *
 * @module
 */
import type { Placed } from '../events/vocabulary.ts';
import { effectOf } from '../processes/effects.ts';
import type { Timeline } from './timeline.ts';

/** The name that a process had been given when an event happened; null where nobody has said. */
export function commAt(timeline: Timeline, pid: number, position: number): string | null {
  const boot = timeline.bootBefore(position);
  for (const at of timeline.positionsBack(`process ${pid}`, position)) {
    if (at < boot) break;
    const { names } = effectOf(timeline.typeAt(at));
    const named = names?.(timeline.at(at).data) ?? null;
    if (named?.pid === pid) return named.comm;
  }
  return null;
}

/** Names of processes, for a question that goes through a part of the log: each is looked for once. */
export class ProcessNames {
  readonly #timeline: Timeline;
  readonly #names = new Map<number, string | null>();

  constructor(timeline: Timeline) {
    this.#timeline = timeline;
  }

  /** Takes the next boot, or event that names a process. */
  take({ type, data }: Placed): void {
    if (type === 'host.booted') this.#names.clear();
    const named = effectOf(type).names?.(data) ?? null;
    if (named !== null) this.#names.set(named.pid, named.comm);
  }

  /** As `commAt`, at the position that has been reached. */
  of(pid: number, position: number): string | null {
    const known = this.#names.get(pid);
    if (known !== undefined) return known;
    const comm = commAt(this.#timeline, pid, position);
    this.#names.set(pid, comm);
    return comm;
  }
}
