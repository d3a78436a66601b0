import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { openLedger } from '../../../ledger.ts';
import { marksBetween, marksOver, type Mark } from '../../../projections/lanes/marks.ts';
import { Timeline } from '../../../projections/timeline.ts';
import { anyHistory, segmentLengths } from '../../support/any-history.ts';
import { countOf } from '../../support/effort.ts';

const kinds: Readonly<Record<string, string>> = {
  'operation.refused': 'refusal',
  'driver.bound': 'driver',
  'driver.unbound': 'driver',
  'driver.unbind-blocked': 'driver',
  'process.exited': 'exit',
  'host.booted': 'boot',
  'host.died': 'boot',
  'gap.noticed': 'gap',
  'device.added': 'plug',
  'device.removed': 'plug',
};

const marked = fc
  .tuple(anyHistory, segmentLengths)
  .filter(([log]) => log.length > 1)
  .chain(([log, whole]) => {
    const timeline = new Timeline({ whole });
    for (const event of log) timeline.take(event);
    const edges = fc
      .array(fc.integer({ min: 0, max: log.length }), { minLength: 2, maxLength: 12 })
      .map((some) => some.toSorted((a, b) => a - b))
      .filter((some) => some[0]! < some.at(-1)!);
    return fc.record({ log: fc.constant(log), timeline: fc.constant(timeline), edges });
  });

const byPlace = (a: Mark, b: Mark) =>
  a.position - b.position || (`${a.kind} ${a.lane}` < `${b.kind} ${b.lane}` ? -1 : 1);

describe('marks', () => {
  test('have every event of their kinds, merged only within a column', () => {
    fc.assert(
      fc.property(marked, ({ log, timeline, edges }) => {
        const [from, end] = [edges[0]!, edges.at(-1)!];
        const single = marksBetween(timeline.cursor(), { from, end }, end - from);
        const expected = log
          .slice(from, end)
          .flatMap(({ type, position }) => (kinds[type] ? `${position} ${kinds[type]}` : []));
        expect(single.map(({ position, kind }) => `${position} ${kind}`)).toEqual(expected);
        const columnOf = (position: number) => edges.findLastIndex((edge) => edge <= position);
        const grouped = Map.groupBy(
          single,
          ({ position, kind, lane }) => `${columnOf(position)} ${kind} ${lane}`,
        );
        const merged = [...grouped.values()].map((marks): Mark => {
          return { ...marks[0]!, to: marks.at(-1)!.to, count: marks.length };
        });
        expect(marksOver(timeline.cursor(), edges)).toEqual(merged.toSorted(byPlace));
      }),
      { numRuns: countOf('marks', { test: 60, soak: 1500, full: 20_000 }) },
    );
  });

  test('of a refusal are on the lane of what was refused', async () => {
    await using ledger = await openLedger(':memory:');
    const devices = [
      { name: 'gpu', bdf: '0000:3b:00.0', group: 26, driver: 'vfio-pci', cdev: 'vfio0' },
      { name: 'nic', bdf: '0000:3c:00.0', group: 27, driver: 'vfio-pci', cdev: 'vfio1' },
    ];
    const scenario = `
      open_iommufd I
      open_cdev A gpu
      attach A 9
      @P2 open_group G 26
      @P2 open_group H 27
      @P2 set_container H 9
      @P2 open_path X /dev/vfio/99
      @P2 kill P1`;
    const topology = { kernel: '7.3.4', iommufd: true, devices };
    await ledger.simulate(scenario, { topology, profile: 'linux-7.3' });
    const refusals = ledger.marks().filter(({ kind }) => kind === 'refusal');
    const places = refusals.map(({ lane, position }) => {
      const event = ledger.event(position);
      return [event?.type === 'operation.refused' ? event.data.operation : null, lane];
    });
    expect(places).toMatchInlineSnapshot(`
      [
        [
          "attach",
          "0000:3b:00.0",
        ],
        [
          "set_container",
          "27",
        ],
        [
          "open_group",
          null,
        ],
      ]
    `);
  });
});
