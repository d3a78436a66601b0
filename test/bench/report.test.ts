import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { chart } from '../../bench/chart.ts';
import { keepResult, machineText, type Result } from '../../bench/kept-results.ts';
import { measurement, percentile } from '../../bench/measurement.ts';
import { page, table } from '../../bench/report.ts';
import { temporaryFolder } from '../log/folder.ts';

const appends = measurement({
  figure: 'appends',
  unit: '/s',
  ours: [90, 110, 100],
  beside: { name: 'a peer', peer: [200, 190, 210] },
  target: 0.6,
});
const opening = measurement({
  figure: 'opening',
  host: 'boot unseen',
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
    ['figure', 'host', 'events', 'ours', 'beside', 'peer', 'ratio', 'target'],
    ['appends', '100/s (90..110)', 'a peer', '200/s (190..210)', '0.5', '>= 0.6', 'missed'],
    [
      'opening',
      'boot unseen',
      '10M',
      '0.35 s (0.3..0.4)',
      'the limit',
      '0.5 s',
      '0.7',
      '<= 1',
      'reached',
    ],
    ['a question', '1500', '0.02 ms'],
  ]);
});

const here = { day: '2026-01-02', machine: machineText(), leftOut: [] };
const openings: Result = {
  ...here,
  name: 'open',
  title: 'Opening',
  measurements: [opening, alone],
};

test('the page says when and where it was measured, what was missed, and which peers are missing', () => {
  const leftOut = ['Emmett in memory'];
  const appending = {
    ...here,
    name: 'append',
    title: 'Appending',
    measurements: [appends],
    leftOut,
  };
  const text = page([appending, openings]);
  expect(text).toMatch(
    /^## Appending\n\n2026-01-02; .*; Node v.*; left out, as not installed: Emmett in memory; .*\n/m,
  );
  expect(text).toContain(
    '| opening | boot unseen | 10M | 0.35 s (0.3..0.4) | the limit | 0.5 s | 0.7 | <= 1 | reached |',
  );
  expect(text).toContain('1 of 2 targets were reached; missed:\n\n- appends\n\n## Appending\n');
  expect(page([openings])).toContain('1 of 1 targets were reached.\n\n## Opening\n');
});

test('a result takes the place of the earlier one of its figure', () => {
  const folder = temporaryFolder();
  const order = ['append', 'open'];
  keepResult(folder, ['gone', ...order], {
    ...openings,
    name: 'gone',
    title: 'Of a figure before',
  });
  keepResult(folder, order, openings);
  keepResult(folder, order, { ...openings, name: 'append', title: 'Appending' });
  keepResult(folder, order, { ...openings, day: '2026-02-03' });
  const text = readFileSync(join(folder, 'results.md'), 'utf8');
  expect(text.match(/^## .*\n\n[^;]*/gm)).toEqual([
    '## Appending\n\n2026-01-02',
    '## Opening\n\n2026-02-03',
  ]);
});

test('the chart has a line for each series, a name for those of a colour, and powers of ten', () => {
  const svg = chart([
    {
      name: 'replay',
      line: 'solid',
      points: [
        [1000, 4],
        [10_000, 40],
        [100_000, 400],
      ],
    },
    {
      name: 'a question',
      line: 'dotted',
      points: [
        [1000, 0.02],
        [10_000, 0.02],
      ],
    },
    {
      name: 'a question',
      line: 'solid',
      points: [
        [1000, 0.02],
        [10_000, 0.02],
        [100_000, 0.021],
      ],
    },
  ]);
  expect(svg.match(/<polyline /g)).toHaveLength(3);
  expect(svg.match(/<circle /g)).toHaveLength(8);
  for (const word of ['replay', 'a question', '1k', '10k', '100k', '10 µs', '1 ms', '1 s']) {
    expect(svg.split(`>${word}</text>`)).toHaveLength(2);
  }
  for (const host of ['a host seen whole', 'boot unseen', 'short boots']) {
    expect(svg).toContain(`>${host}</text>`);
  }
  expect(svg).not.toMatch(/NaN|undefined|Infinity/);
});
