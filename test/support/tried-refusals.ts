/**
 * Refusals whose `because` is compared with the whole boot played for every candidate.
 *
 * @module
 */
import { expect } from 'vitest';
import type { Attempt, LedgerEvent, Placed } from '../../events/vocabulary.ts';
import { becauseAmong, becauseOf, judgeOf, slicedTrials } from '../../projections/why/because.ts';
import type { JudgedRefusal } from '../../projections/why/counterfactual.ts';
import { eventsOfBoot, ReadEvents } from '../../projections/why/played-events.ts';
import { causeAt } from '../../projections/why/refusals.ts';
import { Trials } from '../../projections/why/trials.ts';
import { Timeline } from '../../projections/timeline.ts';
import { PlainTrials } from './plain-trials.ts';

const inTheCall = new Set(['malformed-argument', 'unsupported', 'not-ownership', 'unknown']);
export function timelineOf(events: Iterable<Placed<LedgerEvent>>): Timeline<Placed<LedgerEvent>> {
  const timeline = new Timeline<Placed<LedgerEvent>>({ whole: 500 });
  for (const event of events) timeline.take(event);
  return timeline;
}

/** Every refusal whose cause an event can have made. */
export function refusalsIn(timeline: Timeline): JudgedRefusal[] {
  return timeline.events.flatMap(({ type, data, position }) => {
    if (type !== 'operation.refused') return [];
    const { cause, blocker } = causeAt(timeline, position);
    if (inTheCall.has(cause)) return [];
    return [{ position, call: data as Attempt, cause, blocker: blocker?.file ?? null }];
  });
}

/**
 * Compares what is answered with the whole boot played for every candidate. Returns whether the events that
 * concern the refusal decide it: the whole boot is played where they do not.
 */
export function compare(timeline: Timeline, refused: JudgedRefusal): boolean {
  const { position, call, cause } = refused;
  const name = `${position} ${call.operation}: ${cause}`;
  const plain = plainly(timeline, refused);
  expect(becauseOf(timeline, refused), name).toEqual(plain);
  const last = position - 1;
  for (const events of [eventsOfBoot(timeline, last), new ReadEvents(timeline, last)]) {
    const whole = new Trials(events, judgeOf(refused), call);
    expect(becauseAmong(timeline, refused, whole), `${name}, whole`).toEqual(plain);
  }
  const sliced = slicedTrials(timeline, refused);
  if (sliced === null) return false;
  expect(becauseAmong(timeline, refused, sliced), `${name}, sliced`).toEqual(plain);
  return true;
}

export function plainly(timeline: Timeline, refused: JudgedRefusal): number[] {
  const last = refused.position - 1;
  const events = [...timeline.between(timeline.bootBefore(last), last)];
  return becauseAmong(timeline, refused, new PlainTrials(events, judgeOf(refused)));
}
