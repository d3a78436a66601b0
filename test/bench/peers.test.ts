import { expect, test } from 'vitest';
import { judgeAll } from '../../bench/first-judging.ts';
import { hostHistory } from '../../bench/host.ts';
import { Ownership } from '../../bench/peers/ownership.ts';
import { columnsOf, foldColumns } from '../../bench/peers/typed-arrays.ts';
import { actorKernel, transitionKernel } from '../../bench/peers/xstate.ts';
import { Kernel } from '../../machines/kernel.ts';

const COUNT = 20_000;
const history = [...hostHistory(COUNT)].map((event, position) => ({ ...event, position }));

/** By group, the file that owns it, as the machines have it. */
function ownersOf(kernel: Kernel): Map<string, string> {
  const owners = [...kernel.groups()].flatMap(({ group, record: { owner } }) =>
    owner === null ? [] : [[group, owner] as const],
  );
  return new Map(owners);
}

test('what peers fold by hand is what the machines say, after each event', () => {
  const kernel = new Kernel();
  const ownership = new Ownership();
  for (const event of history) {
    kernel.take(event);
    ownership.take(event);
    const byNumber = (a: readonly [string, string], b: readonly [string, string]) =>
      Number(a[0]) - Number(b[0]);
    const theirs = [...ownership.owners].toSorted(byNumber);
    expect(theirs, `after ${event.position}`).toEqual([...ownersOf(kernel)].toSorted(byNumber));
  }
});

test('columns of numbers fold to the same owners', () => {
  const ownership = new Ownership();
  for (const event of history) ownership.take(event);
  const folded = [...foldColumns(columnsOf(COUNT))].flatMap((file, group) =>
    file === 0 ? [] : [[String(group), `f${file}`] as const],
  );
  expect(new Map(folded)).toEqual(ownership.owners);
});

test('XState in the place of the tables judges the same', () => {
  const some = history.slice(0, 4000);
  const ours = judgeAll(some, new Kernel());
  expect(ours.changes.length).toBeGreaterThan(100);
  for (const kernel of [transitionKernel(), actorKernel()]) {
    expect(judgeAll(some, kernel)).toEqual(ours);
    expect(kernel.contradictions).toEqual([]);
  }
});
