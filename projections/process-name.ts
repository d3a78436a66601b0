/**
 * Names of processes at a position.
 *
 * @module
 */
import type { Placed } from '../events/vocabulary.ts';
import { effectOf } from '../processes/effects.ts';
import type { Timeline } from './timeline.ts';

/** The name of a process (`comm`) at a position; null if no event of that boot names it. */
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

/** Whether any event gives a process this name, in any boot. */
export function wasCalled(timeline: Timeline, pid: number, comm: string): boolean {
  for (const at of timeline.positionsOf(`process ${pid}`)) {
    const { names } = effectOf(timeline.typeAt(at));
    const named = names?.(timeline.at(at).data) ?? null;
    if (named?.pid === pid && named.comm === comm) return true;
  }
  return false;
}

/** Caches names of processes for a pass over a part of the log. */
export class ProcessNames {
  readonly #timeline: Timeline;
  readonly #names = new Map<number, string | null>();

  constructor(timeline: Timeline) {
    this.#timeline = timeline;
  }

  /** Takes the next event. Only boots and events that name a process matter. */
  take({ type, data }: Placed): void {
    if (type === 'host.booted') this.#names.clear();
    const named = effectOf(type).names?.(data) ?? null;
    if (named !== null) this.#names.set(named.pid, named.comm);
  }

  /** As `commAt`; `position` is that of the last event taken, or later. */
  of(pid: number, position: number): string | null {
    const known = this.#names.get(pid);
    if (known !== undefined) return known;
    const comm = commAt(this.#timeline, pid, position);
    this.#names.set(pid, comm);
    return comm;
  }
}
