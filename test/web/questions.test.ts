import { expect, test } from 'vitest';
import { Questions, type StepKind } from '../../web/questions.ts';
import { busyDay, incident, leak } from './histories.ts';

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

test('what is lit of a refusal is the interval of what blocked it, and of nothing else', async () => {
  let lit = 0;
  for (const ledger of [await busyDay(), await incident(), await leak()]) {
    const questions = new Questions(ledger);
    const exact = ledger.lanes({ atMost: ledger.length + 3 });
    for (const { position } of ledger.log({ refused: true }).slice(0, 100)) {
      const { why, blocked } = questions.refusal(position)!;
      if (blocked === null) continue;
      lit++;
      const host = ledger.hostAt(position - 1);
      const file = host.file(why.blocker?.file ?? '');
      const owned = host.group(blocked.lane)?.owner;
      expect([file?.device, file?.group, owned === file?.id ? blocked.lane : null]).toContain(
        blocked.lane,
      );
      const { stretches } = exact.find(({ id }) => id === blocked.lane)!;
      const { from, to } = stretches.find((one) => one.from < position && position <= one.to)!;
      expect(blocked).toEqual({ lane: blocked.lane, from, to });
    }
  }
  expect(lit).toBeGreaterThan(10);
});
