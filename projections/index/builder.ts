/**
 * Builds a segment: plays events on a host one by one, and records what each of them changed.
 *
 * @module
 */
import { eventTypes, type EventType, type Placed } from '../../events/vocabulary.ts';
import type { KernelCheckpoint } from '../../machines/checkpoint.ts';
import { LiveHost } from '../../machines/live-host.ts';
import { positionOf } from '../../processes/process-table.ts';
import type { Claimant } from '../shapes.ts';
import { noteSubjects } from '../subjects.ts';
import { Claims } from './claims.ts';
import { codesOf, saveCodes, type Codes } from './codes.ts';
import { Column } from './columns.ts';
import { handColumns, handsOfSegment, sealedHands } from './hand-columns.ts';
import { NO_REFUSALS, type SavedRefusals } from './open-refusals.ts';
import { plugTypes, Postings } from './postings.ts';
import { KnownDevices } from './known.ts';
import { KnownSources, NO_SOURCES, type SavedSources } from './known-sources.ts';
import type { SegmentParts } from './segment-parts.ts';
import { Segment } from './segment.ts';
import { sealedSettled } from './settled-refusals.ts';
import { codeOfSubject } from './subject-codes.ts';
import { standingOf } from './standing-of.ts';
import { Standing, UNKNOWN } from './standing.ts';
import { Times } from './times.ts';
import { JournalWriter } from './writer.ts';

/** The state before the first event of a segment: the host, its standing, and the codes of both. */
export interface SegmentStart {
  /** Of the first event. */
  readonly position: number;
  readonly kernel: KernelCheckpoint;
  readonly standing: Standing;
  readonly codes: Codes;
  readonly refusals: SavedRefusals;
  /** The claims that are in force. */
  readonly claims: readonly Claimant[];
  /** Position of the last boot before; -1 if there is none. */
  readonly lastBoot: number;
  /** All devices of the log so far. The segments after this one add theirs to it. */
  readonly known: KnownDevices;
  /** The sources of the events before. */
  readonly sources: SavedSources;
}

/** A finished segment, and the start of the next one. */
export interface Built {
  readonly parts: SegmentParts;
  readonly end: SegmentStart;
}

/** The start of a log whose first event has this position; above 0 if older events were removed. */
export function firstStart(position: number, codes: Codes = codesOf()): SegmentStart {
  const host = new LiveHost({ isKnown: position === 0 });
  const standing = new Standing();
  // Removed events may have given the groups any owner.
  if (position > 0) standing.unheard = UNKNOWN;
  const known = new KnownDevices();
  const kernel = host.save();
  const none = { refusals: NO_REFUSALS, claims: [], lastBoot: -1, sources: NO_SOURCES };
  return { position, kernel, standing, codes, known, ...none };
}

export class SegmentBuilder {
  /** The host after the last event. */
  readonly host: LiveHost;
  readonly segment: Segment;
  readonly known: KnownDevices;
  readonly sources: KnownSources;
  readonly #writer: JournalWriter;
  readonly #claims: Claims;

  /**
   * `host` is one that has taken all events before; by default the one that `kernel` restores. `whole`:
   * events of a whole segment.
   */
  constructor(start: SegmentStart, whole: number, host = LiveHost.restored(start.kernel)) {
    const { position, kernel, standing, codes, refusals, claims, lastBoot, known, sources } = start;
    this.known = known;
    this.sources = new KnownSources(sources);
    this.#claims = new Claims(claims);
    this.host = host;
    this.#writer = new JournalWriter(host, position, standing, codes, { refusals, whole });
    const { journal, blocks, handOvers, settled } = this.#writer;
    const [times, postings] = [new Times(), new Postings()];
    this.segment = new Segment({
      first: position,
      get length() {
        return journal.length;
      },
      isRead: false,
      journal,
      blocks,
      handOvers,
      settled,
      types: new Column(),
      times,
      timeAt: (event) => times.at(event),
      postings,
      codes,
      ungrouped: handColumns().ungrouped,
      hands: null,
      start: standing,
      kernel,
      refusals,
      openRefusals: refusals.open.map(({ number }) => number),
      claims,
      lastBoot,
      sources,
    });
  }

  take(event: Placed): void {
    const { codes, postings, types, times, journal, ungrouped } = this.segment.parts;
    const index = journal.length;
    const changesPlugs = plugs.has(event.type);
    noteSubjects(this.host, event, (kind, id) => {
      const code = codeOfSubject(kind, id, codes);
      postings.add(kind, code, index);
      if (kind === 'group' && changesPlugs) postings.add('plug', code, index);
    });
    if (event.type === 'device.added' && event.data.group === null) {
      ungrouped.device.push(codes.devices.codeOf(event.data.device));
      ungrouped.event.push(index + 1);
    }
    types.push(typeCodes.get(event.type) ?? 0);
    times.push(event.time);
    this.known.take(event);
    this.#claims.take(event);
    if (this.host.isKnown || event.type === 'host.booted') this.#play(event, index);
    else this.#writer.pass();
    this.sources.take(event, this.host);
  }

  #play(event: Placed, index: number): void {
    this.#writer.take(event, this.host);
    const { postings, codes } = this.segment.parts;
    const { files, groups } = this.#writer.changed;
    for (const file of files) postings.add('changedFile', positionOf(file), index);
    for (const group of groups) postings.add('changedGroup', codes.groups.codeOf(group), index);
  }

  finish(): Built {
    const { handOvers, settled, types, postings, ...rest } = this.segment.parts;
    const [journal, times] = [rest.journal.sealed(), rest.times.sealed()];
    const hands = sealedHands(handsOfSegment(this.segment.parts));
    const sealed = {
      length: journal.length,
      hands,
      ungrouped: hands.ungrouped,
      journal,
      blocks: this.#writer.blocks.of(journal),
      handOvers: handOvers.sealed(),
      settled: sealedSettled(settled),
      types: types.sealed(),
      times,
      timeAt: (event: number) => times.at(event),
      postings: postings.sealed(),
    };
    return { parts: { ...rest, ...sealed }, end: this.#end() };
  }

  #end(): SegmentStart {
    const { codes } = this.segment.parts;
    const { texts, numbers } = codesOf();
    const fresh = { ...codes, texts, numbers };
    const standing = standingOf(this.host, fresh, {
      before: this.#writer.standing,
      hold: (place) => this.#writer.remembered(place),
    });
    return {
      position: this.segment.last + 1,
      kernel: this.host.save(),
      standing,
      codes: fresh,
      refusals: this.#writer.refusals.save(),
      claims: this.#claims.inForce,
      lastBoot: this.segment.bootBefore(this.segment.last),
      known: this.known,
      sources: this.sources.save(),
    };
  }
}

const plugs = new Set<EventType>(plugTypes);
const typeCodes = new Map<EventType, number>(eventTypes.map((type, code) => [type, code]));

/** The start of a segment with copies of its codes and names, for a fork that changes them. */
export function startOf({ parts, first }: Segment, known: KnownDevices): SegmentStart {
  const { kernel, refusals, start: standing, codes, claims, lastBoot, sources } = parts;
  return {
    position: first,
    kernel,
    standing,
    codes: codesOf(saveCodes(codes)),
    refusals,
    claims,
    lastBoot,
    known: new KnownDevices(known.save()),
    sources,
  };
}
