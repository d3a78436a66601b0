import { expect, test } from 'vitest';
import { chart } from '../../bench/chart.ts';
import { measurement, percentile } from '../../bench/measurement.ts';
import { page, table } from '../../bench/report.ts';

const appends = measurement({
  figure: 'appends',
  unit: '/s',
  ours: [90, 110, 100],
  beside: { name: 'a peer', peer: [200, 190, 210] },
  target: 0.6,
});
const opening = measurement({
  figure: 'opening',
  events: 10_000_000,
  unit: 's',
  ours: [0.4, 0.30004, 0.35],
  beside: 0.5,
});
const alone = measurement({ figure: 'a question', events: 1500, unit: 'ms', ours: [0.02] });

test('of throughput the ratio is to be reached, of time and memory not to be exceeded', () => {
  expect(appends).toMatchObject({ ratio: 0.5, target: 0.6, better: 'more', reached: false });
  expect(opening).toMatchObject({ ratio: 0.7, target: 1, better: 'less', reached: true });
  expect(opening.ours).toEqual({ median: 0.35, min: 0.30004, max: 0.4 });
  expect(alone).toMatchObject({ peer: null, ratio: null, target: null, reached: null });
});

test('a percentile is a value that was there', () => {
  const values = Array.from({ length: 200 }, (_, index) => 200 - index);
  expect(percentile(values, 50)).toBe(100);
  expect(percentile(values, 99)).toBe(198);
  expect(percentile([7], 99)).toBe(7);
});

test('the table has units, spreads and verdicts', () => {
  const cells = table([appends, opening, alone]).map((line) => line.split(/ {2,}/));
  expect(cells).toEqual([
    ['figure', 'events', 'ours', 'beside', 'peer', 'ratio', 'target'],
    ['appends', '100/s (90..110)', 'a peer', '200/s (190..210)', '0.5', '>= 0.6', 'missed'],
    ['opening', '10M', '0.35 s (0.3..0.4)', 'the limit', '0.5 s', '0.7', '<= 1', 'reached'],
    ['a question', '1500', '0.02 ms'],
  ]);
});

test('the page says where it was measured, and which peers are missing', () => {
  const text = page([appends, opening], { leftOut: ['Emmett in memory'], day: '2026-01-02' });
  expect(text).toContain(`Node ${process.version}`);
  expect(text).toContain('- 2026-01-02');
  expect(text).toContain(
    'left out, as not installed: Emmett in memory; `npm install --prefix bench`',
  );
  expect(text).toContain(
    '| opening | 10M | 0.35 s (0.3..0.4) | the limit | 0.5 s | 0.7 | <= 1 | reached |',
  );
});

test('the chart has a line and a name for each series, and powers of ten on both axes', () => {
  const svg = chart([
    {
      name: 'replay',
      points: [
        [1000, 4],
        [10_000, 40],
        [100_000, 400],
      ],
    },
    {
      name: 'a question',
      points: [
        [1000, 0.02],
        [10_000, 0.02],
        [100_000, 0.021],
      ],
    },
  ]);
  expect(svg.match(/<polyline /g)).toHaveLength(2);
  expect(svg.match(/<circle /g)).toHaveLength(6);
  for (const word of ['replay', 'a question', '1k', '10k', '100k', '10 µs', '1 ms', '1 s']) {
    expect(svg).toContain(`>${word}</text>`);
  }
  expect(svg).not.toMatch(/NaN|undefined|Infinity/);
});
