import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { LedgerEvent, Placed } from '../../events/vocabulary.ts';
import { openLedger, type Ledger } from '../../ledger.ts';
import { Timeline } from '../../projections/timeline.ts';
import { findMoment, findRange, START } from '../../projections/when.ts';

/** Seconds after midnight, which may be equal, go back, or be missing. */
const seconds = fc.array(fc.option(fc.integer({ min: 0, max: 20 })), {
  minLength: 1,
  maxLength: 40,
});

const instantAt = (second: number): string => `${secondAt(second)}.000000Z`;
const secondAt = (second: number): string => `2026-06-01T00:00:${String(second).padStart(2, '0')}`;

const started = (index: number, second: number | null): LedgerEvent => ({
  type: 'process.started',
  data: { pid: index + 1, comm: `P${index}`, cgroup: null },
  id: `e${index}`,
  time: second === null ? null : instantAt(second),
});

function timelineOf(times: readonly (number | null)[], whole: number): Timeline {
  const timeline = new Timeline({ whole });
  for (const [position, second] of times.entries()) {
    timeline.take({ ...started(position, second), position } as Placed<LedgerEvent>);
  }
  return timeline;
}

/** Looks at every event. */
function bruteMoment(times: readonly (number | null)[], second: number) {
  const timed = times.flatMap((time, position) => (time === null ? [] : { time, position }));
  const last = timed.at(-1);
  if (last === undefined) return 'untimed';
  const found = timed.findLast(({ time }) => time <= second);
  if (found === undefined) return { position: START, logEnds: null };
  const head = times.length - 1;
  if (timed.some(({ position }) => position > found.position)) {
    return { position: found.position, logEnds: null };
  }
  const ends = { position: head, time: instantAt(last.time) };
  return { position: head, logEnds: second > last.time ? ends : null };
}

/** The words for one instant: by itself, by an offset, by the clock, and by the time of day. */
function wordsFor(second: number, now: number): string[] {
  const inFrance = `2026-06-01T02:00:${secondAt(second).slice(-2)}+02:00`;
  const ofDay = `00:00:${secondAt(second).slice(-2)}`;
  const relative = now >= second ? [`-${now - second}s`] : [];
  return [instantAt(second), secondAt(second), inFrance, ofDay, ...relative];
}

test('every word for an instant means what a look at every event gives', () => {
  const [second, now] = [fc.integer({ min: 0, max: 22 }), fc.integer({ min: 0, max: 59 })];
  const met = { untimed: 0, start: 0, ends: 0 };
  fc.assert(
    fc.property(
      seconds,
      second,
      now,
      fc.integer({ min: 1, max: 8 }),
      (times, at, present, whole) => {
        const timeline = timelineOf(times, whole);
        const clock = () => new Date(instantAt(present));
        const expected = bruteMoment(times, at);
        for (const word of wordsFor(at, present)) {
          const ask = () => findMoment(word, timeline, clock);
          if (expected === 'untimed') {
            expect(ask, word).toThrow('no event of this log has a time');
            met.untimed++;
            continue;
          }
          expect(ask(), word).toEqual({ ...expected, instant: instantAt(at) });
          if (expected.position === START) met.start++;
          if (expected.logEnds !== null) met.ends++;
        }
        if (expected !== 'untimed') {
          expect(findMoment('now', timeline, clock)).toEqual(
            findMoment(instantAt(present), timeline, clock),
          );
        }
      },
    ),
    { numRuns: 400 },
  );
  expect(Object.values(met).every((count) => count > 10)).toBe(true);
});

test('positions, start and end mean themselves, whatever the times are', () => {
  fc.assert(
    fc.property(seconds, (times) => {
      const timeline = timelineOf(times, 4);
      const clock = () => expect.unreachable('the clock');
      const head = times.length - 1;
      for (let position = 0; position <= head; position++) {
        for (const when of [position, String(position)]) {
          expect(findMoment(when, timeline, clock)).toEqual({
            position,
            instant: null,
            logEnds: null,
          });
        }
      }
      expect(findMoment('start', timeline, clock).position).toBe(START);
      expect(findMoment('end', timeline, clock)).toEqual({
        position: head,
        instant: null,
        logEnds: null,
      });
      expect(() => findMoment(head + 1, timeline, clock)).toThrow('is past the end');
    }),
    { numRuns: 50 },
  );
});

test('a range is refused exactly if its first moment is after its second', () => {
  const word = fc.oneof(
    fc.constantFrom('start', 'end'),
    fc.integer({ min: 0, max: 22 }).map(instantAt),
    fc.nat({ max: 10 }).map(String),
  );
  let refused = 0;
  fc.assert(
    fc.property(seconds, word, word, (times, from, to) => {
      fc.pre(times.length > 10 && times.some((time) => time !== null));
      const timeline = timelineOf(times, 8);
      const clock = () => expect.unreachable('the clock');
      const [one, other] = [from, to].map((when) => findMoment(when, timeline, clock));
      const areInstants = from.includes('T') && to.includes('T');
      const isAfter = one!.position > other!.position || (areInstants && from > to);
      const ask = () => findRange(from, to, timeline, clock);
      if (isAfter) {
        refused++;
        expect(ask).toThrow(`${from} is after ${to}`);
      } else {
        expect(ask()).toEqual({ from: one, to: other });
      }
    }),
    { numRuns: 300 },
  );
  expect(refused).toBeGreaterThan(0);
});

describe('a ledger', () => {
  const present = new Date('2026-06-01T00:10:00.500Z');

  /** Ends at 00:00:09; its last event has no time. The clock goes on with every look at it. */
  async function ledgerAt(now: Date): Promise<{ ledger: Ledger; looks: () => number }> {
    let looks = 0;
    const clock = (): Date => {
      looks++;
      return new Date(now.getTime() + (looks - 1) * 3600e3);
    };
    const ledger = await openLedger(':memory:', { clock });
    const events = [0, 3, null, 9, null].map((second, index) => started(index, second));
    await ledger.append(-1, events);
    await ledger.refresh();
    return { ledger, looks: () => looks };
  }

  /** Each thing that can be asked of a moment, or of two. */
  const questions: Record<string, (ledger: Ledger, when: string) => unknown> = {
    table: (ledger, when) => ledger.at(when).table(),
    who: (ledger, when) => ledger.who('pid:1', { at: when }),
    claimants: (ledger, when) => ledger.claimants('pid:1', { at: when }),
    log: (ledger, when) => ledger.log({ to: when }),
    'log from': (ledger, when) => ledger.log({ from: when, subject: 'pid:4' }),
    diff: (ledger, when) => ledger.diff('start', when),
    between: (ledger, when) => ledger.between(when, when),
    logEnds: (ledger, when) => ledger.logEnds(when),
  };

  test.each(Object.entries(questions))(
    '%s looks at the clock once, and answers as for the instant',
    async (_, ask) => {
      for (const [word, instant] of [
        ['now', '2026-06-01T00:10:00.500Z'],
        ['-593s', '2026-06-01T00:00:07.500Z'],
        ['-9m', '2026-06-01T00:01:00.500Z'],
      ] as const) {
        const { ledger, looks } = await ledgerAt(present);
        const answer = JSON.stringify(ask(ledger, word));
        expect(looks(), word).toBe(1);
        expect(answer, word).toBe(JSON.stringify(ask(ledger, instant)));
      }
    },
  );

  test('an answer about an instant after the last event says where the log ends', async () => {
    const { ledger } = await ledgerAt(present);
    const logEnds = { position: 4, time: instantAt(9) };
    const after = '2027-01-01';
    expect(ledger.at(after).table()).toMatchObject({ at: { position: 4, time: null }, logEnds });
    expect(ledger.who('pid:1', { at: after })).toMatchObject({ logEnds });
    expect(ledger.diff('start', 'now')).toMatchObject({ to: 4, toTime: null, logEnds });
    expect(ledger.between('start', 'now')).toMatchObject({ logEnds });
    for (const when of ['end', 4, instantAt(9), 'start']) {
      expect(ledger.at(when).table(), String(when)).not.toHaveProperty('logEnds');
      expect(ledger.logEnds(when)).toBeNull();
    }
  });

  test('no call takes a range whose first moment is after its second', async () => {
    const { ledger } = await ledgerAt(present);
    const wrong = [
      () => ledger.log({ from: 3, to: 2 }),
      () => ledger.log({ from: 'end', to: 'start' }),
      () => ledger.diff('end', 0),
      () => ledger.diff('2028-01-01', '2027-01-01'),
      () => ledger.between(3, '00:00:01'),
    ];
    for (const ask of wrong) {
      expect(ask).toThrow(expect.objectContaining({ code: 'bad-request' }));
      expect(ask).toThrow(' is after ');
    }
  });
});
