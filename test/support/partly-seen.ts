/**
 * Logs of a busy host of which only parts were seen: by recorders of the whole host, strace of some
 * processes, readings, traces that were imported, listings. Beside each log stands what was missed.
 *
 * @module
 */
import fc from 'fast-check';
import type { Fact, LedgerEvent, Placed } from '../../events/vocabulary.ts';
import { drawFrom, type Draw } from './draw.ts';
import { busyHost, type Log } from './random-logs.ts';

export interface PartlySeen {
  readonly log: Log;
  /**
   * For each position: whether anything that happened on the host, since everything of it was last
   * known and up to the next position, is not in the log. The log says nothing of what follows it.
   */
  readonly missed: readonly boolean[];
  /** For each position: whether the log itself tells that everything was known then. */
  readonly known: readonly boolean[];
  /** For each position: whether the log itself tells that all was watched up to the next. */
  readonly watched: readonly boolean[];
  /** For each position: the groups of which evidence is missing. */
  readonly gaps: readonly ReadonlySet<string>[];
}

/** A recorder of the whole host, from the position where it is known to have watched. */
interface Watch {
  readonly from: number;
  last: number;
}

class Scribe {
  readonly events: Placed<LedgerEvent>[] = [];
  /** For each position: whether something was missed until then, and up to the next. */
  readonly #missed: { at: boolean; after: boolean }[] = [];
  readonly #watches: Watch[] = [];
  /** The last watch of each source. */
  readonly #watching = new Map<string | null, Watch>();
  /** Positions at which everything was known, and those after which something was lost. */
  readonly #readings = new Set<number>();
  readonly #losses = new Set<number>();
  readonly #boots = new Set<number>();
  readonly #groupGaps: { readonly at: number; readonly group: string }[] = [];
  readonly #truth: readonly Fact[];
  readonly #draw: Draw;
  #next = 0;
  #sessions = 0;
  #isMissing = true;

  constructor(truth: readonly Fact[], draw: Draw) {
    this.#truth = truth;
    this.#draw = draw;
  }

  get isOver(): boolean {
    return this.#next >= this.#truth.length;
  }

  /** So many events happen; those that are seen are written down. */
  pass(count: number, source: string | null, isSeen: (fact: Fact) => boolean = () => true): void {
    for (let left = count; left > 0 && !this.isOver; left--) {
      const fact = this.#truth[this.#next++]!;
      if (source !== null && isSeen(fact)) this.write(fact, source);
      else this.#miss();
    }
  }

  #miss(): void {
    this.#isMissing = true;
    const last = this.#missed.at(-1);
    if (last !== undefined) last.after = true;
  }

  write({ type, data }: Fact, source: string | null, certainty = 'observed'): number {
    const position = this.events.length;
    const evidence = { source, line: position + 1, certainty };
    const told = source === null ? data : { ...data, evidence };
    this.events.push({ type, data: told, position, id: `e${position}`, time: null } as never);
    this.#missed.push({ at: this.#isMissing, after: false });
    const watch = this.#watching.get(source);
    if (watch !== undefined) watch.last = position;
    return position;
  }

  reading(complete: boolean): number {
    if (complete) this.#isMissing = false;
    const data = { complete, unseen: complete ? [] : ['pid 7'] };
    const position = this.write({ type: 'snapshot.taken', data }, 'snapshot');
    if (complete) this.#readings.add(position);
    return position;
  }

  begin(source: string, format: string, after: number | null): number {
    this.#watching.delete(source);
    const data = { source, format, clock: 'none', zero: null, after } as const;
    return this.write({ type: 'evidence.begun', data }, source);
  }

  /** `vfio-ledger record`: it watches, reads the host, and goes on watching. */
  record(complete: boolean): void {
    const after = this.reading(complete);
    this.begin('bpftrace', 'bpftrace', after);
    this.#watch('bpftrace', after);
    for (let left = this.#below(6); left > 0 && !this.isOver; left--) {
      this.pass(this.#below(8), 'bpftrace');
      if (this.#isIn(0.1)) this.#lose('bpftrace');
      if (this.#isIn(0.2)) this.#gapOf('bpftrace');
      // Others tell of the same in between, or the administrator reads the host.
      if (this.#isIn(0.2)) this.write(this.#claim(), 'audit.log');
      if (this.#isIn(0.2)) this.reading(this.#isIn(0.7));
    }
  }

  /** A trace in a file, which began nobody knows when. */
  importTrace(): void {
    if (this.#isIn(0.5)) this.reading(true);
    if (this.#isIn(0.5)) this.pass(this.#below(5), null);
    const source = `${++this.#sessions}.trace`;
    const before = this.events.length - 1;
    this.#watch(source, this.begin(source, 'ftrace', before < 0 ? null : before));
    this.pass(this.#below(10), source);
    if (!this.#isIn(0.4)) return;
    this.reading(true);
    this.pass(this.#below(10), source);
  }

  strace(): void {
    const source = `${++this.#sessions}.strace`;
    this.begin(source, 'strace', null);
    const pids = new Set([this.#below(12) + 100, this.#below(12) + 100]);
    this.pass(this.#below(15), source, ({ data }) => 'pid' in data && pids.has(Number(data.pid)));
  }

  listing(): void {
    const source = `${++this.#sessions}.txt`;
    this.begin(source, 'fdinfo', null);
    this.pass(this.#below(10), source, ({ type }) => type.endsWith('.opened') && this.#isIn(0.5));
  }

  /** The host boots: seen, or concluded by a reading. */
  boot(): void {
    const isSeen = this.#isIn(0.5);
    const data = {
      boot: `b${this.events.length}`,
      kernel: '7.3.4',
      profile: null,
      iommufd: true,
      simulated: false,
    };
    if (isSeen) this.#isMissing = false;
    const at = this.write(
      { type: 'host.booted', data },
      isSeen ? 'dmesg' : 'snapshot',
      isSeen ? 'observed' : 'inferred',
    );
    this.#boots.add(at);
    if (isSeen) this.#readings.add(at);
  }

  #watch(source: string, from: number): void {
    const watch = { from, last: this.events.length - 1 };
    this.#watches.push(watch);
    this.#watching.set(source, watch);
  }

  #lose(source: string): void {
    this.pass(this.#below(3), null);
    this.#miss();
    const data = { reason: '3 lines of the trace were lost', group: null };
    // They may have told of anything since the last line that was not lost.
    const since = this.#watching.get(source)?.last ?? 0;
    const at = this.write({ type: 'gap.noticed', data }, source);
    for (let lost = since; lost < at; lost++) this.#losses.add(lost);
  }

  #gapOf(source: string): void {
    const group = String(this.#below(4));
    const data = { reason: 'its file is open, in a container or not', group };
    this.#groupGaps.push({ at: this.write({ type: 'gap.noticed', data }, source), group });
  }

  #claim(): Fact {
    const claim = { claimant: 'vm1', uuid: null, manager: 'libvirt', reason: null };
    return { type: 'claim.granted', data: { device: '0000:01:00.0', ...claim } };
  }

  #below(count: number): number {
    return Math.floor(this.#draw() * count);
  }

  #isIn(share: number): boolean {
    return this.#draw() < share;
  }

  told(): PartlySeen {
    const log = this.events;
    const last = log.length - 1;
    const missed = this.#missed.map(({ at, after }, index) => at || (after && index < last));
    const isWatched = (at: number) =>
      !this.#losses.has(at) &&
      !this.#boots.has(at + 1) &&
      this.#watches.some(({ from, last }) => {
        const isBooted = [...this.#boots].some((boot) => boot > from && boot <= at + 1);
        return !isBooted && from <= at && at + 1 <= last;
      });
    const watched = log.map((_, at) => isWatched(at));
    const known: boolean[] = [];
    const gaps: Set<string>[] = [];
    for (const at of log.keys()) {
      const goesOn = known[at - 1] === true && watched[at - 1] === true;
      known.push(this.#readings.has(at) || goesOn);
      const lasting = this.#readings.has(at) || this.#boots.has(at) ? [] : (gaps[at - 1] ?? []);
      const next = this.#groupGaps.filter((gap) => gap.at === at || gap.at === at + 1);
      gaps.push(new Set([...lasting, ...next.map(({ group }) => group)]));
    }
    return { log, missed, known, watched, gaps };
  }
}

/** Logs of up to 300 events. */
export const partlySeen: fc.Arbitrary<PartlySeen> = fc
  .tuple(fc.integer({ min: 1, max: 1_000_000 }), fc.integer({ min: 1, max: 12 }))
  .map(([seed, turns]) => {
    const draw = drawFrom(seed);
    const scribe = new Scribe(busyHost(300, seed).slice(1), draw);
    for (let left = turns; left > 0 && !scribe.isOver; left--) {
      const turn = Math.floor(draw() * 7);
      if (turn === 0) scribe.pass(Math.floor(draw() * 20), null);
      else if (turn === 1) scribe.strace();
      else if (turn === 2) scribe.importTrace();
      else if (turn === 3) scribe.listing();
      else if (turn === 4) scribe.reading(draw() < 0.7);
      else if (turn === 5 && draw() < 0.3) scribe.boot();
      else scribe.record(draw() < 0.8);
    }
    return scribe.told();
  });
