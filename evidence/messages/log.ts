/**
 * Reads logs of a host, and what people paste of them: lines of the kernel, of audit and of programs, and
 * listings between them. Each line goes to the reader that it says something to.
 *
 * @module
 */
import { EvidenceError } from '../importer.ts';
import type { Parser, Sighting } from '../sighting.ts';
import { copied } from '../source.ts';
import { JournalEntries, type JournalEntry } from '../wrappers/entries.ts';
import { UNKNOWN_ZEROS, type Zero } from '../instants.ts';
import { lineClock, type LineClock, type LineTime } from '../wrappers/line-clock.ts';
import { checkStamps } from '../wrappers/times.ts';
import { unwrapped, unwrappedFrom, type Unwrapped } from '../wrappers/unwrap.ts';
import { auditSaid, auditStamp, isAudit } from './audit.ts';
import { fillsTerminal, joined, mayBreakOff } from './broken.ts';
import { concerns, introduces, mentionsVfio } from './concerns.ts';
import { DeviceListing } from './device-listing.ts';
import { isPrompt, Listing } from './fdinfo.ts';
import { kernelReader } from './kernel.ts';
import { LONGEST } from './names.ts';
import { ProgramReader, type Reported } from './program.ts';
import type { SeenKind } from './seen.ts';

const NOTHING: readonly Sighting[] = [];

/** Who writes the messages that a format reads. */
type Writer = 'kernel' | 'audit' | 'program';

/** What a parser reads. */
interface ReadScope {
  readonly writers: readonly Writer[];
  readonly listing: Listing | null;
  readonly devices: DeviceListing | null;
  /** Whether a line that names VFIO, and says nothing, is one of this format. */
  readonly isOwn: (line: string) => boolean;
}

/** The parser of a format that reads the messages of one writer only. */
export function logParser(writer: Writer, isOwn: (line: string) => boolean, zero?: Zero): Parser {
  return new LogParser({ writers: [writer], listing: null, devices: null, isOwn }, zero);
}

/** The parser of a source whose format nobody named: a log, in which listings may stand. */
export function pasteParser(zero?: Zero): Parser {
  const writers = ['kernel', 'audit', 'program'] as const;
  const listings = { listing: new Listing(), devices: new DeviceListing() };
  return new LogParser({ writers, ...listings, isOwn: () => true }, zero);
}

/** The first line of a message. `waits`: it is read when the next one is known. */
interface BegunLine {
  readonly text: string;
  readonly was: 'rejected' | 'passed-over' | 'read' | 'waits';
}

class LogParser implements Parser {
  readonly seen: Partial<Record<SeenKind, number>> = {};
  passedOver = 0;
  told: string | null = null;
  completes = false;
  mentions = false;
  readonly #time: LineClock;
  readonly #kernel = kernelReader();
  readonly #program = new ProgramReader();
  readonly #scope: ReadScope;
  readonly #entries = new JournalEntries();
  readonly #listing: Listing | null;
  readonly #devices: DeviceListing | null;
  #line = 0;
  /** The last line, if it may go on in the next one, and how it was counted. */
  #begun: BegunLine | null = null;
  /** Whether the last message was told before. */
  #isRepeated = false;

  constructor(scope: ReadScope, zero: Zero = UNKNOWN_ZEROS) {
    this.#scope = scope;
    this.#listing = scope.listing;
    this.#devices = scope.devices;
    this.#time = lineClock(zero);
  }

  get clock() {
    return this.#time.clock;
  }

  get repeats() {
    return this.#isRepeated;
  }

  get readsListings() {
    return this.#listing !== null;
  }

  get mayPassOver() {
    const isOpen = this.#entries.isOpen || this.#isListing || this.#begun !== null;
    return !isOpen && !this.#program.isOpen(this.#line);
  }

  /** Whether the next line may be a row of a listing. */
  get #isListing() {
    return this.#listing?.isOpen === true || this.#devices?.isOpen === true;
  }

  line(whole: string): readonly Sighting[] {
    this.#line++;
    this.told = null;
    this.completes = false;
    this.#isRepeated = false;
    const text = whole.length > LONGEST ? whole.slice(0, LONGEST) : whole;
    const { ended, isPart } = this.#entries.take(text);
    if (ended === null && isPart) return this.#waiting(1);
    const before = ended === null ? NOTHING : this.#entryBefore(ended, isPart ? '' : text);
    if (isPart || (ended !== null && text === '')) return before;
    const told = this.told;
    this.told = null;
    if (before.length === 0) return this.#alone(text);
    const said = this.#tried(() => this.#alone(text));
    this.told = `${told}\n${this.told ?? text}`;
    return [...before, ...said];
  }

  end(): readonly Sighting[] {
    this.told = null;
    const ended = this.#entries.end();
    const before = ended === null ? NOTHING : this.#entry(ended);
    const told = this.told;
    const said = this.#waiting(0);
    if (before.length > 0) this.told = told;
    return [...before, ...said];
  }

  /** The sightings of an entry. If it cannot be read, the line after it waits for the next one. */
  #entryBefore(entry: JournalEntry, after: string): readonly Sighting[] {
    try {
      return this.#entry(entry);
    } catch (error) {
      if (after !== '') this.#begun = { text: copied(after), was: 'waits' };
      throw error;
    }
  }

  /** The sightings of an entry of several lines. */
  #entry({ peeled, lines, linesAgo }: JournalEntry): readonly Sighting[] {
    if (peeled === null) return this.#oneByOne(lines, linesAgo);
    this.told = lines.join('\n');
    const said = concerns(peeled.inner) ? this.#message(unwrappedFrom(peeled)) : [];
    if (said.length === 0 && !this.#isRepeated) this.passedOver += lines.length;
    return linesAgo === 0 ? said : said.map((one) => ({ ...one, linesAgo }));
  }

  /** The sightings of lines that began like an entry and are none. `after`: the lines since. */
  #oneByOne(lines: readonly string[], after: number): readonly Sighting[] {
    const last = this.#line;
    const said = lines.flatMap((text, index) => {
      const ago = lines.length - 1 - index + after;
      this.#line = last - ago;
      const shown = this.#tried(() => this.#alone(text));
      return shown.map((one) => ({ ...one, linesAgo: ago + (one.linesAgo ?? 0) }));
    });
    this.#line = last;
    this.told = lines.join('\n');
    return said;
  }

  /** The sightings of a line. One that cannot be read is passed over: others are read with it. */
  #tried(read: () => readonly Sighting[]): readonly Sighting[] {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof EvidenceError)) throw error;
      this.#begun = null;
      this.passedOver++;
      return NOTHING;
    }
  }

  /** The sightings of a line that is not part of an entry, and of the one before if it has waited. */
  #alone(text: string): readonly Sighting[] {
    const begun = this.#begun;
    this.#begun = null;
    if (begun === null) return this.#new(text);
    const both = `${begun.text}\n${text}`;
    const said = this.#continued(begun, text);
    if (said.length > 0) {
      this.completes = begun.was === 'rejected';
      if (begun.was === 'passed-over') this.passedOver--;
      this.told = both;
      return said;
    }
    if (begun.was !== 'waits') return this.#new(text);
    const first = this.#waited(begun.text, 1);
    if (first.length === 0) return this.#new(text);
    this.told = both;
    try {
      return [...first, ...this.#new(text)];
    } catch (error) {
      if (!(error instanceof EvidenceError)) throw error;
      this.passedOver++;
      return first;
    }
  }

  /** The sightings of a line that waits, if there is one. */
  #waiting(linesAgo: number): readonly Sighting[] {
    const begun = this.#begun;
    if (begun?.was !== 'waits') return NOTHING;
    this.told = begun.text;
    return this.#waited(begun.text, linesAgo);
  }

  /** The sightings of a line that has waited for the next one. */
  #waited(text: string, linesAgo: number): readonly Sighting[] {
    const said = this.#tried(() => this.#now(text));
    this.#begun = null;
    return linesAgo === 0 ? said : said.map((sighting) => ({ ...sighting, linesAgo }));
  }

  #new(text: string): readonly Sighting[] {
    if (!this.#mayConcern(text)) {
      this.passedOver++;
      return NOTHING;
    }
    this.mentions ||= mentionsVfio(text) && this.#scope.isOwn(text);
    // What readers remember of it must not keep the lines around it in memory.
    const own = copied(text);
    if (!fillsTerminal(own)) return this.#now(own);
    this.#begun = { text: own, was: 'waits' };
    return NOTHING;
  }

  #now(text: string): readonly Sighting[] {
    try {
      const said = this.#message(unwrapped(text));
      // The driver that begins a message of the kernel is known before the rest.
      const isBegun = said.every(({ did }) => did === 'plug');
      if (!isBegun || this.#isRepeated) return said;
      const was = said.length === 0 ? 'passed-over' : 'read';
      if (was === 'passed-over') this.passedOver++;
      if (mayBreakOff(text)) this.#begun = { text, was };
      return said;
    } catch (error) {
      if (error instanceof EvidenceError) this.#begun = { text, was: 'rejected' };
      throw error;
    }
  }

  #mayConcern(text: string): boolean {
    if (this.#program.isOpen(this.#line) && isPrompt(text)) this.#program.prompt();
    if (concerns(text) || this.#isListing || introduces(text)) return true;
    return this.#program.mayAnswer(this.#line);
  }

  /** A message that a terminal or a mail has broken, put together again; none if it is not one. */
  #continued({ text: first, was }: BegunLine, second: string): readonly Sighting[] {
    const { stamps, name, message } = unwrapped(second);
    if (stamps.length > 0 || name !== null || isPrompt(second)) return NOTHING;
    for (const whole of joined(first, second, message, was === 'rejected')) {
      try {
        const said = this.#message(unwrapped(whole));
        if (said.length > 0) return said;
      } catch (error) {
        if (!(error instanceof EvidenceError)) throw error;
      }
    }
    return NOTHING;
  }

  #message(parts: Unwrapped): readonly Sighting[] {
    this.#isRepeated = false;
    const { message } = parts;
    // Before any reader remembers what is said at a time that does not exist.
    checkStamps(parts.stamps);
    if (isAudit(message)) {
      if (!this.#reads('audit')) return NOTHING;
      const stamp = auditStamp(message);
      const time = this.#time.of(stamp === null ? parts.stamps : [...parts.stamps, stamp]);
      return this.#counted('claim', auditSaid(message), time);
    }
    const listed = this.#listing?.line(message) ?? [];
    if (listed.length > 0 && this.#listing !== null) {
      return this.#counted(this.#listing.tool, listed, this.#time.of(parts.stamps));
    }
    const shown = this.#devices?.line(message) ?? [];
    if (shown.length > 0 && this.#devices !== null) {
      return this.#counted(this.#devices.kind, shown, this.#time.of(parts.stamps));
    }
    if (this.#reads('kernel')) {
      const isOther = parts.name !== null && !parts.kernel;
      const said = this.#kernel(message, parts.boot, isOther, this.#line);
      if (said.length > 0) {
        const untold = said.filter((one) => !this.#program.hasTold(one, parts, this.#line));
        this.#isRepeated = untold.length < said.length;
        return this.#counted('kernel', untold, this.#time.of(parts.stamps));
      }
    }
    if (!this.#reads('program')) return NOTHING;
    const { told, isRepeated } = this.#program.read(parts, this.#line);
    this.#isRepeated = isRepeated;
    return told.map((report) => this.#reported(parts, report));
  }

  #reads(writer: Writer): boolean {
    return this.#scope.writers.includes(writer);
  }

  #reported({ stamps }: Unwrapped, { said, stamp, telling }: Reported): Sighting {
    const time = this.#time.of(stamp === null ? stamps : [...stamps, stamp]);
    const kind = said.did === 'report' ? 'refusal' : said.did === 'claim' ? 'claim' : 'kernel';
    this.#count(kind, 1);
    return { ...said, tid: null, ...time, ...(telling !== null && { telling }) };
  }

  #counted(
    kind: SeenKind,
    said: readonly Omit<Sighting, 'tid' | 'at'>[],
    time: LineTime,
  ): readonly Sighting[] {
    const isState = kind !== 'kernel' && kind !== 'claim';
    if (said.length > 0) this.#count(kind, isState ? said.length : 1);
    return said.map((one) => ({ ...one, tid: null, ...time }) as Sighting);
  }

  #count(kind: SeenKind, count: number): void {
    this.seen[kind] = (this.seen[kind] ?? 0) + count;
  }
}
