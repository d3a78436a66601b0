import fc from 'fast-check';
import { expect, test } from 'vitest';
import { shrink } from '../../conformance/shrink.ts';

/** Whether some of the numbers stand in a list, in order. */
function holds(needed: readonly number[], list: readonly number[]): boolean {
  let next = 0;
  for (const one of list) if (one === needed[next]) next++;
  return next === needed.length;
}

test('what is left shows the same, and nothing can be left out of it', async () => {
  const lists = fc.array(fc.nat(9), { minLength: 1, maxLength: 30 });
  await fc.assert(
    fc.asyncProperty(lists, fc.infiniteStream(fc.nat(3)), async (list, keep) => {
      const needed = list.filter(() => keep.next().value === 0);
      fc.pre(needed.length > 0);
      const left = await shrink(list, async (fewer) => holds(needed, fewer));
      expect(left).toEqual(needed);
    }),
  );
});

test('what shows by itself alone is one operation', async () => {
  expect(await shrink([1, 2, 3], async (fewer) => fewer.includes(2))).toEqual([2]);
});
