import { expect, test } from 'vitest';
import { packing } from '../../../log/packing.ts';
import { blockOfEvent, blockOfHold } from '../../../projections/index/blocks.ts';
import { firstStart, SegmentBuilder } from '../../../projections/index/builder.ts';
import { advance, Cursor } from '../../../projections/index/journal.ts';
import { decodeSegment, encodeSegment } from '../../../projections/index/segment-bytes.ts';
import type { Standing } from '../../../projections/index/standing.ts';
import { busyHost } from '../../support/random-logs.ts';

const LOG = busyHost(600, 3);

/** The parts of a segment in memory, and as they are read from its bytes. */
function segment(whole: number) {
  const builder = new SegmentBuilder(firstStart(0), whole);
  for (const event of LOG) builder.take(event);
  const built = builder.finish();
  const count = LOG.length;
  const stamp = { stream: 'host', rules: '', origin: 0, first: 0, count, before: '', after: '' };
  const { parts } = decodeSegment(encodeSegment({ stamp, listed: [], ...built }, packing), packing);
  return [built.parts, parts] as const;
}

function told({ tables, waiter, held, unheard }: Standing) {
  const rows = tables.map(({ cells, count, width }) => [...cells.subarray(0, count * width)]);
  return { rows, waiter, held, unheard };
}

test.each([0, 1])('each block leads to every moment of its events, %i', (which) => {
  const parts = segment(LOG.length)[which]!;
  const { blocks, journal, start } = parts;
  expect(blocks.length).toBeGreaterThan(2);
  const [standing, cursor] = [start.copy(), new Cursor()];
  for (let event = 0; event <= LOG.length; event++) {
    advance(journal, standing, cursor, event);
    const block = blocks.at(blockOfEvent(blocks, event));
    const own = block.begin();
    advance(block.journal, own.standing, own.cursor, event - block.journal.first);
    expect(told(own.standing)).toEqual(told(standing));
  }
});

test('a block begins no sooner than its standing is worth it', () => {
  const [{ blocks, journal }] = segment(1);
  expect(blocks.length).toBeGreaterThan(2);
  for (let index = 0; index < blocks.length - 1; index++) {
    const rows = blocks
      .at(index + 1)
      .begin()
      .standing.tables.reduce((sum, { count }) => sum + count, 0);
    const [from, to] = [index, index + 1].map((at) => blocks.eventAt(at));
    const made = [...journal.rows.cells.subarray(from, to)].reduce((sum, each) => sum + each, 0);
    expect(made).toBeGreaterThanOrEqual(2 * rows);
  }
});

test('a hold is in the block that made it', () => {
  const [{ blocks }] = segment(LOG.length);
  for (let index = 0; index < blocks.length - 1; index++) {
    const held = blocks.heldAt(index + 1);
    if (held === blocks.heldAt(index)) continue;
    expect(blockOfHold(blocks, held - 1)).toBe(index);
  }
});
