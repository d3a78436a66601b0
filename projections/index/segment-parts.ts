/**
 * What a segment consists of.
 *
 * @module
 */
import type { KernelCheckpoint } from '../../machines/checkpoint.ts';
import type { Claimant } from '../shapes.ts';
import type { Blocks } from './blocks.ts';
import type { Codes } from './codes.ts';
import type { Column } from './columns.ts';
import type { HandColumns } from './hand-columns.ts';
import type { HandOvers } from './hand-overs.ts';
import type { Journal } from './journal.ts';
import type { SavedSources } from './known-sources.ts';
import type { SavedRefusals } from './open-refusals.ts';
import type { Postings } from './postings.ts';
import type { SettledColumns } from './settled-refusals.ts';
import type { Standing } from './standing.ts';
import type { Times } from './times.ts';

export interface SegmentParts {
  /** Position of the first event. */
  readonly first: number;
  /** Number of events. */
  readonly length: number;
  /** Whether the parts are read from a file when they are asked for. */
  readonly isRead: boolean;
  readonly journal: Journal;
  readonly blocks: Blocks;
  readonly handOvers: HandOvers;
  readonly settled: SettledColumns;
  /** The type of each event, as an index of `eventTypes`. */
  readonly types: Column;
  readonly times: Times;
  /** As `times.at`, without all other times. */
  readonly timeAt: (event: number) => string | null;
  readonly postings: Postings;
  readonly codes: Codes;
  /** The events that added a device without its group, as in `hands`. */
  readonly ungrouped: HandColumns['ungrouped'];
  /** Null while the segment is open. */
  readonly hands: HandColumns | null;
  /** The standing before the first event. */
  readonly start: Standing;
  /** The host before the first event. */
  readonly kernel: KernelCheckpoint;
  /** The refusals that are open before the first event, and their numbers, ascending. */
  readonly refusals: SavedRefusals;
  readonly openRefusals: readonly number[];
  /** The claims in force before the first event, the oldest first. */
  readonly claims: readonly Claimant[];
  /** Position of the last boot before the first event; -1 if there is none. */
  readonly lastBoot: number;
  /** The sources of the events before the first. */
  readonly sources: SavedSources;
}
