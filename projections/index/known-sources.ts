/**
 * The sources of a log, and from when to when they showed every process of the host.
 *
 * A simulation and recorded answers show all processes, from their boot on. A recorder of the whole
 * host shows all of them from a moment on at which everything was known: after a complete reading,
 * or after a boot. The log does not say when a recorder stopped, so a recorder watched the host up
 * to the last event that it told of. Any other source shows some processes, and never that there
 * were no others.
 *
 * @module
 */
import { isSeenBoot } from '../../events/evidence.ts';
import type { Placed } from '../../events/vocabulary.ts';
import type { LiveHost } from '../../machines/live-host.ts';
import { GroupDoubts, type GroupDoubt } from './group-doubts.ts';

/** Formats of recorders that show every process of the host. */
const wholeHost: ReadonlySet<string | null> = new Set(['bpftrace', 'ftrace']);

/** Evidence that was read from one source. */
export interface EvidenceSource {
  /** A file or a recorder, as its events name it; null for events without `evidence`. */
  readonly source: string | null;
  /**
   * As in `evidence.begun`; `snapshot` for readings of the host; `simulation` or `truth` for events
   * without `evidence` from a boot on; null if no event tells.
   */
  readonly format: string | null;
  /** Position of its first event. */
  readonly from: number;
  /** Position of its last event. */
  readonly last: number;
}

/** Whether a source shows every process while it watches. */
export function showsWholeHost({ format }: EvidenceSource): boolean {
  return wholeHost.has(format);
}

/** All processes were seen in the states after `from` to right before `until`. */
interface WatchedStretch {
  readonly from: number;
  readonly until: number;
}

/** A source that shows every process while it watches. */
interface Watcher {
  /** Position from which on it watched. */
  readonly start: number;
  /** Position since which nothing can have been missed if it still watches; null if much can. */
  readonly since: number | null;
}

export interface SavedSources {
  readonly sources: readonly EvidenceSource[];
  readonly watchers: readonly (readonly [string | null, Watcher])[];
  readonly watched: readonly WatchedStretch[];
  readonly doubts: readonly GroupDoubt[];
  readonly gaps: readonly number[];
  readonly known: number | null;
}

/** The sources of a log without events. */
export const NO_SOURCES: SavedSources = {
  sources: [],
  watchers: [],
  watched: [],
  doubts: [],
  gaps: [],
  known: null,
};

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

export class KnownSources {
  readonly #sources: Mutable<EvidenceSource>[];
  /** The last source of each name. */
  readonly #latest: Map<string | null, Mutable<EvidenceSource>>;
  readonly #watchers: Map<string | null, Watcher>;
  readonly #watched: Mutable<WatchedStretch>[];
  readonly #doubts: GroupDoubts;
  readonly #gaps: number[];
  #known: number | null;

  constructor({ sources, watchers, watched, doubts, gaps, known }: SavedSources) {
    this.#sources = sources.map((source) => ({ ...source }));
    this.#latest = new Map(this.#sources.map((source) => [source.source, source]));
    this.#watchers = new Map(watchers);
    this.#watched = watched.map((stretch) => ({ ...stretch }));
    this.#doubts = new GroupDoubts(doubts);
    this.#gaps = [...gaps];
    this.#known = known;
  }

  /** By their first event. */
  get sources(): readonly EvidenceSource[] {
    return this.#sources;
  }

  /** Ascending. */
  get watched(): readonly WatchedStretch[] {
    return this.#watched;
  }

  /** Of stretches in which all processes were watched. */
  get doubts(): readonly GroupDoubt[] {
    return this.#doubts.all;
  }

  /** Positions at which evidence of the whole host was lost while all processes were watched. */
  get gaps(): readonly number[] {
    return this.#gaps;
  }

  /** Position of the last boot or complete reading; null if evidence was lost since then. */
  get known(): number | null {
    return this.#known;
  }

  save(): SavedSources {
    return {
      sources: this.#sources.map((source) => ({ ...source })),
      watchers: [...this.#watchers],
      watched: this.#watched.map((stretch) => ({ ...stretch })),
      doubts: this.#doubts.save(),
      gaps: [...this.#gaps],
      known: this.#known,
    };
  }

  /** Takes an event after `host` has taken it. */
  take(event: Placed, host: LiveHost): void {
    const { position } = event;
    // They tell of the log, not of the host.
    if (event.type === 'history.removed' || event.type === 'history.archived') {
      return this.#extend(null, position);
    }
    const name = sourceOf(event);
    this.#note(event, name);
    // Where a kernel was asked or simulated, nothing happens but what is recorded at once.
    if (name !== null) this.#blind(null);
    if (!host.isKnown) return;
    const before = this.#earliest();
    if (event.type === 'host.booted') this.#boot(event);
    else if (event.type === 'evidence.begun') this.#begin(event.data, position);
    else if (event.type === 'snapshot.taken' && event.data.complete) this.#know(position, name);
    else if (event.type === 'gap.noticed' && event.data.group === null) return this.#lose(position);
    // What is assumed was not seen, by whichever recorder.
    if (event.data.evidence?.certainty !== 'assumed') this.#extend(name, position);
    const earliest = this.#earliest();
    if (earliest === null) return this.#doubts.endAll(position);
    if (before === null) this.#doubts.begin(host, earliest, position);
    this.#doubts.take(event, host, earliest);
  }

  /** Notes that a source tells of an event; it may begin with it. */
  #note(event: Placed, name: string | null): void {
    const { type, position } = event;
    const format = formatOf(event);
    const latest = this.#latest.get(name);
    // The events that a trace assumes come before the one that names its format.
    const isNamed = latest?.format === null && name !== null;
    const isAgain = format === null || (format === latest?.format && type !== 'evidence.begun');
    if (latest !== undefined && (isNamed || isAgain)) {
      latest.format ??= format;
      latest.last = position;
    } else if (type !== 'gap.noticed') {
      const source = { source: name, format, from: position, last: position };
      this.#sources.push(source);
      this.#latest.set(name, source);
    }
  }

  #boot(event: Extract<Placed, { type: 'host.booted' }>): void {
    const { data, position } = event;
    const isPlayed = data.evidence === undefined;
    const played = this.#watchers.get(null);
    // No tracer outlives a boot.
    for (const name of this.#watchers.keys()) if (!isPlayed || name !== null) this.#blind(name);
    this.#doubts.endAll(position);
    this.#known = isSeenBoot(event) ? position : null;
    if (!isPlayed) return;
    this.#watchers.set(null, { start: position, since: played?.since ?? position });
  }

  /**
   * A recorder that is running has the name of its format as its source, and was watching before
   * the reading that it continues from. Since when an imported trace was watching is not told.
   */
  #begin({ source, format, after }: Begun, position: number): void {
    this.#watchers.delete(source);
    if (!wholeHost.has(format)) return;
    const isLive = source === format && after !== null && after === this.#known;
    const start = isLive ? after : position;
    this.#watchers.set(source, { start, since: isLive ? after : null });
  }

  /** After a complete reading of the host, told by a source. */
  #know(position: number, by: string | null): void {
    this.#known = position;
    for (const [name, watcher] of this.#watchers) {
      if (watcher.since !== null || (name === null && by !== null)) continue;
      this.#watchers.set(name, { ...watcher, since: position });
    }
    this.#doubts.endGaps(position);
  }

  /** Evidence of the whole host was lost right before a position. */
  #lose(position: number): void {
    if (this.#earliest() !== null || this.#known !== null) this.#gaps.push(position);
    for (const name of this.#watchers.keys()) this.#blind(name);
    this.#known = null;
    this.#doubts.endAll(position);
  }

  #blind(name: string | null): void {
    const watcher = this.#watchers.get(name);
    if (watcher !== undefined && watcher.since !== null) {
      this.#watchers.set(name, { ...watcher, since: null });
    }
  }

  /** A source tells of an event, so it was still watching: what it has seen until then is all. */
  #extend(name: string | null, position: number): void {
    const since = this.#watchers.get(name)?.since ?? null;
    if (since === null) return;
    const last = this.#watched.at(-1);
    if (last !== undefined && last.from <= since && last.until >= since) last.until = position;
    else this.#merge(since, position);
    if (name === null || this.#watchers.size === 1) return;
    for (const [other, watcher] of this.#watchers) {
      if (other === null || watcher.since !== null) continue;
      this.#watchers.set(other, { ...watcher, since: Math.max(watcher.start, since) });
    }
  }

  #merge(since: number, until: number): void {
    let from = since;
    let last = this.#watched.at(-1);
    for (; last !== undefined && last.until >= since; last = this.#watched.at(-1)) {
      from = Math.min(from, last.from);
      this.#watched.pop();
    }
    this.#watched.push({ from, until });
  }

  /** Position since which any source may have missed nothing; null if there is none. */
  #earliest(): number | null {
    let earliest: number | null = null;
    for (const { since } of this.#watchers.values()) {
      if (since !== null && (earliest === null || since < earliest)) earliest = since;
    }
    return earliest;
  }
}

type Begun = Extract<Placed, { type: 'evidence.begun' }>['data'];

/** The name of the source that an event was read from; null if it has no `evidence`. */
function sourceOf({ type, data }: Placed): string | null {
  return type === 'evidence.begun' ? data.source : (data.evidence?.source ?? null);
}

/** The format of a source, if an event tells; otherwise null. */
function formatOf({ type, data }: Placed): string | null {
  if (type === 'evidence.begun') return data.format;
  if (type === 'snapshot.taken') return 'snapshot';
  if (type !== 'host.booted' || data.evidence !== undefined) return null;
  return data.simulated ? 'simulation' : 'truth';
}
