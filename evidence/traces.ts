/**
 * Importers of traces: a parser reads the lines, the witness interprets them, and this module makes
 * events of the facts.
 *
 * @module
 */
import { hash } from 'node:crypto';
import type { Evidence, Fact, LedgerEvent } from '../events/vocabulary.ts';
import { KERNEL_PID } from '../processes/process-table.ts';
import { instantOf, isInstant } from '../events/iso-8601.ts';
import { zeroOf, type Zero } from './instants.ts';
import { EvidenceError, type Importer, type ImportOptions, type Reader } from './importer.ts';
import { KeptLines, type ShownLine } from './kept-lines.ts';
import type { SeenCounts, SeenKind } from './messages/seen.ts';
import { idsOfTelling } from './messages/recorded-tellings.ts';
import type { Clock, Parser, Sighting } from './sighting.ts';
import { soundOf } from './sanity.ts';
import type { Tentative } from './witness/inferences.ts';
import { Witness } from './witness/witness.ts';

/** Makes an importer of a parser. Lines that cannot be read are skipped. */
export function traceImporter(
  format: string,
  recognizes: (line: string) => boolean,
  parser: (zero?: Zero) => Parser,
): Importer {
  const read = (options: ImportOptions, source: string) =>
    new TraceReader(format, parser(options.zero), options, source);
  return { format, recognizes, isTolerant: true, read };
}

/** A line has fewer events than this. */
const MOST_EVENTS = 64;

class TraceReader implements Reader {
  preamble = 0;
  readonly #format: string;
  readonly #parser: Parser;
  readonly #options: ImportOptions;
  readonly #source: string;
  #witness: Witness | null = null;
  /** Covers every line so far that shows anything. Ids follow from it: equal lines give equal ids. */
  #digest: string;
  /** `evidence.begun`, until the first event that is not assumed. */
  #begun: LedgerEvent | null = null;
  #last = '';
  #time: string | null = null;
  /** The clock of that time. */
  #clock: Clock = 'none';
  #line = 0;
  #says = false;
  /** The number of gaps where lines could not be read, and whether the last line was one of them. */
  #unread = 0;
  #isLost = false;
  /** Listings without a time of their own: they stand after what the source shows up to `taken`. */
  readonly #listings = new KeptLines('of listings');
  /** What the source shows after `taken`. */
  readonly #later = new KeptLines('after the time of the listings');
  /** The ids of events that a later line may show not to have happened. */
  readonly #tentative: { readonly id: string; readonly tentative: Tentative }[] = [];
  /** The number of statements that another source has told, by kind. */
  readonly #elsewhere = { refusal: 0, claim: 0 };

  constructor(format: string, parser: Parser, options: ImportOptions, source: string) {
    this.#format = format;
    this.#parser = parser;
    this.#options = options;
    this.#source = source;
    this.#digest = options.session === undefined ? format : `${format} ${options.session}`;
  }

  get unknown(): number {
    return this.#witness?.unplaced ?? 0;
  }

  get passedOver(): number | undefined {
    return this.#parser.passedOver;
  }

  get mayPassOver(): boolean {
    return this.#parser.mayPassOver === true;
  }

  get says(): boolean {
    return this.#says || this.#parser.mentions === true;
  }

  get seen(): SeenCounts {
    const seen: Partial<Record<SeenKind, number>> = { ...this.#parser.seen };
    for (const kind of ['refusal', 'claim'] as const) {
      const left = (seen[kind] ?? 0) - this.#elsewhere[kind];
      if (left > 0) seen[kind] = left;
      else delete seen[kind];
    }
    return seen;
  }

  get withdrawn(): readonly string[] {
    return this.#tentative.flatMap(({ id, tentative }) => (tentative.isVoid ? [id] : []));
  }

  get completes(): boolean {
    return this.#parser.completes === true;
  }

  line(text: string, number: number): readonly LedgerEvent[] {
    this.#line = number;
    const sightings = this.#checked(this.#parser.line(text));
    const told = this.#parser.told ?? text;
    if (sightings.length === 0) {
      // What other sources have told before must not change the ids of what follows.
      if (this.#parser.repeats === true) this.#digest = hash('sha256', `${this.#digest}\n${told}`);
      return [];
    }
    this.#says = true;
    return this.#isTwice(sightings, told) ? [] : this.#shown(sightings, told);
  }

  unread(number: number): readonly LedgerEvent[] {
    // Before the first line that shows anything, nothing was known. Lines in a row are one gap.
    if (this.#parser.showsWholeHost !== true || this.#witness === null || this.#isLost) return [];
    this.#isLost = true;
    // The ids of what follows stay as they are without the line.
    const digest = hash('sha256', `${this.#digest} unread ${this.#unread++}`);
    const nobody = { tid: null, pid: null, comm: null, at: null } as const;
    const lost = { did: 'lose', count: 'line', ...nobody } as const;
    return this.#events({ sightings: [lost], digest, line: number });
  }

  /** The sightings of a line. Throws `EvidenceError` if a value or a time of theirs cannot be. */
  #checked(shown: readonly Sighting[]): readonly Sighting[] {
    const sightings = soundOf(shown);
    for (const sighting of sightings) {
      const at = this.#instantOf(sighting);
      if (at !== null && !isInstant(at)) {
        throw new EvidenceError('its time is not in the years 1 to 9999');
      }
    }
    return sightings;
  }

  /** Whether a line repeats the last one, with the same time to the microsecond. */
  #isTwice([first]: readonly Sighting[], text: string): boolean {
    const isSame = text === this.#last && (first?.at ?? 0) % 1e6 !== 0;
    this.#last = text;
    return isSame;
  }

  end(): readonly LedgerEvent[] {
    const sightings = this.#checked(this.#parser.end());
    if (sightings.length > 0) this.#says = true;
    const last = sightings.length === 0 ? [] : this.#shown(sightings, this.#parser.told ?? '');
    if (this.#options.taken === null) return last;
    const rest = this.#later.take();
    return [...last, ...this.listed(), ...rest.flatMap((shown) => this.#events(shown))];
  }

  listed(): readonly LedgerEvent[] {
    return this.#listings.take().flatMap((listing) => this.#events(listing));
  }

  /** The events of what a line shows. Listings without a time of their own are kept for the end. */
  #shown(all: readonly Sighting[], text: string): LedgerEvent[] {
    const digest = (this.#digest = hash('sha256', `${this.#digest}\n${text}`));
    const own = all.filter((sighting) => !this.#isToldElsewhere(sighting, digest));
    const [first] = own;
    if (first === undefined) return [];
    this.#isLost = false;
    this.#witness ??= this.#begin(first);
    const line = this.#line;
    const listed = own.filter(isUntimedListing);
    if (listed.length > 0) this.#listings.add({ sightings: listed, digest, line });
    const shown = { sightings: own.filter((one) => !isUntimedListing(one)), digest, line };
    if (!this.#isAfterTaken(shown)) return this.#events(shown);
    this.#later.add(shown);
    return [];
  }

  /** Whether another source of this import, or one that the log has, has told of it. */
  #isToldElsewhere(sighting: Sighting, digest: string): boolean {
    const { telling, did } = sighting;
    if (telling === undefined) return false;
    const { around, told } = this.#options;
    const at = this.#instantOf(sighting);
    const ids = at === null || around === undefined ? [] : idsOfTelling(telling, at, around);
    const isElsewhere = ids.length === 0 ? told?.has(telling) === true : !hasOwn(ids, digest);
    if (isElsewhere) this.#elsewhere[did === 'claim' ? 'claim' : 'refusal']++;
    return isElsewhere;
  }

  /** Whether listings without a time of their own stand before it. */
  #isAfterTaken({ sightings }: ShownLine): boolean {
    const { taken } = this.#options;
    if (taken === null || this.#parser.readsListings !== true) return false;
    if (!this.#later.isEmpty) return true;
    return sightings.some((sighting) => {
      const at = this.#instantOf(sighting);
      const time = at === null ? null : instantOf(at);
      return time !== null && time > taken;
    });
  }

  #events({ sightings, digest, line: last }: ShownLine): LedgerEvent[] {
    const witness = this.#witness;
    if (witness === null) return [];
    const events: LedgerEvent[] = [];
    let [told, gaps] = [0, 0];
    for (const sighting of sightings) {
      for (const { fact, certainty, rule, tentative } of witness.take(sighting)) {
        const { time, isBack } = this.#timeOf(sighting);
        if (certainty === 'assumed') {
          const evidence = { source: this.#source, line: null, certainty, rule: rule ?? 'assumed' };
          const id = idOf(digest, `assumed ${this.preamble++}`);
          events.push(eventOf(fact, evidence, id, null));
          continue;
        }
        if (this.#begun !== null) events.push(this.#begun);
        this.#begun = null;
        const line = last - (sighting.linesAgo ?? 0);
        const why = rule ?? (isBack ? 'clock-went-back' : null);
        const seen = { source: this.#source, line, certainty, ...(why !== null && { rule: why }) };
        if (tentative !== undefined) {
          // A name of its own: whether it happened does not change the ids of the others.
          const id = idOf(digest, `gap ${gaps++}`);
          this.#tentative.push({ id, tentative });
          events.push(eventOf(fact, seen, id, time));
          continue;
        }
        const name = isUntimedListing(sighting) ? `listed ${told++}` : `${told++}`;
        events.push(eventOf(fact, seen, idOf(digest, name), time));
      }
    }
    return events;
  }

  /** Begins the evidence at the first line that shows anything: its clock and its digest are known. */
  #begin(first: Sighting): Witness {
    const { topology, usualProfile, profile: asked } = this.#options;
    const profile = asked ?? (topology === null ? usualProfile : null);
    const id = idOf(this.#digest, 'begun');
    const before = this.#options.before(id);
    const source = this.#source;
    const clock = this.#clockOf(first);
    const zero = zeroOf(clock, this.#options.zero);
    const data = {
      source,
      format: this.#format,
      clock,
      zero: zero === null ? null : instantOf(zero.at),
      after: before?.after ?? null,
    };
    const certainty = zero?.isStated === false ? 'assumed' : 'observed';
    const evidence = { source, line: this.#line, certainty } as const;
    this.#begun = eventOf({ type: 'evidence.begun', data }, evidence, id, null);
    const nameless = KERNEL_PID + 1 + Number.parseInt(id.slice(0, 5), 16);
    return new Witness({
      topology,
      profile,
      asked,
      before: before?.host ?? null,
      boot: `unseen-${id.slice(0, 8)}`,
      nameless,
      showsReleases: (kind) => this.#parser.showsReleases?.(kind) ?? false,
      // What a recorder that is running has appended cannot be withdrawn. It follows every child.
      showsHolders: this.#parser.showsWholeHost === true || this.#options.session !== undefined,
    });
  }

  #timeOf(sighting: Sighting): { readonly time: string | null; readonly isBack: boolean } {
    if (isUntimedListing(sighting)) return { time: this.#options.taken, isBack: false };
    const at = this.#instantOf(sighting);
    const time = at === null ? null : instantOf(at);
    if (time === null) return { time: this.#time, isBack: false };
    const clock = this.#clockOf(sighting);
    // The times of a worse clock are the caller's conversion: they do not change what a line prints.
    const isBack = clock === this.#clock && this.#time !== null && time < this.#time;
    if (!isBack) [this.#time, this.#clock] = [time, clock];
    return { time: this.#time, isBack };
  }

  #clockOf({ clock = this.#parser.clock }: Sighting): Clock {
    return clock;
  }

  /** The time of a sighting in microseconds since 1970; null if it is unknown. */
  #instantOf(sighting: Sighting): number | null {
    if (sighting.at === null) return null;
    const zero = zeroOf(this.#clockOf(sighting), this.#options.zero);
    return zero === null ? null : zero.at + sighting.at;
  }
}

/** Whether one of the ids is that of an event of the line with this digest. */
function hasOwn(ids: readonly string[], digest: string): boolean {
  const own = Array.from({ length: MOST_EVENTS }, (_, count) => idOf(digest, `${count}`));
  return ids.some((id) => own.includes(id));
}

/** Whether a listing without a time shows it. */
function isUntimedListing({ isListed, at }: Sighting): boolean {
  return isListed === true && at === null;
}

function idOf(digest: string, name: string): string {
  return hash('sha256', `${digest} ${name}`).slice(0, 24);
}

function eventOf(fact: Fact, evidence: Evidence, id: string, time: string | null): LedgerEvent {
  return { ...fact, data: { ...fact.data, evidence }, id, time } as LedgerEvent;
}
