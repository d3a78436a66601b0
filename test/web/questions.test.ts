import { expect, test } from 'vitest';
import { Questions, type StepKind } from '../../web/questions.ts';
import { busyDay } from './histories.ts';

test('a step goes to the nearest event of its kind, and nowhere behind the last', async () => {
  const ledger = await busyDay();
  const questions = new Questions(ledger);
  const group = '7';
  const places: Readonly<Record<StepKind, readonly number[]>> = {
    refusal: ledger.log({ refused: true }).map(({ position }) => position),
    event: ledger.log({ subject: `g${group}` }).map(({ position }) => position),
    change: ledger.diff('start', 'end').changes.map(({ position }) => position),
  };
  const kinds = Object.entries(places) as [StepKind, readonly number[]][];
  for (const [kind, all] of kinds) {
    expect(all.length).toBeGreaterThan(1);
    for (const at of [-1, 0, ledger.length >> 1, ledger.length - 1, ...all.slice(0, 20)]) {
      const subject = kind === 'event' ? group : null;
      const [next, last] = ([1, -1] as const).map((way) => questions.step(kind, at, way, subject));
      expect([kind, at, next]).toEqual([kind, at, all.find((place) => place > at) ?? null]);
      const before = all.findLast((place) => place < at) ?? null;
      expect([kind, at, last]).toEqual([kind, at, before]);
    }
  }
  expect(questions.step('event', 7, 1, null)).toBe(8);
  expect(questions.step('event', 7, -1, null)).toBe(6);
});
