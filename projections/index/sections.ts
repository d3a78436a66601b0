/**
 * The hand-overs and the hands of a segment, from single sections of its file, and from memory.
 *
 * @module
 */
import { Column } from './columns.ts';
import { handsOfSegment, holdColumns, nameColumns } from './hand-columns.ts';
import { HandOvers, ownerColumns } from './hand-overs.ts';
import { SegmentHands } from './segment-hands.ts';
import type { SectionName, SectionReader } from './segment-layout.ts';
import type { SegmentParts } from './segment-parts.ts';
import { Times } from './times.ts';

/** The hand-overs of a segment; null if they cannot be read alone. */
export function ownersIn(sections: SectionReader | null): HandOvers | null {
  const next = columnsIn(sections, 'owners');
  if (sections === null || next === null) return null;
  return new HandOvers(sections.directory.stamp.first, ownerColumns(next));
}

/** The hands of a segment; null if they cannot be read alone. `whole` reads all of it. */
export function handsIn(
  sections: SectionReader | null,
  whole: () => SegmentParts,
): SegmentHands | null {
  const names = columnsIn(sections, 'names');
  if (sections === null || names === null) return null;
  const { stamp, timeBase } = sections.directory;
  return new SegmentHands({
    first: stamp.first,
    length: stamp.count,
    names: nameColumns(() => apart(names())),
    holds() {
      const next = columnsIn(sections, 'holds');
      return next === null ? whole().hands! : holdColumns(next);
    },
    times() {
      const next = columnsIn(sections, 'times');
      return next === null ? whole().times : new Times(next(), next(), timeBase);
    },
  });
}

/** A copy in memory of its own: columns of a file are views of all that was read. */
function apart({ cells, length }: Column): Column {
  return new Column(cells.slice(0, length), length);
}

/** The hands of a segment in memory; those of an open one up to its last event. */
export function handsOfParts(parts: SegmentParts): SegmentHands {
  const { first, length } = parts.journal;
  const names = parts.hands ?? handsOfSegment(parts);
  return new SegmentHands({ first, length, names, holds: () => names, times: () => parts.times });
}

/** Gives the columns of a section one after the other; null if it cannot be read. */
function columnsIn(sections: SectionReader | null, name: SectionName): (() => Column) | null {
  const left = sections?.columnsOf(name)?.values();
  return left === undefined ? null : () => left.next().value!;
}
