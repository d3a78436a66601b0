import { expect, test } from 'vitest';
import { exponents } from '../../bench/growth.ts';

test('the exponent of a cost is that of the power which fits it, and is judged by the limit', () => {
  const sizes = [100, 1000, 10_000];
  const costs = (size: number) =>
    new Map([
      ['square', size ** 2 * 1e-9],
      ['line', size * 1e-6],
      ['same', 0.5],
    ]);
  const rows = exponents(
    'things',
    new Map(sizes.map((size) => [size, [costs(size), costs(size)]])),
  );
  expect(rows).toHaveLength(3 * 4);
  expect(rows[1]).toMatchObject({ figure: 'square, 1k things', unit: 'ms', ours: { median: 1 } });
  const found = rows.filter(({ figure }) => figure.includes('exponent'));
  expect(found.map(({ ours }) => ours.median)).toEqual([
    expect.closeTo(2),
    expect.closeTo(1),
    expect.closeTo(0),
  ]);
  expect(found.map(({ reached }) => reached)).toEqual([false, true, true]);
});
