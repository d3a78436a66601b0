import { expect, test } from 'vitest';
import { LiveHost } from '../../../machines/live-host.ts';
import { ExplainedRefusals, isSampled } from '../../../projections/audit/counterfactuals.ts';
import { Timeline } from '../../../projections/timeline.ts';
import { cellOf, forged } from '../../support/forged-segments.ts';
import { hashesOf, MapShelf, readerOf } from '../../support/map-shelf.ts';
import { busyHost, type Log } from '../../support/random-logs.ts';

const LOG = busyHost(600, 17);

/** An index of one segment; `forge` changes what is on its shelf. */
function indexOf(log: Log, forge = (bytes: Uint8Array) => bytes): Timeline {
  const shelf = new MapShelf(hashesOf(log));
  const open = () => {
    const timeline = new Timeline({ shelf, reader: readerOf(log), whole: log.length });
    for (const event of log.slice(timeline.head + 1)) timeline.take(event);
    timeline.settle();
    return timeline;
  };
  open();
  for (const [name, bytes] of shelf.files) shelf.files.set(name, forge(bytes));
  return open();
}

function findingsIn(timeline: Timeline, isWanted?: (position: number) => boolean) {
  const refusals = new ExplainedRefusals(isWanted);
  const host = new LiveHost();
  for (const event of LOG) {
    refusals.take(event, host);
    host.take(event);
  }
  return [...refusals.compare(timeline)];
}

test('what the index answers about every refusal is what the machines and the events say', () => {
  expect(findingsIn(indexOf(LOG), () => true)).toEqual([]);
});

test('another cause or blocker in the index is found, if the refusal is among those compared', () => {
  const refusals = LOG.filter(({ type }) => type === 'operation.refused');
  const { position } = refusals.at(-1)!;
  for (const column of ['cause', 'file'] as const) {
    const index = indexOf(LOG, (bytes) => forged(bytes, cellOf(bytes, 'refused', column, -1)));
    const differing = column === 'file' ? 'blocker' : 'cause';
    const found = findingsIn(index, () => true);
    expect(found).toMatchObject([{ kind: 'why', position, differing }]);
    expect(findingsIn(index, (at) => at !== position)).toEqual([]);
  }
});

test('one position in a thousand is compared, whatever the distance of refusals', () => {
  for (const distance of [1, 2, 3, 10, 64, 1000, 4097]) {
    const positions = Array.from({ length: 200_000 }, (_, turn) => turn * distance);
    const sampled = positions.filter(isSampled).length;
    expect(sampled).toBeGreaterThan(140);
    expect(sampled).toBeLessThan(260);
  }
});
